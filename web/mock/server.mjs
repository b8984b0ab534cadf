// A stand-in for the console and bedside processes: invented states and three seconds of an
// invented endoscope, over the same HTTP and WebSocket contract. For the pages' development and
// tests; nothing of it is in the product.
//   npm run mock                      both pages, addresses printed
//   SCENARIO=hold npm run mock        start in a scenario (see SCENARIOS)
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { WebSocketServer } from "ws";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const DIST = join(HERE, "../../crates/pages/dist");
const CLIP = accessUnits(readFileSync(join(HERE, "clip.h264")));
const FRAME_US = 33_333;
const MEDIA = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
};
const HEADERS = {
  "content-security-policy":
    "default-src 'self'; script-src 'self'; worker-src 'self'; style-src 'self' 'unsafe-inline'; " +
    "img-src 'self' data:; connect-src 'self' ws://127.0.0.1:*; frame-ancestors 'none'; " +
    "base-uri 'none'; form-action 'none'",
  "x-content-type-options": "nosniff",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

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

/** Starts both pages' servers; port 0 takes free ones. */
export async function startMock({
  scenario,
  settings,
  dist = DIST,
  ports = [0, 0],
  token = "test-token",
} = {}) {
  const ward = new Ward(scenario, settings);
  const sites = {};
  for (const [i, side] of ["console", "bedside"].entries())
    sites[side] = await serve(ward, side, dist, ports[i], token);
  return {
    ward,
    console: sites.console.url,
    bedside: sites.bedside.url,
    sites,
    async stop() {
      await Promise.all(Object.values(sites).map((site) => site.stop()));
    },
  };
}

async function serve(ward, side, dist, wanted, token) {
  const server = createServer((request, response) => {
    answer(ward, side, dist, token, request, response).catch((error) => {
      response.writeHead(500);
      response.end(String(error));
    });
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket, head) => {
    if (!known(request, token)) return socket.end("HTTP/1.1 401 Unauthorized\r\n\r\n");
    sockets.handleUpgrade(request, socket, head, (connection) => {
      if (request.url === "/ws/control") control(ward, side, connection);
      else video(ward, connection);
    });
  });
  await new Promise((done) => server.listen(wanted, "127.0.0.1", done));
  const { port } = server.address();
  return {
    url: `http://127.0.0.1:${port}/?token=${token}`,
    /** Drops every connection, as a killed process would; the port stays taken. */
    drop: () => sockets.clients.forEach((client) => client.terminate()),
    async stop() {
      sockets.clients.forEach((client) => client.terminate());
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

const cookieName = (request) => `telehand_token_${request.headers.host?.split(":")[1]}`;
const known = (request, token) =>
  (request.headers.cookie ?? "").includes(`${cookieName(request)}=${token}`);

async function answer(ward, side, dist, token, request, response) {
  const url = new URL(request.url, "http://127.0.0.1");
  const send = (status, body, type = "application/json") => {
    response.writeHead(status, { ...HEADERS, "content-type": type });
    response.end(type === "application/json" ? JSON.stringify(body) : body);
  };
  if (url.searchParams.get("token") === token) {
    response.writeHead(303, {
      ...HEADERS,
      "set-cookie": `${cookieName(request)}=${token}; HttpOnly; SameSite=Strict; Path=/`,
      location: "/",
    });
    return response.end();
  }
  const file = url.pathname === "/" ? `${side}.html` : url.pathname.slice(1);
  if (!url.pathname.startsWith("/api/")) {
    if (url.pathname === "/" && !known(request, token))
      return send(401, "the token is missing or old", "text/plain");
    const path = join(dist, normalize(file));
    try {
      return send(200, await readFile(path), MEDIA[extname(path)] ?? "application/octet-stream");
    } catch {
      return send(404, "there is no such file here", "text/plain");
    }
  }
  if (!known(request, token))
    return send(401, { ok: false, message: "the token is missing or old" });
  if (request.method === "GET" && url.pathname === "/api/state")
    return send(200, ward.message(side, false));
  let body = "";
  for await (const piece of request) body += piece;
  if (url.pathname === "/api/action") {
    const wanted = JSON.parse(body);
    ward.heard.actions.push(wanted);
    const refusal = ward.act(wanted);
    if (refusal?.bad) return send(400, { ok: false, message: refusal.bad });
    return refusal ? send(409, refusal) : send(200, { ok: true });
  }
  if (url.pathname === "/api/wan") {
    if (request.method === "POST") ward.heard.wan.push(JSON.parse(body));
    return send(200, { ok: true, paths: [] });
  }
  send(404, { ok: false, message: "there is no such address" });
}

function control(ward, side, connection) {
  const controls = ward.settings.controls;
  const timer = setInterval(
    () => connection.send(JSON.stringify(ward.message(side, controls))),
    33,
  );
  connection.on("close", () => clearInterval(timer));
  connection.on("message", (text) => {
    const message = JSON.parse(text);
    if (message.type === "ping")
      connection.send(JSON.stringify({ type: "pong", t: message.t, server_us: now_us() }));
    if (message.type === "hands" && controls) {
      ward.heard.hands.push({ at: Date.now(), ...message });
      ward.follow(message);
    }
  });
}

function video(ward, connection) {
  const { stereo } = ward.settings;
  connection.send(
    JSON.stringify({
      type: "config",
      codec: codecOf(CLIP[0]),
      width: 1280,
      height: 480,
      stereo,
      fps: 30,
    }),
  );
  let seq = 0;
  let told = "";
  const timer = setInterval(() => {
    if (ward.picture !== told) {
      told = ward.picture;
      connection.send(JSON.stringify({ type: "picture", state: told, since_us: now_us() }));
    }
    if (!ward.pictures) return;
    const unit = CLIP[seq % CLIP.length];
    const header = Buffer.alloc(32);
    const sent = now_us();
    header.writeUInt32LE(seq, 0);
    header.writeUInt8(seq % CLIP.length === 0 ? 1 : 0, 4);
    header.writeBigUInt64LE(BigInt(sent - 55_000 - ward.late_us), 8);
    header.writeBigUInt64LE(BigInt(sent - 48_000), 16);
    header.writeBigUInt64LE(BigInt(sent), 24);
    connection.send(Buffer.concat([header, unit]));
    seq += 1;
  }, FRAME_US / 1000);
  connection.on("close", () => clearInterval(timer));
  connection.on("message", (text) => ward.heard.drawn.push(JSON.parse(text)));
}

/** A clock of its own, as a process has. */
function now_us() {
  return Math.round(performance.now() * 1000 + 5_000_000_000);
}

/** Splits Annex-B at its access unit delimiters (NAL type 9). */
function accessUnits(bytes) {
  const starts = [];
  for (let i = 0; i + 4 < bytes.length; i += 1)
    if (bytes[i] === 0 && bytes[i + 1] === 0 && bytes[i + 2] === 1 && (bytes[i + 3] & 31) === 9)
      starts.push(bytes[i - 1] === 0 ? i - 1 : i);
  return starts.map((start, i) => bytes.subarray(start, starts[i + 1] ?? bytes.length));
}

/** avc1.PPCCLL from the sequence parameter set. */
function codecOf(unit) {
  for (let i = 0; i + 6 < unit.length; i += 1)
    if (unit[i] === 0 && unit[i + 1] === 0 && unit[i + 2] === 1 && (unit[i + 3] & 31) === 7)
      return `avc1.${unit.subarray(i + 4, i + 7).toString("hex")}`;
  throw new Error("the clip has no sequence parameter set");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const mock = await startMock({ scenario: process.env.SCENARIO, ports: [8100, 8200] });
  console.log(`console  ${mock.console}\nbedside  ${mock.bedside}`);
}
