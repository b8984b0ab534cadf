// One invented hospital: what a site would say of its case, its robot and its plan.
import { LEVELS, PEDICLE, textbook } from "./slices.mjs";

const STATES = [
  "SCHEDULED",
  "CONNECTED",
  "TIME_OUT",
  "REFERENCE_FIXED",
  "SCAN",
  "REGISTERED",
  "PLANNED",
  "APPROVED",
  "GRABBED",
  "MOVING",
  "HELD",
  "WIRE_IN",
  "VERIFIED",
  "SCREWS",
  "CLOSED",
];
const NEEDS = {
  5: "register",
  6: "plan",
  7: "approve",
  8: "go",
  10: "confirm",
  12: "verify",
  13: "grade",
};
export const SERIES = {
  uid: "1.2.826.0.1.3680043.10.1042.1.20261120.3",
  size: [512, 512, 275],
  spacing_mm: [0.49, 0.49, 0.63],
  value_range_hu: [-1000, 3071],
  registration_allowed: true,
  refusal: null,
  box_mm: [
    [-125, -70, -100],
    [125, 110, 70],
  ],
  centre_mm: [0, 15, -18],
};

export const screw = (level, side, over = {}) => ({
  id: `${level}${side === "left" ? "L" : "R"}`,
  level,
  side,
  ...textbook(level, side),
  state: "planned",
  warnings: [],
  ...over,
});

/** What a library of screws and a field of distances would say. */
export function judged(one) {
  const [e, t] = [one.entry_mm, one.tip_mm];
  const s = one.side === "left" ? 1 : -1;
  const k = (PEDICLE.y - e[1]) / (t[1] - e[1] || 1);
  const x = e[0] + (t[0] - e[0]) * k - s * PEDICLE.x;
  const z = e[2] + (t[2] - e[2]) * k - (LEVELS[one.level] ?? 0) - PEDICLE.z;
  const r = one.diameter_mm / 2;
  const margin = Math.min(PEDICLE.width / 2 - Math.abs(x), PEDICLE.height / 2 - Math.abs(z)) - r;
  const length = Math.hypot(...t.map((c, i) => c - e[i]));
  return {
    ...one,
    length_mm: length,
    margin_mm: margin,
    uncertainty_mm: 0.25,
    grade: margin >= 0 ? "A" : margin > -2 ? "B" : margin > -4 ? "C" : "D",
    tre_mm: 0.31 + 0.002 * Math.abs(e[2]),
    warnings: margin < 0 ? ["the screw leaves the pedicle"] : [],
  };
}

/** One invented hospital and its case. */
export class Site {
  constructor(id, en, zh, colour, patient, number) {
    this.began = Date.now();
    Object.assign(this, {
      id,
      name: { en, zh },
      colour,
      patient,
      number,
      up: true,
      rtt_ms: 46,
      loss: 0.002,
      series: SERIES,
      registration:
        number >= 5
          ? {
              id: `reg-${id}-2`,
              balls: 10,
              fre_mm: 0.21,
              fle_mm: 0.23,
              check_points_mm: [0.42, 0.61, 0.38],
              valid: true,
              void_because: null,
              accepted: number > 5,
            }
          : null,
      plan: null,
      holder: "none",
      epoch: 4,
      target: null,
      occupied: false,
      error: null,
      remote_until: 0,
      local_until: 0,
      local_auto: true,
      verify: [],
      alarms: [],
      drift_mm: 0.08,
      visible: true,
      events: [
        { at_s: 4, text: "session up" },
        { at_s: 61, text: "time-out signed by both" },
        { at_s: 420, text: "series received: 275 slices" },
      ],
      critical: false,
    });
  }

  planned(levels) {
    const screws = levels.flatMap((level) => [screw(level, "left"), screw(level, "right")]);
    this.plan = {
      version: 3,
      writer: "Dr Lin",
      screws,
      approvals: { remote: null, local: null },
      history: [
        { version: 1, by: "Dr Lin", what: "suggested L3" },
        { version: 2, by: "Dr Lin", what: "suggested L4" },
        { version: 3, by: "Dr Lin", what: "L4R moved" },
      ],
    };
    return this;
  }

  approved() {
    this.plan.approvals = {
      remote: { by: "Dr Lin", at: "2026-11-20T09:14:03Z" },
      local: { by: "Dr Aziz", at: "2026-11-20T09:15:40Z" },
    };
    return this;
  }

  edited(by, what) {
    const { plan } = this;
    plan.version += 1;
    plan.approvals = { remote: null, local: null };
    plan.history.push({ version: plan.version, by, what });
  }

  get hash() {
    let h = 2166136261n;
    for (const c of JSON.stringify([this.plan?.screws, this.plan?.version, this.id]))
      h = ((h ^ BigInt(c.charCodeAt(0))) * 1099511628211n) & 0xffffffffffffffffn;
    return h.toString(16).padStart(16, "0").repeat(4);
  }

  /** Both hold: the guide comes nearer; then it is there. */
  step(now) {
    const both = now < this.remote_until && (now < this.local_until || this.local_auto);
    if (both && (this.number === 8 || this.number === 9) && !this.occupied) {
      this.number = 9;
      this.error = Math.max(0.14, (this.error ?? 42) * 0.94);
      if (this.error < 0.2) this.number = 10;
    } else if (!both && this.number === 9) this.number = 8;
  }

