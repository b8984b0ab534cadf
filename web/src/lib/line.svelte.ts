/** A page's connection to its process: states come in, buttons and signals go out. */

import { Clock, nowMs } from "./clock";
import type { Pong } from "./contract";
import { t } from "./i18n/locale.svelte";

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

/** What became of a request; `null` when nothing answered. */
export interface Reply {
  ok: boolean;
  status: number;
  body: Record<string, unknown>;
}

export abstract class Line<S extends { type: "state" }> {
  /** The newest state. */
  state = $state.raw<S | null>(null);
  /** The same four times a second: for numbers that people read. */
  slow = $state.raw<S | null>(null);
  connection = $state<Connection>("connecting");
  /** The state is of now. */
  live = $state(false);
  toasts = $state.raw<Toast[]>([]);
  /** Milliseconds of the page's clock, ten times a second: ages derive from it. */
  now_ms = $state(nowMs());
  readonly clock = new Clock();

  #socket: WebSocket | null = null;
  #heard_ms = 0;
  #slow_ms = 0;
  #toasts = 0;
  readonly #watchers = new Set<(offset_us: number | null) => void>();

  start(): void {
    this.#connect();
    setInterval(() => this.#tick(), 100);
    setInterval(() => this.#ping(), 500);
  }

  /** Calls `watcher` after each change of the clock; the answer ends it. */
  watchClock(watcher: (offset_us: number | null) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  dismiss(id: number): void {
    this.toasts = this.toasts.filter((toast) => toast.id !== id);
  }

  /** What a new state needs before the page sees it. */
  protected received(_state: S): void {}

  /** A signal over the socket; false when there is none. */
  protected send(message: object): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** A request; null when nothing answered. */
  protected async post(path: string, body: object): Promise<Reply | null> {
    try {
      const response = await fetch(path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      if (response.status === 401) this.connection = "unauthorised";
      const said = (await response.json().catch(() => ({}))) as Record<string, unknown> | null;
      return { ok: response.ok && said?.ok !== false, status: response.status, body: said ?? {} };
    } catch {
      return null;
    }
  }

  protected toast(kind: Toast["kind"], title: string, text: string): void {
    const id = ++this.#toasts;
    const others = this.toasts.filter((toast) => toast.title !== title);
    this.toasts = [...others, { id, kind, title, text }].slice(-3);
    setTimeout(() => this.dismiss(id), TOAST_MS);
  }

  /** A request that nothing answered, or that was not understood. */
  protected toastFailed(reply: Reply | null): void {
    if (reply) this.toast("failed", t("bad"), String(reply.body.message ?? ""));
    else this.toast("failed", t("failed"), "");
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
      this.live = false;
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
    const message = JSON.parse(text) as S | Pong;
    if (message.type === "pong") {
      this.clock.pong(message.t, nowMs(), message.server_us);
      for (const watcher of this.#watchers) watcher(this.clock.offset_us);
      return;
    }
    if (message.type !== "state") return;
    this.received(message);
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
    this.send({ type: "ping", t: nowMs() });
  }

  #tick(): void {
    this.now_ms = nowMs();
    this.live = this.#socket !== null && this.now_ms - this.#heard_ms < SILENT_MS;
  }
}
