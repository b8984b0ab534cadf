/** Numbers as people read them. Fixed widths come from tabular digits, not from padding. */

export const NONE = "–";

export function fixed(value: number | null | undefined, places: number): string {
  return value === null || value === undefined || !Number.isFinite(value)
    ? NONE
    : value.toFixed(places).replace(/^-(0(?:\.0*)?)$/, "$1");
}

/** Milliseconds with a decimal below 100. */
export function ms(value: number | null | undefined): string {
  return fixed(value, value !== null && value !== undefined && Math.abs(value) < 99.95 ? 1 : 0);
}

/** A fraction as per cent, two figures below one per cent. */
export function percent(fraction: number | null | undefined): string {
  if (fraction === null || fraction === undefined) return NONE;
  const value = fraction * 100;
  return fixed(value, value < 1 ? 2 : 1);
}

/** A duration: milliseconds, seconds or minutes. */
export function span(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const s = milliseconds / 1000;
  if (s < 60) return `${s.toFixed(1)} s`;
  return `${Math.floor(s / 60)} min ${String(Math.floor(s % 60)).padStart(2, "0")} s`;
}

export const degrees = (radians: number): number => (radians * 180) / Math.PI;

interface Unit {
  name: string;
  /** How many of it are one SI unit. */
  scale: number;
  places: number;
  /** The value must be at least the limit, not at most. */
  least?: boolean;
}

/** A time that was never measured comes as one beyond all time. */
const HOUR_S = 3600;
const MS: Unit = { name: "ms", scale: 1e3, places: 0 };
const MM: Unit = { name: "mm", scale: 1e3, places: 1 };
const MM_S: Unit = { name: "mm/s", scale: 1e3, places: 0 };
const MILLI: Unit = { name: "mrad | mm", scale: 1e3, places: 1 };

/** The unit of each cause's value, as the guard prints it (crates/guard/src/refusal.rs). */
const UNITS: Record<string, Unit> = {
  "G-003": MS,
  "G-004": MS,
  "G-010": MS,
  "G-012": MS,
  "G-013": MS,
  "G-014": MS,
  "G-020": MILLI,
  "G-021": MM_S,
  "G-022": { name: "°/s", scale: 180 / Math.PI, places: 0 },
  "G-023": MM,
  "G-030": MILLI,
  "G-031": { name: "mrad/s | mm/s", scale: 1e3, places: 0 },
  "G-032": { name: "rad/s² | m/s²", scale: 1, places: 0 },
  "G-033": MILLI,
  "G-034": MM,
  "G-035": MS,
  "G-036": { name: "N", scale: 1, places: 2 },
  "G-037": MM_S,
  "G-040": MS,
  "G-041": MS,
  "G-042": MS,
  "G-050": { name: "", scale: 1, places: 0, least: true },
  "G-051": { name: "/s", scale: 1, places: 0 },
  "G-052": { name: "%", scale: 100, places: 1 },
  "G-053": MS,
  "G-060": MS,
};

export interface Measured {
  value: string;
  limit: string;
  least: boolean;
}

/** A cause's value and limit in its unit; null for a cause that has no number. */
export function measured(
  code: string | null | undefined,
  value: number | null | undefined,
  limit: number | null | undefined,
): Measured | null {
  const unit = code ? UNITS[code] : undefined;
  if (!unit || value === null || value === undefined || limit === null || limit === undefined)
    return null;
  const text = (v: number) =>
    unit === MS && v >= HOUR_S
      ? "> 1 h"
      : `${fixed(v * unit.scale, unit.places)} ${unit.name}`.trim();
  return { value: text(value), limit: text(limit), least: unit.least ?? false };
}
