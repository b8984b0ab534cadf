// A stand-in for the processes behind the pages: invented states and three seconds of an invented
// endoscope, over the same HTTP and WebSocket contract. For the pages' development and tests;
// nothing of it is in the product.
//   npm run mock                      every page, addresses printed
//   SCENARIO=hold npm run mock        start in a scenario (see SCENARIOS here and in theatre.mjs)
import { fileURLToPath } from "node:url";
import { DIST, now_us, serve } from "./http.mjs";
import { Theatre, THEATRES } from "./theatre.mjs";

/** Changes to the ward; each begins from a fresh, armed one. */
export const SCENARIOS = {
  armed: () => ({}),
  local: () => ({ state: "LOCAL", authority: "bedside" }),
  off: () => ({ state: "OFF", authority: "bedside" }),
  following: () => ({ state: "FOLLOWING", pinned: true }),
  hold: () => ({
    state: "HOLD",
    authority: "held",
    cause: "G-003",
    alarms: [["G-003", 0.131, 0.1, false]],
    pinned: true,
  }),
  force: () => ({
    state: "HOLD",
    authority: "held",
    cause: "G-036",
    force: 1.72,
    pinned: true,
    alarms: [
      ["G-036", 1.72, 1.6, true],
      ["G-050", 1, 2, true],
      ["G-012", 0.071, 0.06, false],
    ],
    fibre: false,
  }),
  link_down: () => ({
    link: "down",
    state: "FOLLOWING",
    silent_since: Date.now(),
    pinned: true,
    pictures: false,
  }),
  one_path: () => ({
    fibre: false,
    state: "FOLLOWING",
    pinned: true,
    alarms: [["G-050", 1, 2, true]],
  }),
  handshaking: () => ({ link: "handshaking", guardless: true, pictures: false }),
  stop: () => ({
    state: "SAFE_OFF",
    authority: "held",
    cause: "G-006",
    alarms: [["G-006", 0, 0, true]],
  }),
  frozen: () => ({
    picture: "frozen",
    pictures: false,
    state: "HOLD",
    authority: "held",
    cause: "G-041",
    alarms: [["G-041", 0.42, 0.3, true]],
    pinned: true,
  }),
  late: () => ({ late_us: 130_000 }),
  no_picture: () => ({ pictures: false }),
};
const NAMES = {
  "G-003": "link_silent",
  "G-005": "take_over",
  "G-006": "stop",
  "G-009": "power_off",
  "G-010": "link_not_ready",
  "G-011": "remote_hold",
  "G-012": "command_too_old",
  "G-036": "force",
  "G-041": "picture_frozen",
  "G-050": "one_path_left",
};
const CRTK = {
  OFF: "DISABLED",
  LOCAL: "ENABLED",
  ARMED: "PAUSED",
  FOLLOWING: "ENABLED",
  HOLD: "PAUSED",
  SAFE_OFF: "FAULT",
};

/** The invented patient side that both pages look at. */
class Ward {
  constructor(scenario = "armed", settings = {}) {
    this.settings = { stereo: "sbs", surgeon: "manual", demo: true, controls: true, ...settings };
    this.play(scenario);
  }

  play(scenario) {
    const change = SCENARIOS[scenario];
    if (!change)
      throw new Error(`no scenario ${scenario}; there are ${Object.keys(SCENARIOS).join(", ")}`);
    Object.assign(
      this,
      {
        state: "ARMED",
        authority: "remote",
        cause: null,
        alarms: [],
        force: 0.34,
        pinned: false,
        link: "up",
        fibre: true,
        guardless: false,
        picture: "intact",
        pictures: true,
        late_us: 0,
        silent_since: null,
        lease: 12,
        scale: 0.2,
        swapped: false,
        released: true,
        refuse: null,
        hands: null,
        pedals: { follow: false, clutch: false, camera: false },
      },
      change(),
    );
    this.began = Date.now();
    this.heard = { hands: [], actions: [], wan: [], drawn: [] };
  }

  /** A pedal engages when it was seen up before; silence or its release ends it. */
  follow(message) {
    this.hands = message.hands;
    this.pedals = message.pedals;
    if (this.pinned) return;
    const down = message.pedals.follow || message.pedals.camera;
    if (!down) this.released = true;
    if (this.state === "ARMED" || this.state === "HOLD") {
      if (down && this.released && !message.pedals.clutch) this.enter("FOLLOWING", "remote", null);
    } else if (this.state === "FOLLOWING" && !down) this.enter("ARMED", "remote", null);
  }

  enter(state, authority, cause) {
    this.state = state;
    this.authority = authority;
    this.cause = cause;
    if (state === "HOLD" || state === "SAFE_OFF") this.released = false;
    if (state !== "FOLLOWING") this.pinned = false;
  }

  /** A refusal, or null when it was done. */
  act(body) {
    const refused = (code, value = null, limit = null) => ({
      ok: false,
      code,
      name: NAMES[code],
      value,
      limit,
      message: `${code}: refused`,
    });
    if (this.refuse) return this.refuse;
    const { action } = body;
    if (action === "stop") this.enter("SAFE_OFF", "held", "G-006");
    else if (action === "clear_stop") this.enter("OFF", "bedside", null);
    else if (this.state === "SAFE_OFF") return refused("G-006");
    else if (action === "enable") this.enter("LOCAL", "bedside", null);
    else if (action === "disable") this.enter("OFF", "bedside", null);
    else if (this.state === "OFF") return refused("G-009");
    else if (action === "grant") {
      if (this.link !== "up") return refused("G-010", 0.4, 1);
      this.enter("ARMED", "remote", null);
    } else if (action === "take_over") this.enter("LOCAL", "bedside", null);
    else if (action === "hold") this.enter("HOLD", "held", "G-011");
    else if (action === "swap_arms") this.swapped = !this.swapped;
    else if (action === "set_scale") this.scale = body.scale;
    else return { bad: `there is no action ${action}` };
    return null;
  }

