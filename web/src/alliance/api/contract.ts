/**
 * What the hub sends and takes, as far as the page uses it: the entities of crates/alliance/src/entity
 * in their readable form, and the answers of crates/hub/src/http. Times are RFC 3339 in UTC, days are
 * `2026-11-20`, slots are quarters of an hour since 1970-01-01T00:00Z.
 */

export interface Me {
  person: string;
  name: string;
  org: string;
  roles: string[];
  strength: "passkey" | "oidc" | "machine" | "recovery";
  /** When the session ends by itself. */
  expires: string | null;
  simulated: boolean;
}

export interface Passkey {
  id: string;
  enrolled: string;
  /** It is kept by the maker of the device too. */
  backed_up: boolean;
}

export interface Listed<T> {
  items: T[];
  next: string | number | null;
}

export interface Slots {
  from: number;
  until: number;
}

export interface Org {
  id: string;
  name: string;
  name_local: string;
  kind: "hospital" | "operator" | "supplier";
  state: "invited" | "member" | "suspended" | "left";
  until: string;
  contact_24h: string;
}

export interface Site {
  id: string;
  org: string;
  name: string;
  name_local: string;
  zone: string;
  geo: { latitude_udeg: number; longitude_udeg: number };
  region: string;
  jurisdiction: string;
  /** 1 = poorest fifth .. 5 = best fifth. */
  quintile: number;
  open: boolean;
}

export interface Room {
  id: string;
  site: string;
  name: string;
}

export interface Licence {
  jurisdiction: string;
  site: string | null;
  until: string;
  register: string;
}

export interface Person {
  id: string;
  org: string;
  name: string;
  roles: string[];
  languages: string[];
  licences: Licence[];
  suspended: { since: string; reason: string } | null;
  active: boolean;
}

export interface Privilege {
  id: string;
  surgeon: string;
  procedure: string;
  robot_model: string;
  role: "remote_lead" | "local_standby" | "mentor" | "proctor";
  state: "applied" | "granted" | "refused" | "suspended" | "revoked";
  from: string;
  until: string;
  evidence: { kind: string; count: number; from: string; until: string; by: string }[];
  cases: string[];
}

/** `/v1/surgeons/{id}/currency`, for people of the own hospital. */
export interface Currency {
  surgeon: string;
  drills: { last_live: string | null; simulator: string[] } | null;
  privileges: { privilege: Privilege; findings: Finding[] }[];
}

export interface Device {
  id: string;
  site: string;
  model: string;
  serial: string;
  firmware: string;
  state: "ready" | "out_of_service" | "retired";
  maintenance: Slots[];
  /** The thumbprint of its key. */
  key: string;
}
export interface Robot extends Device {
  room: string | null;
  checked_until: string;
}
export type Console = Device;

export interface Path {
  id: string;
  /** The surgeon's end. */
  a: string;
  /** The patient's end. */
  b: string;
  medium: string;
  provider: string;
  diversity_group: string;
  lanes: number;
  open: boolean;
}

export interface Survey {
  rtt_p50_us: number;
  rtt_p99_us: number;
  rtt_p999_us: number;
  jitter_p99_us: number;
  loss_ppm: number;
  longest_gap_us: number;
}

export interface Qualification {
  id: string;
  path: string;
  class: string;
  grade: "fail" | "conditional" | "pass";
  reasons: string[];
  until: string;
  survey: Survey;
}

export interface Agreement {
  id: string;
  parties: string[];
  scope: string[];
  from: string;
  until: string;
  ended: string | null;
  signed: Record<string, string>;
  responsibilities: Record<string, string>;
}

export interface Phases {
  pre: number;
  remote: number;
  post: number;
}

export interface Procedure {
  code: string;
  name: string;
  class: string;
  phases: Phases;
  tier: string;
}

export interface Directory {
  orgs: Org[];
  sites: Site[];
  rooms: Room[];
  people: Person[];
  privileges: Privilege[];
  robots: Robot[];
  consoles: Console[];
  paths: Path[];
  qualifications: Qualification[];
  agreements: Agreement[];
  procedures: Procedure[];
}

export type CaseState =
  | "referred"
  | "triaged"
  | "eligible"
  | "scheduled"
  | "consented"
  | "briefed"
  | "granted"
  | "live"
  | "closed"
  | "withdrawn";

export interface Case {
  id: string;
  site: string;
  pseudonym: string;
  procedure: string;
  urgency: "elective" | "soon" | "urgent" | "emergency";
  due: string;
  phases: Phases;
  region: string;
  referred: string;
  state: CaseState;
  triage: { by: string; at: string; fit: boolean; urgency: string; due: string } | null;
  team: Record<"surgeon" | "standby" | "anaesthetist" | "nurse" | "engineer", string | null>;
  booking: string | null;
  consent: string | null;
  consents: string[];
  briefing: { at: string; local: string; remote: string; ticked: string[] } | null;
  grant: string | null;
  session: string | null;
  incidents: string[];
  outcome: OutcomeSummary | null;
  eligible: boolean;
  version: number;
}

export interface OutcomeSummary {
  conversion: "none" | "local" | "open";
  clavien_30d: string | null;
  clavien_90d: string | null;
  blood_ml: number | null;
  operating_min: number;
  remote_min: number;
  screws: number[];
  died_30d: boolean | null;
  steps_local: number;
  steps: number;
  prom_change: number | null;
}

