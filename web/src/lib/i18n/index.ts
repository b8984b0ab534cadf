import { en } from "./en";

export type WordKey = keyof typeof en;
export type Words = Record<WordKey, string>;
export type Locale = "en" | "zh";
