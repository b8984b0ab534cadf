/** Questions to the hub and what it answers: data, a problem, or silence. */

/** A refusal or a failure, as the hub tells it (application/problem+json). */
export interface Problem {
  status: number;
  /** What went wrong, for people. */
  title: string;
  rule: string | null;
  what: string | null;
  value: string | null;
  limit: string | null;
  satisfy: string | null;
  /** The hub did not answer at all. */
  silent: boolean;
}

export class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.title);
  }
}

export interface Answer<T> {
  data: T;
  /** The version of what was read or written, for `If-Match`. */
  etag: string | null;
}

const PATIENCE_MS = 15_000;
/** Called when the hub says that nobody is signed in. */
let signedOut: () => void = () => undefined;
export const onSignedOut = (then: () => void): void => void (signedOut = then);

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await ask<T>("GET", path, undefined, {}, signal)).data;
}

export interface Write {
  /** The same for every repetition of one intent: the hub does it once. */
  key: string;
  etag?: string | null;
}

export async function send<T>(
  method: "POST" | "PUT" | "DELETE",
  path: string,
  body: unknown,
  { key, etag }: Write,
): Promise<Answer<T>> {
  const headers: Record<string, string> = { "idempotency-key": key };
  if (etag) headers["if-match"] = etag;
  return ask<T>(method, path, body, headers);
}

/** A key for one intent. */
export const intent = (): string => crypto.randomUUID();

async function ask<T>(
  method: string,
  path: string,
  body: unknown,
  more: Record<string, string>,
  signal?: AbortSignal,
): Promise<Answer<T>> {
  const headers: Record<string, string> = { accept: "application/json", ...more };
  const sent = body === undefined ? undefined : JSON.stringify(body);
  if (sent !== undefined) headers["content-type"] = "application/json";
  const patience = AbortSignal.timeout(PATIENCE_MS);
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: sent ?? null,
      credentials: "same-origin",
      cache: "no-store",
      signal: signal ? AbortSignal.any([signal, patience]) : patience,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Refused(silence());
  }
  heardAt(response.headers.get("date"));
  const text = await response.text().catch(() => "");
  if (!response.ok) {
    const problem = problemOf(response.status, text);
    if (response.status === 401 && !path.startsWith("/v1/login")) signedOut();
    throw new Refused(problem);
  }
  try {
    return {
      data: (text ? JSON.parse(text) : null) as T,
      etag: response.headers.get("etag"),
    };
  } catch {
    throw new Refused(problemOf(502, ""));
  }
}

/** How far this machine's clock is ahead of the hub's, milliseconds; 0 while it is not. */
let ahead_ms = 0;
function heardAt(date: string | null): void {
  const told = Date.parse(date ?? "");
  // the header counts whole seconds
  if (!Number.isNaN(told)) ahead_ms = Math.max(0, Date.now() - told - 1000);
}
/** Now, as RFC 3339, never later than the hub's own clock: it refuses what lies in the future. */
export const nowForHub = (): string => new Date(Date.now() - ahead_ms).toISOString();

export function silence(): Problem {
  return { ...EMPTY, status: 0, title: "", silent: true };
}

const EMPTY: Problem = {
  status: 0,
  title: "",
  rule: null,
  what: null,
  value: null,
  limit: null,
  satisfy: null,
  silent: false,
};

export function problemOf(status: number, text: string): Problem {
  let told: Record<string, unknown> = {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (parsed && typeof parsed === "object") told = parsed as Record<string, unknown>;
  } catch {
    // not JSON: the status alone tells
  }
  const said = (key: string): string | null =>
    typeof told[key] === "string" && told[key] !== ""
      ? told[key]
      : typeof told[key] === "number"
        ? String(told[key])
        : null;
  return {
    status,
    title: said("title") ?? said("detail") ?? `HTTP ${status}`,
    rule: said("rule"),
    what: subject(said("detail"), said("rule"), said("value")),
    value: said("value"),
    limit: said("limit"),
    satisfy: said("satisfy"),
    silent: false,
  };
}

/** A refusal's detail is "rule: what: value; the limit is ...": the parts come apart again. */
function subject(detail: string | null, rule: string | null, value: string | null): string | null {
  if (!detail || !rule || !detail.startsWith(`${rule}: `)) return detail;
  const end = detail.indexOf(`: ${value ?? ""}`, rule.length + 2);
  return end < 0 ? detail : detail.slice(rule.length + 2, end);
}

export const problemIn = (error: unknown): Problem =>
  error instanceof Refused ? error.problem : { ...EMPTY, title: String(error) };

/** Something read from the hub: kept while it is read again, with its age and its last failure. */
export class Reading<T> {
  data = $state.raw<T | null>(null);
  problem = $state.raw<Problem | null>(null);
  busy = $state(false);
  /** When `data` came, by the page's clock. */
  at_ms = $state(0);
  #path: string | null = null;
  #running: AbortController | null = null;

  /** Reads `path`; another path forgets what was there. */
  async read(path: string | null): Promise<void> {
    this.#running?.abort();
    if (path !== this.#path) {
      this.data = null;
      this.problem = null;
    }
    this.#path = path;
    if (path === null) {
      this.busy = false;
      return;
    }
    const running = new AbortController();
    this.#running = running;
    this.busy = true;
    try {
      const data = await get<T>(path, running.signal);
      if (running.signal.aborted) return;
      this.data = data;
      this.problem = null;
      this.at_ms = Date.now();
    } catch (error) {
      if (running.signal.aborted) return;
      this.problem = problemIn(error);
    }
    this.busy = false;
  }

  again(): Promise<void> {
    return this.read(this.#path);
  }

  /** Reads again while the page is looked at and what is there is older than `old_ms`; the answer ends it. */
  keepFresh(old_ms = 60_000): () => void {
    const look = () => {
      if (document.hidden || this.busy || this.data === null) return;
      if (Date.now() - this.at_ms >= old_ms) void this.again();
    };
    const timer = setInterval(look, old_ms / 4);
    document.addEventListener("visibilitychange", look);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }
}

/** The hub decided; otherwise it is not known whether anything was done. */
export const definite = ({ silent, status }: Problem): boolean => !silent && status < 500;

/** One intent to change something: pressed twice or sent twice, it is done once. */
export class Deed {
  busy = $state(false);
  problem = $state.raw<Problem | null>(null);
  #key = intent();
  #said = "";

  /** The answer, or `null` when it was refused (then `problem` says why). */
  async send<T>(
    method: "POST" | "PUT" | "DELETE",
    path: string,
    body?: unknown,
    etag?: string | null,
  ): Promise<Answer<T> | null> {
    if (this.busy) return null;
    // another content is another intent
    const said = `${method} ${path} ${JSON.stringify(body)} ${etag ?? ""}`;
    if (said !== this.#said) this.#key = intent();
    this.#said = said;
    this.busy = true;
    this.problem = null;
    try {
      const answer = await send<T>(method, path, body, { key: this.#key, etag: etag ?? null });
      this.#key = intent();
      return answer;
    } catch (error) {
      this.problem = problemIn(error);
      // an answer ends the intent; silence or a failure does not: the same key may be sent again
      if (definite(this.problem)) this.#key = intent();
      return null;
    } finally {
      this.busy = false;
    }
  }

  clear(): void {
    this.problem = null;
  }
}
