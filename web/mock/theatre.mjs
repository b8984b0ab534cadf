// A stand-in for `telehand planner` and `telehand site`: three invented hospitals, one surgeon.
import { judged, screw, SERIES, Site } from "./hospital.mjs";
import { plane, slice } from "./slices.mjs";

const verified = (id, over = {}) => ({
  screw: id,
  of: "wire",
  entry_mm: 0.48,
  target_mm: 0.62,
  angle_deg: 1.1,
  axial_deg: 0.8,
  sagittal_deg: 0.7,
  depth_mm: -0.4,
  breach_mm: 0,
  uncertainty_mm: 0.25,
  grade: "A",
  second_grade: "A",
  flagged: false,
  ...over,
});

function hospitals() {
  return [
    new Site(
      "harbour",
      "Harbour Hospital",
      "海港医院",
      "#3f8cff",
      { name: "Zhou Min", id: "SIM-1042", birth: "1961-04-12" },
      6,
    ).planned(["L3", "L4"]),
    new Site(
      "lakeside",
      "Lakeside Hospital",
      "湖滨医院",
      "#f08a24",
      { name: "Wu Jian", id: "SIM-2077", birth: "1954-11-30" },
      5,
    ).planned(["L4"]),
    new Site(
      "frontier",
      "Frontier Hospital",
      "边城医院",
      "#b06bf0",
      { name: "Aman Sabir", id: "SIM-3115", birth: "1970-01-22" },
      8,
    )
      .planned(["L4", "L5"])
      .approved(),
  ];
}

/** Changes to the three hospitals; each begins from fresh ones. */
export const THEATRES = {
  planning: () => ({}),
  nobody: () => ({ focus: null }),
  grabbed: (t) => {
    const [a] = t.sites;
    Object.assign(a.approved(), { number: 8, holder: "remote", target: "L3L" });
    return { confirmed: { site: a.id, patient: a.patient.id, level: "L3", side: "left" } };
  },
  wire: (t) => {
    const [a] = t.sites;
    Object.assign(a.approved(), {
      number: 11,
      holder: "remote",
      target: "L3L",
      occupied: true,
      critical: true,
      error: 0.14,
    });
    a.plan.screws[0].state = "wire";
    return { confirmed: { site: a.id, patient: a.patient.id, level: "L3", side: "left" } };
  },
  verify: (t) => {
    const [a] = t.sites;
    Object.assign(a.approved(), {
      number: 12,
      holder: "remote",
      target: "L3L",
      error: 0.14,
      verify: [
        verified("L3L"),
        verified("L3R", {
          entry_mm: 1.4,
          target_mm: 2.3,
          angle_deg: 3.2,
          breach_mm: 0.4,
          grade: "B",
          second_grade: "A",
          flagged: true,
        }),
      ],
    });
    return { confirmed: { site: a.id, patient: a.patient.id, level: "L3", side: "left" } };
  },
  offered: (t) => {
    const change = THEATRES.verify(t);
    Object.assign(t.sites[0], { critical: true, by: "Dr Wu", offered_to: "Dr Lin" });
    return { ...change, confirmed: null };
  },
  void: (t) => {
    const [a] = t.sites;
    Object.assign(a.registration, { valid: false, void_because: "the reference moved" });
    a.number = 5;
    a.drift_mm = 1.2;
    a.alarms = [
      {
        id: "O-011",
        cause: "the reference moved",
        value: 1.2,
        limit: 1,
        unit: "mm",
        clears: "Check the reference; if it moved, fix it and register anew.",
      },
      {
        id: "O-001",
        cause: "the registration is void",
        value: null,
        limit: null,
        clears: "Fix the reference, scan and register anew.",
      },
    ];
    return {};
  },
  no_series: (t) => {
    Object.assign(t.sites[0], { series: null, plan: null, registration: null, number: 3 });
    return {};
  },
  thick: (t) => {
    t.sites[0].series = {
      ...SERIES,
      spacing_mm: [0.98, 0.98, 3],
      registration_allowed: false,
      refusal: "slices 3 mm apart, limit 1.25 mm",
    };
    Object.assign(t.sites[0], { registration: null, plan: null, number: 4 });
    return {};
  },
  link_down: (t) => {
    t.sites[0].up = false;
    return {};
  },
};