/** A case that is over: `/v1/cases?closed=1`, or one of them by its id. */
export interface ClosedCase {
  id: string;
  state: "closed" | "withdrawn";
  site: string;
  procedure: string;
  region: string;
  surgeon: string | null;
  standby: string | null;
  robot: string | null;
  centre: string | null;
  urgency: Case["urgency"];
  end: "remote" | "taken_over" | "withdrawn";
  referred: string;
  done: string;
  closed: string;
  outcome: OutcomeSummary | null;
  session: string | null;
  version: number;
}

/** A case that is over in the shape of one that is not. */
export function whole(one: Case | ClosedCase): Case {
  if ("team" in one) return one;
  return {
    ...one,
    pseudonym: "",
    due: one.done.slice(0, 10),
    phases: { pre: 0, remote: 0, post: 0 },
    triage: null,
    team: {
      surgeon: one.surgeon,
      standby: one.standby,
      anaesthetist: null,
      nurse: null,
      engineer: null,
    },
    booking: null,
    consent: null,
    consents: [],
    briefing: null,
    grant: null,
    incidents: [],
    eligible: false,
  };
}

/** `/v1/cases/{id}/eligibility`: what was asked for or guessed, and every rule. */
export interface Eligibility {
  request: Request;
  findings: Finding[];
}

/** `/v1/schedule:explain`: why not. */
export interface Explanation {
  possible: boolean;
  request: Request | null;
  findings: Finding[];
  missing?: string;
}

export interface Finding {
  rule: string;
  ok: boolean;
  what: string;
  value: string;
  limit: string;
  satisfy: string;
}

export interface ConsentForm {
  version: number;
  languages: string[];
  from: string;
  until: string;
  valid_days: number;
}

export interface Consent {
  id: string;
  case: string;
  version: number;
  language: string;
  scopes: string[];
  signed: string;
  explained_by: string;
  withdrawn: string | null;
}

export interface Claim {
  /** `robot/r-1`, `path/p-1/0`. */
  resource: string;
  slots: Slots;
}

/** What a case asks for. */
export interface Request {
  surgeon: string;
  standby: string;
  robot: string;
  console: string;
  room: string;
  /** Primary first. */
  paths: string[];
  start: number;
  phases: Phases;
}

export interface Hold {
  id: string;
  case: string;
  request: Request;
  claims: Claim[];
  until: string;
}

export interface Booking {
  id: string;
  case: string;
  request: Request;
  claims: Claim[];
  published: boolean;
  wait_risk_ppm: number | null;
  moved: number;
  version: number;
}

export interface Grant {
  id: string;
  session: string;
  case: string;
  robot: string;
  robot_serial: string;
  console: string;
  console_key: string;
  people: [string, string][];
  procedure: string;
  rtt_max_us: number;
  consent_hash: string;
  plan_hash: string;
  epoch_base: number;
  window: { from: string; until: string };
  state: "proposed" | "issued" | "revoked";
  proposed_by: string;
  cosigned_by: string | null;
  revoked: string | null;
}

/** `"nobody"`, `"local"` or `{ remote: person }`. */
export type Owner = "nobody" | "local" | { remote: string };

export interface SessionEvent {
  seq: number;
  at: string;
  /** The name alone, or the name with its fields. */
  what: string | Record<string, Record<string, unknown>>;
}

export interface SessionState {
  id: string;
  case: string;
  site: string;
  robot: string;
  grants: string[];
  owner: Owner;
  epoch: number;
  phase: "pre" | "remote" | "post" | null;
  events: SessionEvent[];
  started: string | null;
  ended: string | null;
  taken_over: boolean;
  converted: boolean;
  irregular: number;
}

export interface Drill {
  id: string;
  scenario: string;
  site: string;
  path: string | null;
  people: string[];
  live: boolean;
  score: number;
  passed: boolean;
  at: string;
  reaction_ms: number | null;
}

export interface Incident {
  id: string;
  site: string;
  org: string;
  case: string | null;
  class: string;
  severity: string;
  at: string;
  what: string;
  notes: { at: string; by: string | null; text: string }[];
  reported: boolean;
  closed: string | null;
}

/** A case with everything that hangs on it. */
export interface CaseFile extends Case {
  consents_full?: Consent[];
}

/** A session on the live board: what the site reported last. */
export interface LiveSession extends SessionState {
  /** When the site's last report came, by the hub's clock. */
  heard?: string | null;
}

/** `/v1/benchmarks?measure=&by=`. */
export interface Benchmarks {
  measure: string;
  by: string;
  groups: {
    id: string;
    n: number;
    events: number;
    /** Cases in the order in which they were done: true where the event came. */
    sequence?: boolean[];
  }[];
}

/** `/v1/equity?by=region`. */
export interface Equity {
  regions: {
    region: string;
    quintile: number;
    cases: number;
    per_100k: number | null;
    wait_days_median: number | null;
    travel_avoided_km: number;
  }[];
  months: { month: string; cases: number; steps_local: number; steps: number }[];
  surgeons: { person: string; hours: number; night_hours: number }[];
  deaths_30d: number;
  known_30d: number;
}
