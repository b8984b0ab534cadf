/** Why an action of the local team would be refused, as far as this page knows; null where it may be tried. */

import { t } from "../lib/i18n/locale.svelte";
import type { SiteLine } from "../lib/ortho/site.svelte";

export type Action =
  | "time_out"
  | "fix_reference"
  | "scan"
  | "check_point"
  | "approve"
  | "accept_grab"
  | "enable"
  | "wire_in"
  | "wire_out"
  | "verify"
  | "insert_screws"
  | "park"
  | "release"
  | "clear_stop"
  | "hand_back"
  | "convert"
  | "finish";

/** The steps at which each is asked for, first and last. */
const STEPS: Partial<Record<Action, [number, number]>> = {
  time_out: [0, 2],
  fix_reference: [2, 4],
  scan: [3, 5],
  check_point: [4, 6],
  approve: [6, 7],
  accept_grab: [7, 8],
  enable: [8, 10],
  wire_in: [9, 10],
  wire_out: [11, 12],
  verify: [12, 12],
  insert_screws: [12, 13],
  finish: [13, 14],
};

/** Stopping and taking over have no reason to be kept back: they are not in this table. */
export function whyNot(action: Action, line: SiteLine): string | null {
  const site = line.state?.site;
  if (!line.live || !site) return t("why_connection");
  if (line.state?.controls === false) return t("why_not_controls");
  const step = site.case.number;
  const range = STEPS[action];
  if (range && (step < range[0] || step > range[1])) return t("why_step");
  if (action === "approve") {
    if (!site.plan?.screws.length) return t("plan_none");
    return site.plan.approvals.local ? t("why_signed") : null;
  }
  if (action === "clear_stop") return site.robot.state === "stopped" ? null : t("why_not_stopped_robot");
  if (action === "enable" && site.robot.guide_occupied) return t("why_occupied");
  if (action === "wire_in" && site.robot.guide_occupied) return t("why_occupied");
  if (action === "park" && site.robot.guide_occupied) return t("why_occupied");
  if (action === "release" && site.lease.holder === "none") return t("holder_none");
  return null;
}

/** What the team does next, by the step of the case. */
export function nextAction(step: number, occupied: boolean): Action | null {
  const table: Record<number, Action> = {
    0: "time_out",
    1: "time_out",
    2: "time_out",
    3: "fix_reference",
    4: "scan",
    5: "check_point",
    7: "approve",
    8: "accept_grab",
    10: "wire_in",
    11: "wire_out",
    13: "insert_screws",
  };
  if (step === 12 && occupied) return "wire_out";
  return table[step] ?? null;
}
