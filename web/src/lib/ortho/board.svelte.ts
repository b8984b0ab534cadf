/** What the views of one series share: cross-hair, window, selected screw; and each view's frame. */

import type { PlaneName, Plan, Point, Screw, Series, SlicePlane } from "./contract";
import {
  add,
  type Axes,
  dot,
  type Frame,
  isOrthogonal,
  length,
  normal,
  scale,
  STANDARD,
  sub,
  toPoint,
  unit,
} from "./geometry";

export interface Window {
  centre_hu: number;
  width_hu: number;
}

export const WINDOWS = {
  bone: { centre_hu: 400, width_hu: 1800 },
  soft: { centre_hu: 50, width_hu: 400 },
  metal: { centre_hu: 1500, width_hu: 4000 },
} as const;
export type WindowName = keyof typeof WINDOWS;

export const PLANES: PlaneName[] = ["axial", "coronal", "sagittal", "along_a", "along_b", "across"];
const FOV_MM: Record<PlaneName, number> = {
  axial: 110,
  coronal: 150,
  sagittal: 150,
  along_a: 90,
  along_b: 90,
  across: 50,
};
const FOV_MIN_MM = 10;
const FOV_MAX_MM = 400;

export class View {
  readonly name: PlaneName;
  centre = $state.raw<Point>([0, 0, 0]);
  /** Across the smaller side. */
  fov_mm = $state(100);
  width = $state(0);
  height = $state(0);
  axes = $state.raw<Axes>({ right: [1, 0, 0], down: [0, 1, 0] });
  /** Whether `axes` is known to be that of the picture. */
  settled = $state(false);

  constructor(name: PlaneName) {
    this.name = name;
    this.reset([0, 0, 0]);
  }

  reset(centre: Point): void {
    this.centre = centre;
    this.fov_mm = FOV_MM[this.name];
    this.settled = isOrthogonal(this.name);
    this.axes = isOrthogonal(this.name) ? STANDARD[this.name] : STANDARD.axial;
  }

  get frame(): Frame {
    const side = Math.max(1, Math.min(this.width, this.height));
    return {
      ...this.axes,
      centre: this.centre,
      mm_per_px: this.fov_mm / side,
      width: this.width,
      height: this.height,
    };
  }

  /** Keeps the place in the plane and takes the depth of a point. */
  throughPoint(point: Point): void {
    const n = normal(this.axes);
    this.centre = add(this.centre, scale(n, dot(sub(point, this.centre), n)));
  }

  pan(dx: number, dy: number): void {
    const { mm_per_px, right, down, centre } = this.frame;
    this.centre = add(centre, add(scale(right, -dx * mm_per_px), scale(down, -dy * mm_per_px)));
  }

  /** Zooms about a pixel. */
  zoom(factor: number, x = this.width / 2, y = this.height / 2): void {
    const under = toPoint(this.frame, x, y);
    const fov = Math.min(FOV_MAX_MM, Math.max(FOV_MIN_MM, this.fov_mm * factor));
    const real = fov / this.fov_mm;
    this.fov_mm = fov;
    this.centre = add(under, scale(sub(this.centre, under), real));
  }
}

export class Board {
  crosshair = $state.raw<Point>([0, 0, 0]);
  window = $state.raw<Window>(WINDOWS.bone);
  selected = $state<string | null>(null);
  /** An old version drawn beside the plan. */
  compared = $state.raw<{ version: number; screws: Screw[] } | null>(null);
  /** Views along a screw stand still while it is dragged. */
  frozen = $state(false);
  /** The view that fills the place of all. */
  large = $state<PlaneName | null>(null);
  readonly views: Record<PlaneName, View>;
  #series: string | null = null;
  /** The screw that the views along it were last turned to. */
  #along = "";

  constructor() {
    this.views = Object.fromEntries(PLANES.map((name) => [name, new View(name)])) as Record<
      PlaneName,
      View
    >;
  }

  /** Another series or site: everything to the middle, nothing kept of the old one. */
  show(key: string | null, series: Series | null, plan: Plan | null): void {
    if (key === this.#series) return;
    this.#series = key;
    this.compared = null;
    this.large = null;
    this.selected = null;
    this.#along = "";
    const centre = series?.centre_mm ?? [0, 0, 0];
    this.crosshair = centre;
    for (const view of Object.values(this.views)) view.reset(centre);
    const first = plan?.screws[0];
    if (first) this.select(first);
  }

  /** The screw whose views are shown. */
  select(screw: Screw | null): void {
    this.selected = screw?.id ?? null;
    if (!screw) return;
    const middle = scale(add(screw.entry_mm, screw.tip_mm), 0.5);
    this.goto(middle);
    // the same screw again asks for the same cuts: no new ones come to settle on
    const along = JSON.stringify([screw.id, screw.entry_mm, screw.tip_mm]);
    if (along === this.#along) return;
    this.#along = along;
    for (const name of ["along_a", "along_b", "across"] as const) {
      const view = this.views[name];
      view.centre = middle;
      view.settled = false;
    }
  }

  /** Cross-hair and every orthogonal view to a point. */
  goto(point: Point): void {
    this.crosshair = point;
    for (const name of ["axial", "coronal", "sagittal"] as const) this.views[name].centre = point;
  }

  /** The cross-hair, kept in sight: the other views follow in depth. */
  cross(point: Point): void {
    this.crosshair = point;
    for (const name of ["axial", "coronal", "sagittal"] as const)
      this.views[name].throughPoint(point);
  }

  /** One or more slices along the view's normal, of half a millimetre or the given step. */
  step(view: View, steps: number, step_mm: number): void {
    const by = scale(normal(view.axes), steps * step_mm);
    view.centre = add(view.centre, by);
    if (isOrthogonal(view.name)) this.cross(add(this.crosshair, by));
  }

  /** The plane that the process has cut. A view along a screw takes its directions from there. */
  cut(view: View, plane: SlicePlane): void {
    if (isOrthogonal(view.name)) return;
    const same =
      view.settled &&
      length(sub(view.axes.right, plane.right)) < 1e-6 &&
      length(sub(view.axes.down, plane.down)) < 1e-6;
    if (!same) view.axes = { right: unit(plane.right), down: unit(plane.down) };
    view.settled = true;
    view.throughPoint(plane.origin_mm);
  }
}
