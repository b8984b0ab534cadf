/** The connection of the page in the operating room. */

import type { LocalState } from "./contract";
import { OrthoLine } from "./line.svelte";
import { sane } from "./planner.svelte";

export class SiteLine extends OrthoLine<LocalState> {
  /** This page never switches: one room, one site. */
  readonly epoch = 0;

  protected override received(state: LocalState): void {
    if (state.site) sane(state.site);
  }
}
