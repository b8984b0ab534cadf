/** The page's connection to its process: state in, hands and buttons out. */

import { Clock, nowMs } from "./clock";
import type { Denied, HandMessage, Pedals, Pong, State } from "./contract";
import { Histories } from "./history.svelte";
import { causeWords, t } from "./i18n/locale.svelte";
import { measured } from "./format";

/** A state older than this is shown as lost. States come every 33 ms. */
const SILENT_MS = 500;
const RECONNECT_MS = 700;
const SLOW_MS = 250;
const TOAST_MS = 9000;

export type Connection = "connecting" | "open" | "lost" | "unauthorised";

export interface Toast {
  id: number;
  kind: "refused" | "failed";
  title: string;
  text: string;
}

export class Station {
  /** The newest state. */
  state = $state.raw<State | null>(null);
  /** The same four times a second: for numbers that people read. */
  slow = $state.raw<State | null>(null);
  connection = $state<Connection>("connecting");
  /** The state is of now. */
  live = $state(false);
  toasts = $state.raw<Toast[]>([]);
  /** Milliseconds of the page's clock, ten times a second: ages derive from it. */
  now_ms = $state(nowMs());
  readonly clock = new Clock();
  readonly histories = new Histories();
  /** Called after each change of the clock. */
  onclock: (offset_us: number | null) => void = () => {};

  #socket: WebSocket | null = null;
  #heard_ms = 0;
  #slow_ms = 0;
  #toasts = 0;

  start(): void {
    this.#connect();
    setInterval(() => this.#tick(), 100);
    setInterval(() => this.#ping(), 500);
  }

  /** Hands to the process. */
  sendHands(hands: [HandMessage, HandMessage], pedals: Pedals): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#socket.send(JSON.stringify({ type: "hands", hands, pedals }));
  }

  /** A button. A refusal becomes a toast; true when the process did it. */
  async act(action: string, more: Record<string, number> = {}): Promise<boolean> {
    return this.#post("/api/action", { action, ...more });
  }

  /** The emulated network of a demo. */
  async wan(body: Record<string, string | number | null>): Promise<boolean> {
    return this.#post("/api/wan", body);
  }

  dismiss(id: number): void {
    this.toasts = this.toasts.filter((toast) => toast.id !== id);
  }

  async #post(path: string, body: object): Promise<boolean> {
    try {
      const response = await fetch(path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      if (response.ok) return true;
      if (response.status === 401) this.connection = "unauthorised";
      const denied = (await response.json().catch(() => null)) as Denied | null;
      if (response.status === 409 && denied) this.#refused(denied);
      else this.#toast("failed", t("bad"), denied?.message ?? "");
    } catch {
      this.#toast("failed", t("failed"), "");
    }
    return false;
  }

  #refused(denied: Denied): void {
    const words = causeWords(denied.code, denied.name ?? "refused");
    const figures = measured(denied.code, denied.value, denied.limit);
    const against = figures
      ? ` (${figures.value}, ${t(figures.least ? "alarm_least" : "alarm_limit", { limit: figures.limit })})`
      : "";
    const code = denied.code ? `${denied.code} · ` : "";
    this.#toast("refused", `${t("refused")} · ${code}${words.what}${against}`, words.clears);
  }

  #toast(kind: Toast["kind"], title: string, text: string): void {
    const id = ++this.#toasts;
    const others = this.toasts.filter((toast) => toast.title !== title);
    this.toasts = [...others, { id, kind, title, text }].slice(-3);
    setTimeout(() => this.dismiss(id), TOAST_MS);
  }

  #connect(): void {
    const socket = new WebSocket(`ws://${location.host}/ws/control`);
    this.#socket = socket;
    socket.onopen = () => {
      this.clock.reset();
      for (let i = 0; i < 10; i += 1) setTimeout(() => this.#ping(), i * 40);
    };
    socket.onmessage = ({ data }: MessageEvent<string>) => this.#hear(data);
    socket.onclose = () => {
      this.#socket = null;
      if (this.connection !== "unauthorised") this.connection = "lost";
      void this.#whyClosed();
      setTimeout(() => this.#connect(), RECONNECT_MS);
    };
  }

  /** A browser does not tell why an upgrade failed: ask. */
  async #whyClosed(): Promise<void> {
    try {
      const response = await fetch("/api/state");
      this.connection = response.status === 401 ? "unauthorised" : "lost";
    } catch {
      this.connection = "lost";
    }
  }

  #hear(text: string): void {
    const message = JSON.parse(text) as State | Pong;
    if (message.type === "state") sane(message);
    if (message.type === "pong") {
      this.clock.pong(message.t, nowMs(), message.server_us);
      this.onclock(this.clock.offset_us);
      return;
    }
    if (message.type !== "state") return;
    const now = nowMs();
    this.#heard_ms = now;
    this.state = message;
    this.live = true;
    this.connection = "open";
    if (now - this.#slow_ms >= SLOW_MS) {
      this.#slow_ms = now;
      this.slow = message;
    }
  }

  #ping(): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#socket.send(JSON.stringify({ type: "ping", t: nowMs() }));
  }

  #tick(): void {
    this.now_ms = nowMs();
    this.live = this.#socket !== null && this.now_ms - this.#heard_ms < SILENT_MS;
  }
}

/** What one process cannot know yet it leaves out, or says as a time beyond all time. */
function sane(state: State): void {
  state.link ??= { status: "handshaking", peer: null, clock_error_ms: null, paths: [] };
  state.arms ??= [];
  state.hands ??= [];
  const link = state.link;
  link.clock_error_ms = known(link.clock_error_ms);
  for (const path of link.paths) path.error_ms = known(path.error_ms);
  if (state.picture) state.picture.age_ms = known(state.picture.age_ms);
  if (state.guard) state.guard.command_age_ms = known(state.guard.command_age_ms);
}

/** No delay is a day long. */
const DAY_MS = 8.64e7;

function known(value: number | null | undefined): number | null {
  return value === null || value === undefined || !(value < DAY_MS) ? null : value;
}
