/** The connection of planner and site pages: refusals carry an id, a value, a limit and a remedy. */

import { t } from "../i18n/locale.svelte";
import { Line, type Reply } from "../line.svelte";
import type { OrthoRefusal } from "./contract";
import { sentence } from "./sentence";
import { local, ruleWords } from "./words";

export abstract class OrthoLine<S extends { type: "state" }> extends Line<S> {
  /** A button. A refusal becomes a toast. */
  async order(action: string, more: object = {}): Promise<Reply | null> {
    const reply = await this.ask(action, more);
    if (!reply?.ok) this.tell(reply);
    return reply;
  }

  /** The same, silent: the caller says what a refusal means. */
  protected async ask(action: string, more: object): Promise<Reply | null> {
    return this.post("/api/action", { action, ...more });
  }

  tell(reply: Reply | null): void {
    const refusal = reply?.body.refusal as OrthoRefusal | null | undefined;
    if (!reply || reply.status === 400 || reply.status === 401) return this.toastFailed(reply);
    const clears = refusal?.clears ?? "";
    const rule = refusal?.id && refusal.id !== "O-000" ? refusal.id : null;
    const message = sentence(String(reply.body.message ?? ""), clears);
    const what = message ? local(message) : ((rule && ruleWords(rule)?.what) ?? "");
    const id = rule ? `${rule} · ` : "";
    this.toast("refused", `${t("refused")} · ${id}${what}`, local(clears));
  }

  /** A hold-to-run signal. False when there is no connection. */
  hold(action: string, more: object, on: boolean): boolean {
    return this.send({ type: "hold", action, ...more, on });
  }
}
