/** The language of the page: chosen once, kept by the browser. */

import type { Locale, WordKey, Words } from ".";
import { causes, type CauseWords } from "./causes";
import { en } from "./en";
import { zh } from "./zh";

const KEPT_AS = "telehand-language";
const CATALOGUES: Record<Locale, Words> = { en, zh };

class Language {
  current = $state<Locale>(firstLocale());

  toggle(): void {
    this.current = this.current === "en" ? "zh" : "en";
    try {
      localStorage.setItem(KEPT_AS, this.current);
    } catch {
      // a browser without storage starts in its own language every time
    }
  }
}

function firstLocale(): Locale {
  const asked = new URLSearchParams(location.search).get("lang");
  let kept: string | null = null;
  try {
    kept = localStorage.getItem(KEPT_AS);
  } catch {
    // see toggle
  }
  return (asked ?? kept ?? navigator.language).startsWith("zh") ? "zh" : "en";
}

export const language = new Language();

/** A text in the present language; `{name}` is replaced. */
export function t(key: WordKey, values: Record<string, string | number> = {}): string {
  const text = CATALOGUES[language.current][key];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** What a cause means and what clears it; an unknown one keeps its own name. */
export function causeWords(code: string | null | undefined, name: string): CauseWords {
  return causes[language.current][code ?? name] ?? { what: name.replaceAll("_", " "), clears: "" };
}
