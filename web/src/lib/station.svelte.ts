/** The console's or bedside's connection to its process: state in, hands and buttons out. */

import type { Denied, HandMessage, Pedals, State } from "./contract";
import { measured } from "./format";
import { Histories } from "./history.svelte";
import { causeWords, t } from "./i18n/locale.svelte";
import { Line } from "./line.svelte";

export type { Connection } from "./line.svelte";

export class Station extends Line<State> {
  readonly histories = new Histories();

  /** Hands to the process. */
  sendHands(hands: [HandMessage, HandMessage], pedals: Pedals): void {
    this.send({ type: "hands", hands, pedals });
  }

  /** A button. A refusal becomes a toast; true when the process did it. */
  async act(action: string, more: Record<string, number> = {}): Promise<boolean> {
    return this.#ask("/api/action", { action, ...more });
  }

  /** The emulated network of a demo. */
  async wan(body: Record<string, string | number | null>): Promise<boolean> {
    return this.#ask("/api/wan", body);
  }

  /** What one process cannot know yet it leaves out, or says as a time beyond all time. */
  protected override received(state: State): void {
    state.link ??= { status: "handshaking", peer: null, clock_error_ms: null, paths: [] };
    state.arms ??= [];
    state.hands ??= [];
    const link = state.link;
    link.clock_error_ms = known(link.clock_error_ms);
    for (const path of link.paths) path.error_ms = known(path.error_ms);
    if (state.picture) state.picture.age_ms = known(state.picture.age_ms);
    if (state.guard) state.guard.command_age_ms = known(state.guard.command_age_ms);
  }

  async #ask(path: string, body: object): Promise<boolean> {
    const reply = await this.post(path, body);
    if (reply?.ok) return true;
    if (reply?.status === 409) this.#refused(reply.body as unknown as Denied);
    else this.toastFailed(reply);
    return false;
  }

  #refused(denied: Denied): void {
    const words = causeWords(denied.code, denied.name ?? "refused");
    const figures = measured(denied.code, denied.value, denied.limit);
    const against = figures
      ? ` (${figures.value}, ${t(figures.least ? "alarm_least" : "alarm_limit", { limit: figures.limit })})`
      : "";
    const code = denied.code ? `${denied.code} · ` : "";
    this.toast("refused", `${t("refused")} · ${code}${words.what}${against}`, words.clears);
  }
}

/** No delay is a day long. */
const DAY_MS = 8.64e7;

function known(value: number | null | undefined): number | null {
  return value === null || value === undefined || !(value < DAY_MS) ? null : value;
}