  message(side, controls) {
    const t = (Date.now() - this.began) / 1000;
    const wave = (period, size, phase = 0) => size * Math.sin((t / period) * 2 * Math.PI + phase);
    const path = (name, up, delay, jitter) => ({
      name,
      up,
      out_ms: up ? delay + wave(3.1, 0.4) : null,
      in_ms: up ? delay + 0.3 + wave(2.3, 0.4) : null,
      error_ms: 0.7,
      rtt_ms: 2 * delay,
      jitter_ms:
        jitter * (1 + 0.6 * Math.sin(t * 3.1) * Math.sin(t * 7.7) + 0.3 * Math.sin(t * 17)),
      loss_out: name === "5g" ? 0.012 : 0.0001,
      loss_in: name === "5g" ? 0.008 : 0.0002,
      mbit_out: 0.9,
      mbit_in: 2.4,
    });
    const up = this.link === "up";
    const silent_ms = this.silent_since ? Date.now() - this.silent_since : 0;
    const following = this.state === "FOLLOWING" && !this.pedals.clutch;
    const arm = (id, n, force) => ({
      id,
      following: following && (id === "ECM" ? this.pedals.camera : !this.pedals.camera),
      limited: false,
      joints: [0.12 - 0.3 * n, -0.21 + wave(6, 0.04, n), 0.121, 0.3, 0.42 + wave(5, 0.1, n), -0.5],
      jaw_rad: 0.35 + wave(4, 0.3, n),
      force_n: Math.max(0, force + wave(2.7, 0.08, n)),
      tip_mm: [12.1, -3.4, 88.2],
    });
    const drives = this.swapped ? ["PSM2", "PSM1"] : ["PSM1", "PSM2"];
    return {
      type: "state",
      side,
      simulated: true,
      now_us: now_us(),
      controls: controls && this.settings.surgeon === "manual",
      surgeon: this.settings.surgeon,
      link: {
        status: this.link,
        peer: this.link === "handshaking" ? null : side === "console" ? "bedside-1" : "console-1",
        clock_error_ms: up ? 0.8 : null,
        paths: [path("fibre", up && this.fibre, 25.1, 0.3), path("5g", up, 33.4, 2.9)],
      },
      guard: this.guardless
        ? null
        : {
            state: this.state,
            crtk: CRTK[this.state],
            authority: this.authority,
            lease: this.lease,
            hold: this.cause ? { code: this.cause, name: NAMES[this.cause] } : null,
            alarms: this.alarms.map(([code, value, limit, active], i) => ({
              code,
              name: NAMES[code],
              value,
              limit,
              active,
              since_s: t + 1.4 * i,
            })),
            command_age_ms: up ? 26.3 + wave(2, 0.5) : null,
            state_age_ms: 27.1 + silent_ms,
          },
      arms: this.guardless
        ? []
        : [arm("PSM1", 0, 0.12), arm("PSM2", 1, this.force), arm("ECM", 2, 0)],
      hands: side === "console" ? drives.map((id) => ({ arm: id, engaged: following })) : [],
      scale: side === "console" ? this.scale : null,
      picture: {
        state: this.picture,
        age_ms: this.pictures
          ? 62 + wave(1.7, 3) + this.late_us / 1000
          : 62 + Date.now() - this.began,
        shown: this.heard.drawn.length,
        late: 3,
        lost: 1,
        mbit_s: 2.1,
        glass_to_glass_ms: { p50: 64.2, p99: 78.9 },
      },
      demo: side === "console" && this.settings.demo ? { wan: true } : null,
    };
  }
}

/** Starts the servers of every page; port 0 takes free ones. */
export async function startMock({
  scenario,
  settings,
  sides = ["console", "bedside"],
  dist = DIST,
  ports = [0, 0],
  token = "test-token",
} = {}) {
  const ward = sides.includes("planner")
    ? new Theatre(scenario, settings)
    : new Ward(scenario, settings);
  const sites = {};
  for (const [i, side] of sides.entries())
    sites[side] = await serve(ward, side, dist, ports[i], token);
  return {
    ward,
    ...Object.fromEntries(Object.entries(sites).map(([side, { url }]) => [side, url])),
    sites,
    async stop() {
      await Promise.all(Object.values(sites).map((site) => site.stop()));
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const scenario = process.env.SCENARIO;
  const of = (table) => (scenario in table ? scenario : undefined);
  const ward = await startMock({ scenario: of(SCENARIOS), ports: [8100, 8200] });
  const theatre = await startMock({
    scenario: of(THEATRES),
    sides: ["planner", "site"],
    ports: [8300, 8400],
  });
  console.log(`console  ${ward.console}\nbedside  ${ward.bedside}`);
  console.log(`planner  ${theatre.planner}\nsite     ${theatre.site}`);
}
