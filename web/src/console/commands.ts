/** What the console's buttons and keys ask for, and why they may not. */

import { t } from "../lib/i18n/locale.svelte";
import type { Station } from "../lib/station.svelte";
import type { Viewer } from "../lib/video/viewer.svelte";
import type { Orders } from "./input.svelte";

const SCALES = [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1.0];

export interface Panels {
  togglePlot(): void;
  help(): void;
}

export class Commands implements Orders {
  readonly #station: Station;
  readonly #viewer: Viewer;
  readonly #panels: Panels;

  constructor(station: Station, viewer: Viewer, panels: Panels) {
    this.#station = station;
    this.#viewer = viewer;
    this.#panels = panels;
  }

  swap(): void {
    void this.#station.act("swap_arms");
  }

  hold(): void {
    void this.#station.act("hold");
  }

  /** To the next step of the list, up or down. */
  scale(steps: number): void {
    const now = this.#station.state?.scale;
    if (now === null || now === undefined) return;
    const next =
      steps > 0
        ? SCALES.find((scale) => scale > now + 1e-6)
        : SCALES.findLast((scale) => scale < now - 1e-6);
    if (next !== undefined) void this.#station.act("set_scale", { scale: next });
  }

  toggleMono(): void {
    if (this.#viewer.config?.stereo !== "mono") this.#viewer.setMono(!this.#viewer.mono);
  }

  togglePlot(): void {
    this.#panels.togglePlot();
  }

  help(): void {
    this.#panels.help();
  }

  /** Why the hands of this page count for nothing, if so. */
  whyNoHands(): string | null {
    const { state, live } = this.#station;
    if (!state || !live) return t("why_connection");
    if (state.surgeon === "scripted") return t("why_scripted");
    return state.controls ? null : t("why_not_controls");
  }

  whyNoHold(): string | null {
    const { state, live } = this.#station;
    // in doubt about the present state the button works
    if (!state || !live) return null;
    const name = state.guard?.state;
    if (name === "HOLD") return t("why_holding");
    return name === "ARMED" || name === "FOLLOWING" || !name ? null : t("why_not_held");
  }
}
