/** Three clicks for a vertebra: its front, then the narrowest place of the left and right pedicle. */

import type { Point } from "../lib/ortho/contract";
import type { Editor } from "../lib/ortho/editor.svelte";

export const STEPS = ["anterior", "left", "right"] as const;

export class Placing {
  active = $state(false);
  level = $state("L4");
  points = $state.raw<Point[]>([]);
  readonly #editor: Editor;

  constructor(editor: Editor) {
    this.#editor = editor;
  }

  /** What is clicked next. */
  get step(): (typeof STEPS)[number] | null {
    return this.active ? (STEPS[this.points.length] ?? null) : null;
  }

  begin(): void {
    this.points = [];
    this.active = true;
  }

  cancel(): void {
    this.active = false;
    this.points = [];
  }

  /** The last one again. */
  back(): void {
    this.points = this.points.slice(0, -1);
  }

  async click(point: Point): Promise<void> {
    if (!this.active || this.points.length >= STEPS.length) return;
    this.points = [...this.points, point];
    const [anterior_mm, left_mm, right_mm] = this.points;
    if (!anterior_mm || !left_mm || !right_mm) return;
    await this.#editor.suggest(this.level, { anterior_mm, left_mm, right_mm });
    this.cancel();
  }
}
