/**
 * Limits of a funnel plot of proportions: exact binomial, interpolated between counts
 * (Spiegelhalter, Stat Med 2005;24:1185-1202).
 */

export interface Limits {
  low: number;
  high: number;
}

/** The proportion that a group of `n` with true rate `p` falls below with probability `tail`, and above. */
export function limits(n: number, p: number, tail: number): Limits {
  return { low: quantile(n, p, tail), high: quantile(n, p, 1 - tail) };
}

/** The interpolated quantile of a binomial proportion, 0..1. */
function quantile(n: number, p: number, at: number): number {
  if (n <= 0 || p <= 0) return 0;
  if (p >= 1) return 1;
  // by logarithms: of thousands of cases the first terms are below every number
  let ln = n * Math.log1p(-p);
  const odds = Math.log(p) - Math.log1p(-p);
  let sum = Math.exp(ln);
  let before = 0;
  let r = 0;
  while (sum < at && r < n) {
    before = sum;
    ln += Math.log((n - r) / (r + 1)) + odds;
    r += 1;
    sum += Math.exp(ln);
  }
  const alpha = sum > before ? (sum - at) / (sum - before) : 0;
  return Math.min(1, Math.max(0, (r - alpha) / n));
}

export interface Group {
  id: string;
  /** Cases. */
  n: number;
  /** Cases with the event. */
  events: number;
}

export type Standing = "inside" | "warn" | "alarm";

/** Where a group stands: outside 95 % is a reason to look, outside 99.8 % to act. */
export function standing({ n, events }: Group, p: number): Standing {
  const rate = n > 0 ? events / n : 0;
  const out = (tail: number): boolean => {
    const { low, high } = limits(n, p, tail);
    return rate > high || rate < low;
  };
  return out(0.001) ? "alarm" : out(0.025) ? "warn" : "inside";
}

/** Where the CUSUM asks for a look: as high as the alliance draws it (crates/alliance, measure). */
export const LOOK = 4.5;

/**
 * A likelihood-ratio CUSUM for a doubling of the odds (Steiner et al., Biostatistics 2000;1:441-452):
 * it rises with events, falls to 0 without, and asks for a look at `limit`; after that it starts anew.
 */
export function cusum(outcomes: boolean[], p: number, limit = LOOK, ratio = 2): number[] {
  const below = 1 - p + ratio * p;
  let at = 0;
  return outcomes.map((event) => {
    if (at >= limit) at = 0;
    at = Math.max(0, at + (event ? Math.log(ratio / below) : -Math.log(below)));
    return at;
  });
}

/** Round steps for an axis from 0 to at least `top`. */
export function ticks(top: number, about = 5): number[] {
  if (!(top > 0)) return [0];
  const raw = top / about;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= raw) ?? 10);
  const found = [];
  for (let i = 0; i * step < top + step * 0.999; i += 1)
    found.push(Number((i * step).toPrecision(12)));
  return found;
}
