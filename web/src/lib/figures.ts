/** What the page derives from the state. */

import type { Link, Path, State } from "./contract";

export interface AgeLimits {
  amber_ms: number;
  red_ms: number;
}
/** Of a picture that a hand follows. */
export const PICTURE_LIMITS: AgeLimits = { amber_ms: 150, red_ms: 300 };
/** Of a picture that somebody only watches: a few frames at eight a second. */
export const WATCHED_LIMITS: AgeLimits = { amber_ms: 600, red_ms: 1500 };
export const FORCE_AMBER_N = 0.8;
export const FORCE_RED_N = 1.6;
/** A report of the patient side older than this is called the last known one. */
const REPORT_OLD_MS = 500;

export interface Delays {
  out_ms: number | null;
  back_ms: number | null;
  error_ms: number | null;
}

/** The session runs on every path at once: the fastest one that is up counts. */
export function delays(link: Link | undefined): Delays {
  const up = (link?.paths ?? []).filter((path) => path.up);
  const least = (of: (path: Path) => number | null) => {
    const known = up.map(of).filter((ms): ms is number => ms !== null && Number.isFinite(ms));
    return known.length ? Math.min(...known) : null;
  };
  return {
    out_ms: least((path) => path.out_ms),
    back_ms: least((path) => path.in_ms),
    error_ms: link?.clock_error_ms ?? least((path) => path.error_ms),
  };
}

/** No link, or no report for so long that the state on screen is of the past. */
export function linkLost(state: State | null): boolean {
  if (!state) return false;
  if (state.side === "bedside") return false;
  return state.link.status === "down" || (state.guard?.state_age_ms ?? 0) > REPORT_OLD_MS;
}

/**
 * How fast the instrument may go, metres a second: 2 mm of blind travel in one loop, within 20 and
 * 100 mm/s (SAFETY.md, G-021), with a tenth to spare.
 */
export function tipSpeedLimit(loop_ms: number | null): number {
  if (loop_ms === null || loop_ms <= 0) return 0.018;
  return 0.9 * Math.min(0.1, Math.max(0.02, 0.002 / (loop_ms / 1000)));
}

export type Level = "fresh" | "amber" | "red";

export function ageLevel(age_ms: number | null, limits = PICTURE_LIMITS): Level {
  if (age_ms === null) return "fresh";
  if (age_ms > limits.red_ms) return "red";
  return age_ms > limits.amber_ms ? "amber" : "fresh";
}

export function forceLevel(force_n: number): Level {
  if (force_n >= FORCE_RED_N) return "red";
  return force_n >= FORCE_AMBER_N ? "amber" : "fresh";
}
