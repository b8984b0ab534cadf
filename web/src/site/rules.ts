/** Why an action of the local team would be refused, as far as this page knows; null where it may be tried. */

import { t } from "../lib/i18n/locale.svelte";
import type { SiteState } from "../lib/ortho/contract";
import { critical } from "../lib/ortho/words";
import type { SiteLine } from "../lib/ortho/site.svelte";

export type Action =
  | "time_out"
  | "fix_reference"
  | "scan"
  | "check_point"
  | "forget_check_points"
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

/** The steps at which each is asked for. */
const STEPS: Partial<Record<Action, number[]>> = {
  time_out: [0, 1, 2],
  fix_reference: [3],
  scan: [4, 5, 12, 13],
  check_point: [5],
  forget_check_points: [5],
  approve: [6, 7],
  accept_grab: [8, 12],
  enable: [8, 9, 10, 12],
  wire_in: [9, 10],
  wire_out: [11, 12],
  verify: [12],
  insert_screws: [12],
  finish: [13, 14],
};

/** Stopping and taking over have no reason to be kept back: they are not in this table. */
export function whyNot(action: Action, line: SiteLine): string | null {
  const site = line.state?.site;
  if (!line.live || !site) return t("why_connection");
  if (line.state?.controls === false) return t("why_not_controls");
  const step = site.case.number;
  const steps = STEPS[action];
  if (steps && !steps.includes(step)) return t("why_step");
  if (site.robot.task) return t("why_busy");
  if (action === "check_point" && !site.registration) return t("registration_none");
  if (action === "approve") {
    if (!site.plan?.screws.length) return t("plan_none");
    return site.plan.approvals.local ? t("why_signed") : null;
  }
  if (action === "clear_stop")
    return site.robot.state === "stopped" ? null : t("why_not_stopped_robot");
  if (action === "enable" && site.robot.guide_occupied)
    return t(step <= 8 ? "why_accept_first" : "why_occupied");
  if (action === "wire_in" && site.robot.guide_occupied) return t("why_occupied");
  if (action === "park" && critical(site)) return t("why_occupied");
  if (action === "release" && site.lease.holder === "none") return t("holder_none");
  return null;
}

/** What the team does next, by the step of the case. */
export function nextAction(site: SiteState): Action | null {
  const { number } = site.case;
  const open = site.case.gates.length > 0 && site.case.gates.every((gate) => gate.ok);
  if (number <= 2) return "time_out";
  if (number === 12) {
    if (site.robot.guide_occupied) return "wire_out";
    if (site.waiting?.critical || wireUnmeasured(site)) return "scan";
    return open ? "insert_screws" : "accept_grab";
  }
  if (number === 13) return open ? "finish" : "scan";
  const table: Record<number, Action> = {
    3: "fix_reference",
    4: "scan",
    5: "check_point",
    7: "approve",
    8: "accept_grab",
    10: "wire_in",
    11: "wire_out",
  };
  return table[number] ?? null;
}

/** The wire of the target is in and nobody has looked at it with a scan yet. */
const wireUnmeasured = (site: SiteState): boolean =>
  site.plan?.screws.find(({ id }) => id === site.robot.target)?.state === "wire" &&
  !site.verify.some(({ screw }) => screw === site.robot.target);
