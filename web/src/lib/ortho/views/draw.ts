/** What the views draw on their slices. */

import type { Point, Screw } from "../contract";
import type { Axis, Grip } from "../geometry";

export interface Draw {
  screws: Screw[];
  /** The screw under the hand, as it is drawn until the process has it. */
  draft: (Axis & { id: string }) | null;
  /** Places clicked so far. */
  landmarks: { point: Point; name: string }[];
  /** Handles can be moved; null in a view that only shows. */
  edit: Edit | null;
  /** A screw was clicked. */
  select: (id: string) => void;
}

export interface Edit {
  begin(id: string): boolean;
  move(grip: Grip, by: Point): void;
  end(): void;
  cancel(): void;
  /** A step by the keyboard. */
  nudge(id: string, grip: Grip, by: Point): void;
}
