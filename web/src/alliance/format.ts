/** Times, zones and figures as people read them. */

import { localeTag, t } from "./i18n/words.svelte";

export const SLOT_MS = 15 * 60_000;
export const viewerZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

export const slotTime = (slot: number): Date => new Date(slot * SLOT_MS);
export const slotOf = (time: Date | number): number => Math.floor(Number(time) / SLOT_MS);

const makers = new Map<string, Intl.DateTimeFormat>();
function maker(zone: string | undefined, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${localeTag()} ${zone} ${JSON.stringify(options)}`;
  let made = makers.get(key);
  if (!made) {
    try {
      made = new Intl.DateTimeFormat(localeTag(), { ...options, timeZone: zone });
    } catch {
      // a zone this browser does not know: UTC, and the name of the zone says so
      made = new Intl.DateTimeFormat(localeTag(), { ...options, timeZone: "UTC" });
    }
    makers.set(key, made);
  }
  return made;
}

export const clockTime = (at: Date, zone?: string): string =>
  maker(zone, { hour: "2-digit", minute: "2-digit", hour12: false }).format(at);
export const clockSecond = (at: Date, zone?: string): string =>
  maker(zone, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false }).format(at);
export const day = (at: Date, zone?: string): string =>
  maker(zone, { weekday: "short", day: "numeric", month: "short" }).format(at);
export const date = (at: Date, zone?: string): string =>
  maker(zone, { day: "numeric", month: "short", year: "numeric" }).format(at);
export const dateTime = (at: Date, zone?: string): string =>
  `${day(at, zone)} ${clockTime(at, zone)}`;

/** `2026-11-24` in a zone. */
export function isoDay(at: Date, zone?: string): string {
  const parts = new Intl.DateTimeFormat("en-CA", {
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    timeZone: zone,
  }).formatToParts(at);
  const of = (type: string) => parts.find((part) => part.type === type)?.value ?? "";
  return `${of("year")}-${of("month")}-${of("day")}`;
}

/** Minutes after midnight in a zone. */
export function minuteOfDay(at: Date, zone?: string): number {
  const parts = maker(zone, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).formatToParts(
    at,
  );
  const of = (type: string) => Number(parts.find((part) => part.type === type)?.value ?? 0);
  return (of("hour") % 24) * 60 + of("minute");
}

/** A date of the hub (RFC 3339), or `null` when it is none. */
export function parse(text: string | null | undefined): Date | null {
  if (!text) return null;
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? null : at;
}

/** "3 min ago", "in 2 days". */
export function relative(at: Date, now_ms: number): string {
  const s = Math.round((at.getTime() - now_ms) / 1000);
  const made = new Intl.RelativeTimeFormat(localeTag(), { numeric: "always", style: "short" });
  const size = Math.abs(s);
  if (size < 60) return made.format(s, "second");
  if (size < 3600) return made.format(Math.round(s / 60), "minute");
  if (size < 172_800) return made.format(Math.round(s / 3600), "hour");
  return made.format(Math.round(s / 86_400), "day");
}

export const number = (value: number, places = 0): string =>
  new Intl.NumberFormat(localeTag(), {
    minimumFractionDigits: places,
    maximumFractionDigits: places,
  }).format(value);
export const percent = (fraction: number, places = 1): string =>
  `${number(fraction * 100, places)} %`;

/** A length of time: `2 h 15 min`. */
export function length(minutes: number): string {
  const h = Math.floor(minutes / 60);
  const rest = Math.round(minutes % 60);
  if (h === 0) return `${rest} ${t("unit_min")}`;
  return rest === 0 ? `${h} ${t("unit_h")}` : `${h} ${t("unit_h")} ${rest} ${t("unit_min")}`;
}

/** `4:59`. */
export const countdown = (s: number): string =>
  `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;

/** A zone as people say it: `UTC+8`. */
export function zoneName(zone: string | undefined, at: Date): string {
  const part = maker(zone, { timeZoneName: "shortOffset" })
    .formatToParts(at)
    .find(({ type }) => type === "timeZoneName")?.value;
  return (part ?? "UTC").replace("GMT", "UTC");
}

/** The ISO week of a day: `2026-W48`, by UTC. */
export function isoWeek(at: Date): string {
  const thursday = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()));
  thursday.setUTCDate(thursday.getUTCDate() + 3 - ((thursday.getUTCDay() + 6) % 7));
  const first = Date.UTC(thursday.getUTCFullYear(), 0, 4);
  const week =
    1 +
    Math.round(
      ((thursday.getTime() - first) / 86_400_000 - 3 + ((new Date(first).getUTCDay() + 6) % 7)) / 7,
    );
  return `${thursday.getUTCFullYear()}-W${String(week).padStart(2, "0")}`;
}

/** Monday 00:00 UTC of an ISO week, or `null` when it is none. */
export function mondayOf(week: string): Date | null {
  const found = /^(\d{4})-W(\d{2})$/.exec(week);
  if (!found) return null;
  const [year, number] = [Number(found[1]), Number(found[2])];
  if (number < 1 || number > 53) return null;
  const fourth = new Date(Date.UTC(year, 0, 4));
  const monday = fourth.getTime() - ((fourth.getUTCDay() + 6) % 7) * 86_400_000;
  return new Date(monday + (number - 1) * 7 * 86_400_000);
}
