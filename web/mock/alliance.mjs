// A stand-in for the hub: an invented alliance over the hub's HTTP contract, for the page's
// development and tests; nothing of it is in the product.
//   node mock/alliance.mjs            prints the address
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { act, problem } from "./alliance-acts.mjs";
import { alliance } from "./alliance-data.mjs";

const DIST =
  process.env.ALLIANCE_DIST ?? fileURLToPath(new URL("../../crates/pages/dist", import.meta.url));
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
    /** Enrolment links: token to person. */
    this.invitations = new Map([["welcome", "wuhan-p2"]]);
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

  answer(method, url, body, person, request) {
    const path = url.pathname;
    const login = this.#login(method, path, body, request);
    if (login) return login;
    if (!person)
      return problem(401, "nobody is logged in, or the session is over; nothing was done");
    if (path === "/v1/me") return { body: { ...this.world.me(person), ...this.settings.me } };
    if (path === "/v1/me/passkeys")
      return {
        body: {
          items: [...this.keys]
            .filter(([, who]) => who === person)
            .map(([id]) => ({ id, enrolled: this.world.at(0), backed_up: false })),
          next: null,
        },
      };
    if (path === "/v1/me/recovery-codes")
      return { body: { codes: ["aaaa-bbbb-cccc", "dddd-eeee-ffff"] } };
    if (path === "/v1/me:enrol") {
      this.invitations.set("another", person);
      return { body: { link: `http://localhost/#/enrol/another` } };
    }
    return act(this.world, method, path, {
      body,
      query: url.searchParams,
      person,
      headers: request.headers,
    });
  }

  /** Passkeys, as far as a page can tell: the challenge must come back, signatures are not checked. */
  #login(method, path, body, request) {
    if (method !== "POST") return null;
    const challenge = randomBytes(32).toString("base64url");
    const answered = () => {
      const said = JSON.parse(Buffer.from(body.credential.response.clientDataJSON, "base64url"));
      return this.challenges.delete(said.challenge) && said.origin === request.headers.origin;
    };
    const open = (person) => ({
      body: this.world.me(person),
      headers: {
        "set-cookie": `telehand_session=${this.openSession(person)}; HttpOnly; SameSite=Strict; Path=/`,
      },
    });
    if (path === "/v1/login:begin") {
      this.challenges.set(challenge, null);
      return {
        body: {
          id: challenge,
          options: {
            challenge,
            rpId: "localhost",
            userVerification: "required",
            timeout: 300_000,
            allowCredentials: [],
          },
        },
      };
    }
    if (path === "/v1/login:finish") {
      const person = this.keys.get(body.credential.id);
      return answered() && person ? open(person) : problem(401, "this passkey is not known here");
    }
    if (path === "/v1/enrol:begin") {
      const person = this.invitations.get(body.token);
      if (!person) return problem(404, "this link was used, or is over; nothing was done");
      this.challenges.set(challenge, null);
      return {
        body: {
          id: challenge,
          options: {
            challenge,
            rp: { id: "localhost", name: "SIMULATED alliance" },
            user: {
              id: Buffer.from(person).toString("base64url"),
              name: person,
              displayName: person,
            },
            pubKeyCredParams: [-8, -7, -257].map((alg) => ({ type: "public-key", alg })),
            authenticatorSelection: { residentKey: "required", userVerification: "required" },
            attestation: "none",
            excludeCredentials: [],
          },
        },
      };
    }
    if (path === "/v1/enrol:finish") {
      const person = this.invitations.get(body.token);
      if (!person || !answered()) return problem(403, "this passkey does not answer the challenge");
      this.invitations.delete(body.token);
      this.keys.set(body.credential.id, person);
      return open(person);
    }
    if (path === "/v1/login:demo")
      return body.token === "demo-token" && this.world.people.some(({ id }) => id === body.person)
        ? open(body.person)
        : problem(403, "this is for a demonstration with the token it printed; nothing was done");
    if (path === "/v1/login:recover")
      return body.code === "lost-and-found"
        ? { ...open(body.person), body: { person: body.person } }
        : problem(401, "the code is not known, or was used; nothing was done");
    if (path === "/v1/logout") {
      this.sessions.delete(/telehand_session=([\w-]+)/.exec(request.headers.cookie ?? "")?.[1]);
      return { body: {} };
    }
    return null;
  }

  /** The live board: everything at once, then a beat. */
  stream(response) {
    response.writeHead(200, { ...HEADERS, "content-type": "text/event-stream" });
    this.live.add(response);
    response.on("close", () => this.live.delete(response));
    this.tell(response);
  }

  tell(response) {
    const text = `event: sessions\ndata: ${JSON.stringify(this.world.sessions)}\n\n`;
    for (const one of response ? [response] : this.live) one.write(text);
  }
}

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
      more["set-cookie"] =
        `telehand_session=${hub.openSession(hub.settings.person ?? hub.world.someone)}; HttpOnly; SameSite=Strict; Path=/`;
    try {
      const path = join(dist, normalize(file));
      return send(
        200,
        await readFile(path),
        MEDIA[extname(path)] ?? "application/octet-stream",
        more,
      );
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
  if (broken)
    return send(
      broken.status ?? broken,
      broken.body ?? { title: "broken on purpose", status: broken },
    );
  if (url.pathname === "/v1/live" && hub.who(request)) return hub.stream(response);
  const key = request.headers["idempotency-key"];
  const seen = key
    ? hub.answers.get(`${key} ${createHash("sha256").update(text).digest("hex")}`)
    : null;
  const made = seen ?? hub.answer(method, url, body, hub.who(request), request);
  if (key) hub.answers.set(`${key} ${createHash("sha256").update(text).digest("hex")}`, made);
  send(made.status ?? 200, made.body, "application/json", made.headers);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const mock = await startAlliance({ port: Number(process.env.PORT ?? 8500) });
  console.log(`alliance ${mock.url}`);
}
