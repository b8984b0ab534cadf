// A stand-in for the hub: an invented alliance over the hub's HTTP contract, for the page's
// development and tests; nothing of it is in the product.
//   node mock/alliance.mjs            prints the address
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { alliance } from "./alliance-data.mjs";

const DIST = fileURLToPath(new URL("../../crates/pages/dist", import.meta.url));
const MEDIA = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
};
const HEADERS = {
  "content-security-policy":
    "default-src 'self'; script-src 'self'; worker-src 'self'; style-src 'self' 'unsafe-inline'; " +
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "x-content-type-options": "nosniff",
  "cross-origin-opener-policy": "same-origin",
  "cache-control": "no-store",
};

/** What a refusal looks like on the wire. */
export const refusal = (status, rule, what, value = "", limit = "", satisfy = "") => ({
  status,
  body: { type: "about:blank", title: what, status, rule, what, value, limit, satisfy },
});

export class Hub {
  constructor(settings = {}) {
    this.settings = { signedIn: true, ...settings };
    this.world = alliance(settings);
    this.heard = [];
    /** Paths that fail, and how: a status, "hang" or "silent". */
    this.broken = new Map();
    this.sessions = new Map();
    this.challenges = new Map();
    this.keys = new Map();
    this.answers = new Map();
    this.live = new Set();
  }

  who(request) {
    const cookie = /telehand_session=([\w-]+)/.exec(request.headers.cookie ?? "")?.[1];
    if (cookie && this.sessions.has(cookie)) return this.sessions.get(cookie);
    return null;
  }

  openSession(person) {
    const id = randomBytes(12).toString("hex");
    this.sessions.set(id, person);
    return id;
  }

  async answer(method, url, body, person, request) {
    const path = url.pathname;
    if (path === "/v1/me") return person ? { body: this.world.me(person) } : NOBODY;
    if (!person) return NOBODY;
    if (path === "/v1/directory") return { body: this.world.directory() };
    if (path === "/v1/cases" && method === "GET")
      return { body: { items: this.world.cases, next: null } };
    return { status: 404, body: { title: "there is no such address", status: 404 } };
  }
}

const NOBODY = { status: 401, body: { type: "about:blank", title: "nobody is signed in", status: 401 } };

export async function startAlliance({ settings, port = 0, dist = DIST } = {}) {
  const hub = new Hub(settings);
  const server = createServer((request, response) => {
    serve(hub, dist, request, response).catch((error) => {
      response.writeHead(500);
      response.end(String(error));
    });
  });
  await new Promise((done) => server.listen(port, "127.0.0.1", done));
  const url = `http://localhost:${server.address().port}/`;
  return {
    hub,
    url,
    async stop() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

async function serve(hub, dist, request, response) {
  const url = new URL(request.url, "http://localhost");
  const send = (status, body, type = "application/json", more = {}) => {
    const problem = status >= 400 && type === "application/json";
    response.writeHead(status, {
      ...HEADERS,
      "content-type": problem ? "application/problem+json" : type,
      ...more,
    });
    response.end(type === "application/json" ? JSON.stringify(body) : body);
  };
  if (!/^\/(v1|log|healthz)/.test(url.pathname)) {
    const file = url.pathname === "/" ? "alliance.html" : url.pathname.slice(1);
    const more = {};
    if (url.pathname === "/" && hub.settings.signedIn && !hub.who(request))
      more["set-cookie"] = `telehand_session=${hub.openSession(hub.settings.person ?? hub.world.someone)}; HttpOnly; SameSite=Strict; Path=/`;
    try {
      const path = join(dist, normalize(file));
      return send(200, await readFile(path), MEDIA[extname(path)] ?? "application/octet-stream", more);
    } catch {
      return send(404, "there is no such file here", "text/plain");
    }
  }
  let text = "";
  for await (const piece of request) text += piece;
  const body = text ? JSON.parse(text) : null;
  const { method } = request;
  hub.heard.push({ method, path: url.pathname, query: url.search, body, headers: request.headers });
  const broken = hub.broken.get(url.pathname);
  if (broken === "silent") return request.socket.destroy();
  if (broken === "hang") return;
  if (broken) return send(broken.status ?? broken, broken.body ?? { title: "broken on purpose", status: broken });
  const key = request.headers["idempotency-key"];
  const seen = key ? hub.answers.get(`${key} ${createHash("sha256").update(text).digest("hex")}`) : null;
  const made = seen ?? (await hub.answer(method, url, body, hub.who(request), request));
  if (key) hub.answers.set(`${key} ${createHash("sha256").update(text).digest("hex")}`, made);
  send(made.status ?? 200, made.body, "application/json", made.headers);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const mock = await startAlliance({ port: Number(process.env.PORT ?? 8500) });
  console.log(`alliance ${mock.url}`);
}
