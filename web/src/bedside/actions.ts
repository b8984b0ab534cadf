/** The bedside's buttons: what each needs, and why it may not be pressed now. */

import type { WordKey } from "../lib/i18n";
import type { Station } from "../lib/station.svelte";

export type Action = "enable" | "disable" | "grant" | "take_over" | "stop" | "clear_stop";

/**
 * Why an action would be refused as far as this page knows; null where it may be tried.
 *
 * Stop and take-over are never kept back by a doubt: a page that hears nothing still sends them.
 */
export function whyNot(action: Action, station: Station): WordKey | null {
  const { state, live } = station;
  const guard = state?.guard;
  if (action === "stop") return live && guard?.state === "SAFE_OFF" ? "why_stopped_already" : null;
  if (action === "take_over" && (!live || !guard)) return null;
  if (!state || !live) return "why_connection";
  if (!guard) return "why_no_state";
  const name = guard.state;
  if (action === "clear_stop") return name === "SAFE_OFF" ? null : "why_not_stopped";
  if (name === "SAFE_OFF") return "why_stopped";
  if (action === "enable") return name === "OFF" ? null : "why_enabled";
  if (action === "disable") return name === "OFF" ? "why_off_already" : null;
  if (action === "take_over") {
    if (name === "OFF") return "why_off";
    return name === "LOCAL" ? "why_have" : null;
  }
  if (name === "OFF") return "why_enable_first";
  if (name !== "LOCAL") return "why_granted";
  return state.link.status === "up" ? null : "why_link";
}
