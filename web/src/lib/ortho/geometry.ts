/** Points, planes and screws: where a plane cuts a screw, and where a point lies in a view. */

import type { Point, PlaneName, Screw } from "./contract";

export interface Axes {
  right: Point;
  down: Point;
}

/** A rectangle of a plane, as a view shows it. Pixels are those of the page. */
export interface Frame extends Axes {
  centre: Point;
  mm_per_px: number;
  width: number;
  height: number;
}

export interface Spot {
  x: number;
  y: number;
  /** Distance from the plane, millimetres; positive towards the viewer. */
  out_mm: number;
}

export interface Axis {
  entry_mm: Point;
  tip_mm: Point;
  diameter_mm: number;
}

export const add = (a: Point, b: Point): Point => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
export const sub = (a: Point, b: Point): Point => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const scale = (a: Point, k: number): Point => [a[0] * k, a[1] * k, a[2] * k];
export const dot = (a: Point, b: Point): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const cross = (a: Point, b: Point): Point => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
export const length = (a: Point): number => Math.sqrt(dot(a, a));
export const unit = (a: Point): Point => {
  const n = length(a);
  return n > 1e-9 ? scale(a, 1 / n) : [0, 0, 1];
};

/** As radiologists look: the patient's right on the left of the screen, the front above. */
export const STANDARD: Record<"axial" | "coronal" | "sagittal", Axes> = {
  axial: { right: [1, 0, 0], down: [0, 1, 0] },
  coronal: { right: [1, 0, 0], down: [0, 0, -1] },
  sagittal: { right: [0, 1, 0], down: [0, 0, -1] },
};

export const isOrthogonal = (name: PlaneName): name is "axial" | "coronal" | "sagittal" =>
  name in STANDARD;

/** Into the screen. */
export const normal = (axes: Axes): Point => cross(axes.right, axes.down);

export function toSpot(frame: Frame, point: Point): Spot {
  const from = sub(point, frame.centre);
  return {
    x: frame.width / 2 + dot(from, frame.right) / frame.mm_per_px,
    y: frame.height / 2 + dot(from, frame.down) / frame.mm_per_px,
    out_mm: -dot(from, normal(frame)),
  };
}

/** The point of the plane at a pixel. */
export function toPoint(frame: Frame, x: number, y: number): Point {
  const u = (x - frame.width / 2) * frame.mm_per_px;
  const v = (y - frame.height / 2) * frame.mm_per_px;
  return add(frame.centre, add(scale(frame.right, u), scale(frame.down, v)));
}

const STATIONS = 28;

/**
 * Where a plane cuts the cylinder of a screw: a closed outline in pixels, or nothing. Exact for the
 * side of the cylinder; each station of the axis gives the two ends of a chord.
 */
export function section(frame: Frame, screw: Axis): Spot[] {
  const along = sub(screw.tip_mm, screw.entry_mm);
  const total = length(along);
  if (total < 1e-6) return [];
  const axis = unit(along);
  const radius = screw.diameter_mm / 2;
  const n = normal(frame);
  const [e1, e2] = perpendiculars(axis);
  const [a, b] = [radius * dot(n, e1), radius * dot(n, e2)];
  const reach = Math.hypot(a, b);
  const off0 = -dot(n, sub(screw.entry_mm, frame.centre));
  const slope = -dot(n, axis);
  if (reach < 1e-3 * radius) return circle(frame, screw, axis, off0, slope, total, e1, e2);
  const [from, to] = stations(off0, slope, reach, total);
  if (!(to > from)) return [];
  const one: Spot[] = [];
  const other: Spot[] = [];
  for (let i = 0; i <= STATIONS; i += 1) {
    // denser at the ends, where an ellipse turns
    const s = from + ((to - from) * (1 - Math.cos((Math.PI * i) / STATIONS))) / 2;
    const middle = Math.atan2(b, a);
    const half = Math.acos(Math.max(-1, Math.min(1, (off0 + slope * s) / reach)));
    for (const [angle, list] of [
      [middle - half, one],
      [middle + half, other],
    ] as const)
      list.push(toSpot(frame, onSurface(screw, axis, s, radius, angle, e1, e2)));
  }
  return [...one, ...other.reverse()];
}

