/** Why a command of the surgeon would be refused, as far as this page knows; null where it may be tried. */

import { t } from "../lib/i18n/locale.svelte";
import type { Screw, SiteState } from "../lib/ortho/contract";
import type { PlannerLine } from "../lib/ortho/planner.svelte";
import { critical, hospital, screwWord } from "../lib/ortho/words";

export const STATE = {
  TIME_OUT: 2,
  REGISTERED: 5,
  PLANNED: 6,
  APPROVED: 7,
  GRABBED: 8,
  MOVING: 9,
  HELD: 10,
  WIRE_IN: 11,
  VERIFIED: 12,
  SCREWS: 13,
  CLOSED: 14,
} as const;

export type Command =
  | "time_out"
  | "accept_registration"
  | "approve"
  | "grab"
  | "go"
  | "confirm_pose"
  | "verify"
  | "hand_off"
  | "release"
  | "close";

/** The one whose page this is holds the robot. */
export const mine = (site: SiteState): boolean =>
  site.lease.holder === "remote" && site.lease.mine !== false;

/** What keeps every command back. */
export function whyNothing(line: PlannerLine): string | null {
  if (!line.live || !line.state) return t("why_connection");
  if (line.state.controls === false) return t("why_not_controls");
  const site = line.site;
  if (!site) return t("why_no_focus");
  if (line.blank) return t("why_blank");
  if (!site.link.up) return t("why_link_site");
  return null;
}

export function whyNot(command: Command, line: PlannerLine, screw: Screw | null): string | null {
  const nothing = whyNothing(line);
  const site = line.site;
  if (nothing || !site) return nothing;
  if (!line.confirmed && command !== "release") return t("why_confirm");
  const held = mine(site);
  const step = site.case.number;
  switch (command) {
    case "time_out":
      return step === STATE.TIME_OUT ? null : t("why_step");
    case "accept_registration":
      if (!site.registration) return t("registration_none");
      if (!site.registration.valid) return t("registration_void");
      return site.registration.accepted ? t("why_accepted") : null;
    case "approve":
      if (line.state?.surgeon.draws === false) return t("why_not_writer");
      if (!site.plan?.screws.length) return t("plan_none");
      return site.plan.approvals.remote ? t("why_signed") : null;
    case "grab":
      if (held) return t("why_have_robot");
      if (site.lease.holder === "remote") return t("why_other_has", { name: site.lease.by ?? "" });
      if (site.lease.holder === "local") return t("why_local_has");
      return site.plan?.approvals.remote && site.plan.approvals.local
        ? null
        : t("why_two_signatures");
    case "go":
      return whyNoGo(line, site, screw, held);
    case "confirm_pose":
      if (!held) return t("why_grab_first");
      return step === STATE.HELD ? null : t("why_not_there");
    case "verify":
      if (site.lease.holder === "remote" && !held) return t("why_not_mine");
      return step === STATE.VERIFIED && site.waiting?.needs === "verify" ? null : t("why_no_wire");
    case "hand_off":
      return held ? null : t("why_not_mine");
    case "release":
      if (!held) return t("why_not_mine");
      return pinnedAt(line) ? t("why_pinned", { hospital: hospital(site) }) : null;
    case "close":
      return step === STATE.SCREWS || step === STATE.CLOSED ? null : t("why_step");
  }
}

function whyNoGo(
  line: PlannerLine,
  site: SiteState,
  screw: Screw | null,
  held: boolean,
): string | null {
  if (!held) return t("why_grab_first");
  if (site.robot.guide_occupied)
    return t(site.case.number <= STATE.GRABBED ? "why_guide_unknown" : "why_occupied");
  if (!screw) return t("why_select");
  if (!line.confirmedFor(screw)) return t("why_confirm_screw", { screw: screwWord(screw) });
  return null;
}

/** The surgeon's hospital signs, and says that the spoken code is right, by confirming. */
export const signsByConfirming = (site: SiteState): boolean =>
  site.case.number < STATE.TIME_OUT && site.waiting?.needs === "confirm";

/** A wire is in at a site that this surgeon holds: it is not left without a hand-over. */
export function pinnedAt(line: PlannerLine): SiteState | null {
  const site = line.site;
  return site && critical(site) && mine(site) ? site : null;
}

export function whyNoFocus(line: PlannerLine, site: SiteState): string | null {
  if (!line.live) return t("why_connection");
  const pinned = pinnedAt(line);
  return pinned && pinned.id !== site.id ? t("why_pinned", { hospital: hospital(pinned) }) : null;
}
