/**
 * The planner's connection, and the guard of a switch of site: nothing that was begun for one site
 * counts for another, and after a switch the controls are blank for a while.
 */

import { nowMs } from "../clock";
import type { Reply } from "../line.svelte";
import type { PlannerState, Side, SiteState } from "./contract";
import { OrthoLine } from "./line.svelte";

/** Blank at least this long after a switch, whatever the process says. */
const BLANK_MS = 1000;
/** A switch that the process neither does nor refuses is forgotten. */
const ASKED_MS = 3000;

export class PlannerLine extends OrthoLine<PlannerState> {
  /** Grows with every switch of site. */
  epoch = $state(0);
  #blank_until = $state(0);
  /** The site asked for and not yet shown. */
  asked = $state<string | null>(null);
  #told: string | null | undefined = undefined;

  get site(): SiteState | null {
    const state = this.state;
    return state?.sites.find((site) => site.id === state.focus) ?? null;
  }

  /** No control works now. */
  get blank(): boolean {
    return this.now_ms < this.#blank_until;
  }

  /** The four things of this site are confirmed since the switch. */
  get confirmed(): boolean {
    const confirmed = this.state?.confirmed;
    return Boolean(confirmed && confirmed.site === this.state?.focus && !this.blank);
  }

  /** Confirmed for this screw. */
  confirmedFor(screw: { level: string; side: Side } | null): boolean {
    const confirmed = this.state?.confirmed;
    if (!this.confirmed || !confirmed || !screw) return false;
    return confirmed.level === screw.level && confirmed.side === screw.side;
  }

  /** Turns to another site: blank at once, not only when the process has answered. */
  async focus(id: string): Promise<void> {
    if (this.asked !== null || id === this.state?.focus) return;
    this.asked = id;
    this.#switched(ASKED_MS);
    const reply = await this.order("focus", { site: id });
    if (!reply?.ok && this.asked === id) {
      this.asked = null;
      this.#blank_until = Math.min(this.#blank_until, nowMs() + BLANK_MS);
    }
  }

  /**
   * A command for the focused site, from a press that began in `epoch`. Dropped, not kept, when the
   * site was switched since, or the controls are blank.
   */
  async command(epoch: number, action: string, more: object = {}): Promise<Reply | null> {
    const focus = this.state?.focus;
    if (epoch !== this.epoch || this.blank || !focus) return null;
    return this.order(action, { site: focus, ...more });
  }

  /** A stop is never kept back. */
  async stop(): Promise<void> {
    const focus = this.asked ?? this.state?.focus;
    if (focus) await this.order("stop", { site: focus });
  }

  /** An edit of the plan: the caller says what a refusal means. */
  async edit(epoch: number, action: string, more: object): Promise<Reply | null> {
    const focus = this.state?.focus;
    if (epoch !== this.epoch || this.blank || !focus) return null;
    return this.ask(action, { site: focus, ...more });
  }

  protected override received(state: PlannerState): void {
    state.sites ??= [];
    state.queue ??= [];
    for (const site of state.sites) sane(site);
    if (this.#told === undefined) this.#told = state.focus;
    if (state.focus !== this.#told) {
      this.#told = state.focus;
      this.#switched(BLANK_MS);
      if (this.asked === state.focus) this.#blank_until = nowMs() + BLANK_MS;
      this.asked = null;
    }
    if (state.blank_ms > 0)
      this.#blank_until = Math.max(this.#blank_until, nowMs() + state.blank_ms);
    if (this.asked !== null && nowMs() > this.#blank_until) this.asked = null;
  }

  #switched(blank_ms: number): void {
    this.epoch += 1;
    this.#blank_until = Math.max(this.#blank_until, nowMs() + blank_ms);
    // a key that is down now must find nothing to press when the controls come back
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  }
}

/** Fields that an early state may lack. */
export function sane(site: SiteState): void {
  site.verify ??= [];
  site.alarms ??= [];
  site.events ??= [];
  site.case.gates ??= [];
  if (site.plan) {
    site.plan.screws ??= [];
    site.plan.history ??= [];
    site.plan.approvals ??= { remote: null, local: null };
  }
}