/** The part of the axis, from 0 to total, whose circles the plane meets. */
function stations(off0: number, slope: number, reach: number, total: number): [number, number] {
  if (Math.abs(slope) < 1e-9) return Math.abs(off0) <= reach ? [0, total] : [0, 0];
  const ends = [(-reach - off0) / slope, (reach - off0) / slope].sort((p, q) => p - q);
  return [Math.max(0, ends[0] ?? 0), Math.min(total, ends[1] ?? 0)];
}

function circle(
  frame: Frame,
  screw: Axis,
  axis: Point,
  off0: number,
  slope: number,
  total: number,
  e1: Point,
  e2: Point,
): Spot[] {
  const s = Math.abs(slope) < 1e-9 ? 0 : -off0 / slope;
  if (s < 0 || s > total) return [];
  return Array.from({ length: 40 }, (_, i) =>
    toSpot(frame, onSurface(screw, axis, s, screw.diameter_mm / 2, (i * Math.PI) / 20, e1, e2)),
  );
}

function onSurface(
  screw: Axis,
  axis: Point,
  s: number,
  radius: number,
  angle: number,
  e1: Point,
  e2: Point,
): Point {
  const round = add(scale(e1, radius * Math.cos(angle)), scale(e2, radius * Math.sin(angle)));
  return add(add(screw.entry_mm, scale(axis, s)), round);
}

/** Two unit vectors across an axis. */
export function perpendiculars(axis: Point): [Point, Point] {
  const other: Point = Math.abs(axis[2]) < 0.9 ? [0, 0, 1] : [1, 0, 0];
  const e1 = unit(cross(axis, other));
  return [e1, cross(axis, e1)];
}

/** What an implant catalogue offers. */
export const DIAMETERS_MM = [4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5, 8, 8.5] as const;
export const LENGTHS_MM = [25, 30, 35, 40, 45, 50, 55, 60] as const;

export function nearestLength(mm: number): number {
  return LENGTHS_MM.reduce(
    (best, one) => (Math.abs(one - mm) < Math.abs(best - mm) ? one : best),
    LENGTHS_MM[0] as number,
  );
}

export type Grip = "head" | "tip" | "axis";

/** A screw after its head, tip or whole axis was moved: the length stays one of the catalogue. */
export function moved(screw: Axis, grip: Grip, by: Point): Axis {
  const { entry_mm, tip_mm } = screw;
  if (grip === "axis") return { ...screw, entry_mm: add(entry_mm, by), tip_mm: add(tip_mm, by) };
  if (grip === "head") {
    const entry = add(entry_mm, by);
    const long = nearestLength(length(sub(tip_mm, entry_mm)));
    return { ...screw, entry_mm: entry, tip_mm: add(entry, scale(unit(sub(tip_mm, entry)), long)) };
  }
  const wanted = sub(add(tip_mm, by), entry_mm);
  return { ...screw, tip_mm: add(entry_mm, scale(unit(wanted), nearestLength(length(wanted)))) };
}

export function withLength(screw: Axis, mm: number): Axis {
  const axis = unit(sub(screw.tip_mm, screw.entry_mm));
  return { ...screw, tip_mm: add(screw.entry_mm, scale(axis, mm)) };
}

export const axisOf = ({ entry_mm, tip_mm, diameter_mm }: Screw | Axis): Axis => ({
  entry_mm,
  tip_mm,
  diameter_mm,
});

/** How far two screws of one name lie apart, millimetres and degrees. */
export function difference(
  a: Axis,
  b: Axis,
): { entry_mm: number; tip_mm: number; angle_deg: number } {
  const cosine = dot(unit(sub(a.tip_mm, a.entry_mm)), unit(sub(b.tip_mm, b.entry_mm)));
  return {
    entry_mm: length(sub(a.entry_mm, b.entry_mm)),
    tip_mm: length(sub(a.tip_mm, b.tip_mm)),
    angle_deg: (Math.acos(Math.max(-1, Math.min(1, cosine))) * 180) / Math.PI,
  };
}

/** The letters of a direction: L, R (patient), A, P, H, F; two when it is oblique. */
export function letters(direction: Point): string {
  const names = ["LR", "PA", "HF"] as const;
  return direction
    .map((c, i) => ({ size: Math.abs(c), letter: names[i]?.[c > 0 ? 0 : 1] ?? "" }))
    .filter(({ size }) => size > 0.35)
    .sort((p, q) => q.size - p.size)
    .slice(0, 2)
    .map(({ letter }) => letter)
    .join("");
}