/** The three hospitals as one surgeon, or the first one's local team, sees them. */
export class Theatre {
  constructor(scenario = "planning", settings = {}) {
    this.settings = { stereo: "sbs", controls: true, ...settings };
    const change = THEATRES[scenario];
    if (!change)
      throw new Error(`no scenario ${scenario}; there are ${Object.keys(THEATRES).join(", ")}`);
    this.sites = hospitals();
    this.frame_ms = 125;
    Object.assign(this, {
      focus: "harbour",
      confirmed: null,
      switched: 0,
      refuse: null,
      slices_fail: null,
      delay_ms: 0,
      keep_blank: false,
      pictures: true,
      picture: "intact",
      late_us: 0,
    });
    Object.assign(this, change(this));
    this.heard = { actions: [], holds: [], slices: [], drawn: [], hands: [], wan: [] };
  }

  site(id) {
    return this.sites.find((one) => one.id === id);
  }

  message(side) {
    const now = Date.now();
    const sites = this.sites.map((one) => one.message(now));
    if (side === "site")
      return {
        type: "state",
        label: "SIMULATED",
        controls: this.settings.controls,
        site: sites[0],
        local: { name: "Dr Aziz" },
      };
    const queue = sites
      .filter((one) => one.waiting)
      .map((one, i) => ({
        site: one.id,
        needs: one.waiting.needs,
        waiting_s: one.waiting.since_s + 40 * i,
        expected_wait_s: 110 * i,
        critical: one.waiting.critical,
      }))
      .sort((a, b) => Number(b.critical) - Number(a.critical));
    return {
      type: "state",
      label: "SIMULATED",
      controls: this.settings.controls,
      surgeon: { name: "Dr Lin", draws: true },
      others: ["Dr Wu"],
      focus: this.focus,
      blank_ms: this.keep_blank ? 500 : Math.max(0, 1000 - (now - this.switched)),
      confirmed: this.confirmed,
      sites,
      queue,
    };
  }

  hear(message) {
    if (message.type !== "hold") return;
    this.heard.holds.push({ at: Date.now(), ...message });
    const site = message.action === "go" ? this.site(message.site) : this.sites[0];
    const until = message.on ? Date.now() + 200 : 0;
    if (message.action === "enable") {
      site.local_until = until;
      site.local_auto = false;
    } else if (site.holder === "remote") {
      site.remote_until = until;
      if (message.on) site.target = message.screw;
    }
  }

  /** A refusal, or null when it was done. */
  act(body, side) {
    const refused = (message, id = null, more = {}) => ({
      ok: false,
      message,
      refusal: { id, value: null, limit: null, clears: "", ...more },
    });
    if (this.refuse) return this.refuse;
    const site = side === "site" ? this.sites[0] : this.site(body.site);
    if (!site) return { bad: "which site?" };
    const surgeon = side === "planner";
    const { action } = body;
    if (action === "focus") {
      this.focus = body.site;
      this.confirmed = null;
      this.switched = Date.now();
      return null;
    }
    if (surgeon && body.site !== this.focus && action !== "stop")
      return refused("the command is for another site", "O-004");
    if (action === "confirm") {
      const right =
        body.patient === site.patient.id &&
        site.plan?.screws.some((one) => one.level === body.level && one.side === body.side);
      if (!right) return refused("hospital, patient, level and side are not confirmed", "O-009");
      this.confirmed = { site: site.id, patient: body.patient, level: body.level, side: body.side };
      return null;
    }
    return this.plans(body, site, refused) ?? this.moves(body, site, surgeon);
  }

