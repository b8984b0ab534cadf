/** Words of the orthopaedic pages that are looked up by what a process says. */

import { language, t } from "../i18n/locale.svelte";
import type { WordKey } from "../i18n";
import { en } from "../i18n/en";
import { rules, type RuleWords } from "../i18n/ortho-rules";
import { said, saidWith } from "../i18n/ortho-said";
import type { Gate, OrthoAlarm, Screw, Side, SiteState } from "./contract";
import { fixed, NONE } from "../format";
import { sentence } from "./sentence";

export const hospital = (site: SiteState): string => site.name[language.current] || site.name.en;

/** The state of a case in words. */
export function stateWord(site: SiteState): string {
  const key = `case_${site.case.number}`;
  return key in en ? t(key as WordKey) : site.case.state;
}

/** A key of the catalogue made of a prefix and what a process says; its own word if there is none. */
export function word(prefix: string, name: string): string {
  const key = `${prefix}_${name}`;
  return key in en ? t(key as WordKey) : name.replaceAll("_", " ");
}

/**
 * A wire is in the patient and not yet accepted. (A guide that nobody has reported free counts as
 * occupied from the start: that alone is no wire.)
 */
export const critical = (site: SiteState): boolean =>
  site.case.number === 11 ||
  Boolean(site.waiting?.critical) ||
  (site.case.number === 12 &&
    (site.robot.guide_occupied ||
      site.case.gates.some(({ name, ok }) => name === "the wire is accepted" && !ok)));

/** `GUO^MIN` of a DICOM file, as it is spoken. */
export const personName = (name: string | null | undefined): string =>
  (name ?? "").replaceAll("^", " ").trim();

/** `19790225` of a DICOM file as a date. */
export const birthDate = (text: string | null | undefined): string =>
  (text ?? "").replace(/^(\d{4})(\d{2})(\d{2})$/, "$1-$2-$3");

/** What a site needs the surgeon for. Before the operation every confirmation is a signature. */
export const needWord = (site: SiteState, needs: string): string =>
  needs === "confirm" && site.case.number <= 2 ? t("needs_sign") : word("needs", needs);

export const sideWord = (side: Side | string): string => word("side", side);

/** `L3 left`. */
export const screwWord = (screw: { level: string; side: Side | string }): string =>
  t("screw_name", { level: screw.level, side: sideWord(screw.side) });

/** Level and side of a screw's name. */
export function parseScrew(id: string | null | undefined): { level: string; side: Side } | null {
  const match = /^([TLS]\d+)([LR])$/.exec(id ?? "");
  return match ? { level: match[1] ?? "", side: match[2] === "L" ? "left" : "right" } : null;
}

/** What a rule means and what clears it; null for one this page does not know. */
export const ruleWords = (id: string): RuleWords | null => rules[language.current][id] ?? null;

/** A sentence of a process in the page's language, as far as it is known. */
export function local(text: string | null | undefined): string {
  if (!text) return "";
  if (language.current === "en") return text.charAt(0).toUpperCase() + text.slice(1);
  const whole = said[text];
  if (whole) return whole;
  let turned = text;
  for (const [pattern, chinese] of saidWith) turned = turned.replace(pattern, chinese);
  for (const [english, chinese] of PHRASES) turned = turned.replaceAll(english, chinese);
  return turned.replaceAll(/(?<=[\u4e00-\u9fff。]) (?=[\u4e00-\u9fff])/g, "");
}

/** Longest first: a phrase may hold another one. */
const PHRASES = Object.entries(said).sort(([a], [b]) => b.length - a.length);

/** Value and limit of a gate. A condition that is so or not has no figure. */
export function gateFigures(gate: Gate): { value: string; limit: string } {
  const { value, limit, unit } = gate;
  if (typeof value === "boolean" || (!unit && limit === 1 && (value === 0 || value === 1)))
    return { value: t(gate.ok ? "yes" : "no"), limit: "" };
  return { value: figure(value, unit), limit: limit === null ? "" : figure(limit, unit) };
}

export function figure(
  value: number | string | boolean | null | undefined,
  unit?: string | null,
): string {
  if (value === null || value === undefined) return NONE;
  const sign = unit === "deg" || unit === "°" ? "°" : unit ? ` ${unit}` : "";
  if (typeof value !== "number") return `${value}${sign}`;
  const places = Number.isInteger(value) ? 0 : Math.abs(value) < 10 ? 2 : 1;
  return `${fixed(value, places)}${sign}`;
}

/** The unit of an alarm that names none. */
const UNITS: Record<string, string> = {
  "the reference moved against the surveillance marker": "mm",
  "guide and reference are not seen together": "ms",
};

/** Cause, figures and remedy of an alarm, each said once. */
export function alarmWords(alarm: OrthoAlarm): {
  cause: string;
  value: string;
  limit: string;
  clears: string;
} {
  // a refusal has its figures, with their unit, in its sentence
  const refusal = /^O-\d{3}: /.test(alarm.cause);
  const cause = sentence(alarm.cause, alarm.clears);
  const unit = alarm.unit ?? UNITS[alarm.cause];
  const text = (value: OrthoAlarm["value"]) =>
    refusal || value === null || value === undefined ? "" : figure(value, unit);
  return {
    cause: local(cause),
    value: text(alarm.value),
    limit: text(alarm.limit),
    clears: local(alarm.clears),
  };
}

export type Tone = "good" | "near" | "bad" | "none";

/** How much bone is left round a screw, against what is asked for it. */
export function marginTone(screw: Screw): Tone {
  const margin = screw.margin_mm;
  if (margin === null || margin === undefined) return "none";
  const asked = screw.level.startsWith("T") ? 0.5 : 1;
  if (margin < 0) return "bad";
  return margin < asked ? "near" : "good";
}

/** A value with its uncertainty: `1.2 ± 0.3`. */
export const withError = (value: number | null, error: number | null, places = 1): string =>
  value === null
    ? NONE
    : error === null
      ? fixed(value, places)
      : `${fixed(value, places)} ± ${fixed(error, places)}`;