  gates() {
    const g = (name, value, limit, unit, ok) => ({ name, value, limit, unit, ok });
    if (this.number === 5)
      return [
        g("balls of the plate not identified", 10 - this.registration.balls, 0, "", true),
        g("fiducial registration error", this.registration.fre_mm, 0.5, "mm", true),
        g("predicted target error, worst level", 0.39, 0.7, "mm", true),
        g("check points touched", 2, 3, "", false),
        g("worst check point", 0.61, 1, "mm", true),
      ];
    if (this.number === 6) {
      const worst = Math.min(
        ...(this.plan?.screws.map((one) => judged(one).margin_mm - 1) ?? [-1]),
      );
      return [
        g("the plan belongs to the registration in force", 1, 1, "", true),
        g(
          "screws planned",
          this.plan?.screws.length ?? 0,
          1,
          "",
          Boolean(this.plan?.screws.length),
        ),
        g("bone margin above the required one, worst screw", worst, 0, "mm", worst >= 0),
        g("collisions", 0, 0, "", true),
        g("screws out of the robot's reach", 0, 0, "", true),
      ];
    }
    if (this.number === 7 || this.number === 8)
      return [
        g(
          "the remote surgeon has signed this plan",
          this.plan?.approvals.remote ? 1 : 0,
          1,
          "",
          Boolean(this.plan?.approvals.remote),
        ),
        g(
          "the local surgeon has signed this plan",
          this.plan?.approvals.local ? 1 : 0,
          1,
          "",
          Boolean(this.plan?.approvals.local),
        ),
        g(
          "the surgeon holds the robot",
          this.holder === "remote" ? 1 : 0,
          1,
          "",
          this.holder === "remote",
        ),
      ];
    if (this.number === 9 || this.number === 10)
      return [
        g(
          "guide to plan, measured by the tracker",
          this.error,
          0.3,
          "mm",
          (this.error ?? 9) <= 0.3,
        ),
        g("guide to plan, measured by the tracker", 0.11, 0.3, "deg", true),
        g("the reference moved since registration", this.drift_mm, 0.5, "mm", this.drift_mm < 0.5),
      ];
    if (this.number === 11)
      return [g("the guide is free", this.occupied ? 0 : 1, 1, "", !this.occupied)];
    if (this.number === 12)
      return [
        g("wire to plan", 0.62, 2, "mm", true),
        g("wire to plan", 1.1, 5, "deg", true),
        g("the wire is accepted", 0, 1, "", false),
      ];
    if (this.number === 3)
      return [
        g("the reference was visible", 97.5, 95, "%", true),
        g("the reference was watched", 6, 10, "s", false),
        g("jitter of the reference", 0.07, 0.15, "mm", true),
      ];
    return [];
  }

  message(now) {
    this.step(now);
    const plan = this.plan && {
      ...this.plan,
      hash: this.hash,
      screws: this.plan.screws.map(judged),
    };
    const needs = NEEDS[this.number];
    const since_s = 84 + (now - this.began) / 1000;
    return {
      id: this.id,
      name: this.name,
      colour: this.colour,
      patient: this.patient,
      link: {
        up: this.up,
        rtt_ms: this.up ? this.rtt_ms + Math.sin(now / 900) : null,
        loss: this.loss,
        age_ms: this.up ? 30 : 4200,
        paths: ["fibre", "5g"].map((name, i) => ({
          name,
          up: this.up,
          rtt_ms: this.up ? this.rtt_ms + 8 * i : null,
          jitter_ms: 0.3 + 1.7 * i,
          loss: 0.003 * i,
        })),
      },
      case: {
        state: STATES[this.number],
        number: this.number,
        since_s,
        gates: this.gates(),
        levels: ["L2", "L3", "L4"],
      },
      waiting: needs ? { needs, since_s, critical: this.critical } : null,
      lease: {
        holder: this.holder,
        epoch: this.epoch,
        expires_ms: 1800,
        by: this.holder === "remote" ? (this.by ?? "Dr Lin") : "",
        mine: this.holder === "remote" && !this.by,
        offered_to: this.offered_to ?? "",
        for_me: this.offered_to === "Dr Lin",
      },
      robot: {
        state:
          this.number === 9 ? "moving" : this.number >= 8 && this.number < 13 ? "held" : "parked",
        target: this.target,
        guide_error_mm: this.error,
        guide_error_deg: this.error === null ? null : 0.11,
        guide_occupied: this.occupied,
        hold_remote: now < this.remote_until,
        hold_local: now < this.local_until || (this.local_auto && now < this.remote_until),
      },
      tracker: {
        visible: this.visible,
        jitter_mm: 0.07,
        drift_mm: this.drift_mm,
        drift_deg: 0.05,
        occluded_ms: this.visible ? 0 : 350,
      },
      series: this.series,
      registration: this.registration,
      plan,
      verify: this.verify,
      alarms: this.alarms,
      events: this.events,
    };
  }
}
