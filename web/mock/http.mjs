// The HTTP and WebSocket contract of every page, over whatever plays the process behind it.
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { WebSocketServer } from "ws";

const HERE = fileURLToPath(new URL(".", import.meta.url));
export const DIST = process.env.TELEHAND_DIST ?? join(HERE, "../../crates/pages/dist");
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

/** Serves one page for `ward`; port 0 takes a free one. */
export async function serve(ward, side, dist, wanted, token) {
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
  const send = (status, body, type = "application/json", more = {}) => {
    response.writeHead(status, { ...HEADERS, ...more, "content-type": type });
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
    const refusal = ward.act(wanted, side);
    if (refusal?.done) return send(200, { ok: true, ...refusal.more });
    if (refusal?.bad) return send(400, { ok: false, message: refusal.bad });
    return refusal ? send(409, refusal) : send(200, { ok: true });
  }
  if (url.pathname === "/api/wan") {
    if (request.method === "POST") ward.heard.wan.push(JSON.parse(body));
    return send(200, { ok: true, paths: [] });
  }
  const made = await ward.document?.(url);
  if (made) return send(made.status ?? 200, made.body, made.type, made.headers);
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
    ward.hear?.(message);
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
      fps: ward.frame_ms ? 1000 / ward.frame_ms : 30,
    }),
  );
  let seq = 0;
  let told = "";
  const timer = setInterval(
    () => {
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
    },
    ward.frame_ms ?? FRAME_US / 1000,
  );
  connection.on("close", () => clearInterval(timer));
  connection.on("message", (text) => ward.heard.drawn.push(JSON.parse(text)));
}

/** A clock of its own, as a process has. */
export function now_us() {
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