  plans(body, site, refused) {
    const { action } = body;
    if (!["plan_set", "plan_try", "plan_remove", "suggest"].includes(action)) return null;
    site.plan ??= {
      version: 0,
      writer: "Dr Lin",
      screws: [],
      approvals: { remote: null, local: null },
      history: [],
    };
    const { plan } = site;
    if (body.version !== plan.version)
      return refused(
        `the plan is at version ${plan.version}, the edit was made on ${body.version}`,
        null,
        { value: body.version, limit: plan.version },
      );
    if (action === "plan_try") {
      const old = plan.screws.find((one) => one.id === body.screw.id);
      return { done: true, more: { screw: judged({ ...old, ...body.screw }) } };
    }
    if (action === "plan_set") {
      const at = plan.screws.findIndex((one) => one.id === body.screw.id);
      const fresh = {
        ...screw(body.screw.id.slice(0, -1), body.screw.id.endsWith("L") ? "left" : "right"),
        ...body.screw,
      };
      if (at < 0) plan.screws.push(fresh);
      else plan.screws[at] = { ...plan.screws[at], ...body.screw };
      site.edited("Dr Lin", `${body.screw.id} moved`);
    } else if (action === "plan_remove") {
      plan.screws = plan.screws.filter((one) => one.id !== body.id);
      site.edited("Dr Lin", `${body.id} removed`);
    } else {
      plan.screws = plan.screws.filter((one) => one.level !== body.level);
      plan.screws.push(screw(body.level, "left"), screw(body.level, "right"));
      plan.screws.sort((a, b) => a.id.localeCompare(b.id));
      site.edited("Dr Lin", `suggested ${body.level}`);
    }
    return { done: true };
  }

  moves(body, site, surgeon) {
    const { action } = body;
    const signed = (by) => ({ by, at: new Date().toISOString() });
    if (action === "approve")
      site.plan.approvals[surgeon ? "remote" : "local"] = signed(surgeon ? "Dr Lin" : "Dr Aziz");
    else if (action === "accept_registration") site.registration.accepted = true;
    else if (action === "grab")
      Object.assign(site, { holder: "remote", number: 8, epoch: site.epoch + 1 });
    else if (action === "hand_off" && body.to !== "local") site.offered_to = body.to;
    else if (action === "read_back") Object.assign(site, { by: undefined, offered_to: "" });
    else if (action === "release" || action === "hand_off")
      Object.assign(site, { holder: action === "release" ? "none" : "local" });
    else if (action === "take_over") Object.assign(site, { holder: "local", remote_until: 0 });
    else if (action === "stop")
      Object.assign(site, {
        remote_until: 0,
        alarms: [
          {
            id: "O-010",
            cause: "the local team stopped the robot",
            value: null,
            limit: null,
            clears: "The local team clears the stop.",
          },
        ],
      });
    else if (action === "wire_in")
      Object.assign(site, { occupied: true, number: 11, critical: true });
    else if (action === "wire_out")
      Object.assign(site, {
        occupied: false,
        number: 12,
        verify: [verified(site.target ?? "L3L")],
      });
    else if (action === "verify") Object.assign(site, { number: 8, critical: false });
    else if (action === "confirm_pose") site.confirmed_pose = true;
    return null;
  }

  /** A slice or a report: what lies beside the state. */
  async document(url) {
    const query = Object.fromEntries(url.searchParams);
    if (url.pathname === "/api/report")
      return {
        type: "text/html; charset=utf-8",
        body: `<!doctype html><title>Report</title><h1>SIMULATED ${query.site}</h1>`,
      };
    if (url.pathname !== "/api/slice") return null;
    this.heard.slices.push(query);
    const site = this.site(query.site);
    if (this.delay_ms) await new Promise((done) => setTimeout(done, this.delay_ms));
    if (this.slices_fail || !site?.series)
      return {
        status: 409,
        type: "application/json",
        body: { ok: false, message: this.slices_fail ?? "there is no series" },
      };
    const where = plane(
      query,
      site.plan?.screws.find((one) => one.id === query.screw),
    );
    if (!where)
      return {
        status: 400,
        type: "application/json",
        body: { ok: false, message: "which screw?" },
      };
    const body = slice(
      where,
      Number(query.width),
      Number(query.height),
      Number(query.centre_hu),
      Number(query.width_hu),
    );
    return { type: "image/png", body, headers: { "x-telehand-plane": JSON.stringify(where) } };
  }
}
