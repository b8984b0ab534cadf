/**
 * What the planner and the site say to their pages. Units are in the names; points are in the
 * frame of the series (DICOM LPS), millimetres.
 */

export type Point = readonly [number, number, number];
export type Side = "left" | "right";
export type Needs = "register" | "plan" | "approve" | "go" | "confirm" | "verify" | "grade";

export interface Patient {
  name: string;
  id: string;
  birth: string | null;
}

export interface Gate {
  name: string;
  value: number | string | boolean | null;
  limit: number | string | boolean | null;
  unit?: string | null;
  ok: boolean;
}

export interface CaseState {
  state: string;
  /** 0 to 14. */
  number: number;
  since_s: number;
  gates: Gate[];
  /** Since the patient came, minutes; and how long it waited for the surgeon, seconds. */
  minutes?: number | null;
  waited_s?: number | null;
  /** What the time-out's checklist names, head to foot. */
  levels?: string[];
}

export interface RobotState {
  state: string;
  target: string | null;
  guide_error_mm: number | null;
  guide_error_deg: number | null;
  guide_occupied: boolean;
  hold_remote: boolean;
  hold_local: boolean;
  /** What the room is busy with: `scan`, `drill` or nothing. */
  task?: string | null;
}

export interface TrackerState {
  visible: boolean;
  jitter_mm: number | null;
  drift_mm: number | null;
  drift_deg: number | null;
  occluded_ms: number | null;
}

export interface Series {
  uid: string;
  size: [number, number, number];
  spacing_mm: [number, number, number];
  value_range_hu: [number, number];
  registration_allowed: boolean;
  refusal?: string | null;
  box_mm: [Point, Point];
  centre_mm: Point;
}

export interface Registration {
  id: string;
  balls: number;
  fre_mm: number;
  /** Worst predicted error of the planned screws, or in the middle of the image without a plan. */
  tre_mm?: number | null;
  fle_mm: number | null;
  check_points_mm: number[];
  valid: boolean;
  void_because: string | null;
  accepted?: boolean;
}

export interface Screw {
  /** Level and side: `L3L`. */
  id: string;
  level: string;
  side: Side;
  entry_mm: Point;
  tip_mm: Point;
  diameter_mm: number;
  length_mm: number;
  margin_mm: number | null;
  uncertainty_mm: number | null;
  grade: string | null;
  tre_mm: number | null;
  state: string;
  warnings: string[];
}

export interface Signature {
  by: string;
  at: string;
}

export interface PlanVersion {
  version: number;
  by: string;
  what: string;
}

export interface Plan {
  version: number;
  hash: string;
  writer: string | null;
  screws: Screw[];
  approvals: { remote: Signature | null; local: Signature | null };
  history: PlanVersion[];
}

/** How one screw or wire came to lie. */
export interface Verification {
  screw: string;
  entry_mm: number | null;
  target_mm: number | null;
  angle_deg: number | null;
  axial_deg: number | null;
  sagittal_deg: number | null;
  depth_mm: number | null;
  breach_mm: number | null;
  uncertainty_mm: number | null;
  grade: string | null;
  second_grade: string | null;
  flagged: boolean;
  /** `wire` or `screw`. */
  of?: string | null;
}

export interface OrthoAlarm {
  /** `O-011`. */
  id: string;
  cause: string;
  value: number | string | null;
  limit: number | string | null;
  unit?: string | null;
  clears: string;
}

export interface Waiting {
  needs: Needs;
  since_s: number;
  critical: boolean;
}

/** One network to a site. */
export interface Network {
  name: string;
  up: boolean;
  rtt_ms: number | null;
  jitter_ms: number;
  /** The larger share lost of both directions, 0 to 1. */
  loss: number;
}

export interface SiteState {
  id: string;
  name: { en: string; zh: string };
  colour: string;
  patient: Patient | null;
  link: {
    up: boolean;
    rtt_ms: number | null;
    loss: number | null;
    age_ms: number | null;
    /** Each network by itself. */
    paths?: Network[];
  };
  case: CaseState;
  waiting: Waiting | null;
  lease: {
    holder: "none" | "remote" | "local";
    epoch: number;
    expires_ms: number | null;
    /** The remote holder's name, and whom it is offered to; `local` for the local team. */
    by?: string;
    offered_to?: string;
    /** The one whose page this is holds it; it is offered to them. */
    mine?: boolean;
    for_me?: boolean;
  };
  robot: RobotState;
  tracker: TrackerState;
  series: Series | null;
  registration: Registration | null;
  plan: Plan | null;
  verify: Verification[];
  alarms: OrthoAlarm[];
  events: { at_s: number; text: string }[];
}

export interface QueueEntry {
  site: string;
  needs: Needs;
  waiting_s: number;
  expected_wait_s: number | null;
  critical: boolean;
}

export interface Confirmed {
  site: string;
  patient: string;
  level: string;
  side: Side;
}

export interface PlannerState {
  type: "state";
  label: string;
  /** Whether this page's hands count; another window controls when not. */
  controls?: boolean;
  /** Whose page this is, and whether they draw and sign the plans. */
  surgeon: { name: string; draws?: boolean };
  /** The other experts at this planner: a robot can be handed to them. */
  others?: string[];
  focus: string | null;
  /** How long the controls stay blank after a switch. */
  blank_ms: number;
  confirmed: Confirmed | null;
  sites: SiteState[];
  queue: QueueEntry[];
}

export interface LocalState {
  type: "state";
  label: string;
  controls?: boolean;
  site: SiteState;
  local: { name: string };
}

export interface OrthoRefusal {
  id?: string | null;
  value?: number | string | null;
  limit?: number | string | null;
  unit?: string | null;
  clears?: string | null;
}

/** The header `x-telehand-plane` of a slice: the centre of the top left pixel, and two unit vectors. */
export interface SlicePlane {
  origin_mm: Point;
  right: Point;
  down: Point;
  pixel_mm: number;
}

export type PlaneName = "axial" | "coronal" | "sagittal" | "along_a" | "along_b" | "across";
