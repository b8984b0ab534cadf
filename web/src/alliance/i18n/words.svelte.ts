/** The words of the alliance page. The language is the one of every page. */

import { language } from "../../lib/i18n/locale.svelte";
import { en } from "./en";
import { zh } from "./zh";

export type WordKey = keyof typeof en;
export type Words = Record<WordKey, string>;
const CATALOGUES: Record<"en" | "zh", Words> = { en, zh };

/** A text in the present language; `{name}` is replaced. */
export function t(key: WordKey, values: Record<string, string | number> = {}): string {
  return fill(CATALOGUES[language.current][key], values);
}

/** The word of a code that the hub sends, as `kind_code`; an unknown code is shown as it came. */
export function word(kind: string, code: string | null | undefined): string {
  if (code === null || code === undefined || code === "") return "–";
  const catalogue: Record<string, string> = CATALOGUES[language.current];
  return catalogue[`${kind}_${code}`] ?? code.replaceAll("_", " ");
}

/** A region's name: by its number in GB/T 2260 (`CN-54`, `540000`), else as it came. */
export function region(code: string | null | undefined): string {
  const number = /^(?:CN-)?(\d\d)(?:\d{4})?$/.exec(code ?? "")?.[1];
  return number && known("region", number) ? word("region", number) : (code ?? "–");
}

/** Whether there is a word for this code. */
export const known = (kind: string, code: string): boolean => `${kind}_${code}` in en;

function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

export const localeTag = (): string => (language.current === "zh" ? "zh-CN" : "en-GB");
