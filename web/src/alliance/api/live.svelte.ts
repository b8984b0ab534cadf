/** The live board's news: server-sent events. They come late or not at all; the board says how old it is. */

import type { LiveSession } from "./contract";

const AGAIN_MS = 2000;
/** The hub sends at least a beat this often. */
export const QUIET_MS = 15_000;

export class Live {
  sessions = $state.raw<LiveSession[] | null>(null);
  /** When the hub last said anything, by the page's clock. */
  heard_ms = $state(0);
  connected = $state(false);
  #source: EventSource | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  start(): () => void {
    this.#connect();
    return () => {
      clearTimeout(this.#timer);
      this.#source?.close();
      this.#source = null;
    };
  }

  #connect(): void {
    const source = new EventSource("/v1/live");
    this.#source = source;
    const heard = () => {
      this.heard_ms = Date.now();
      this.connected = true;
    };
    source.onopen = heard;
    source.addEventListener("beat", heard);
    source.addEventListener("sessions", (event) => {
      heard();
      const said: unknown = JSON.parse(String(event.data));
      if (Array.isArray(said)) this.sessions = said as LiveSession[];
    });
    source.addEventListener("session", (event) => {
      heard();
      const one = JSON.parse(String(event.data)) as LiveSession;
      const others = (this.sessions ?? []).filter(({ id }) => id !== one.id);
      this.sessions = one.ended ? others : [...others, one];
    });
    source.onerror = () => {
      this.connected = false;
      // the browser tries again by itself unless the hub refused
      if (source.readyState !== EventSource.CLOSED) return;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#connect(), AGAIN_MS);
    };
  }
}
