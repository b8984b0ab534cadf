/** The clock of the serving process, as this page knows it. */

const KEPT = 40;

/** Milliseconds, equal in the page and in its workers. */
export const nowMs = (): number => performance.timeOrigin + performance.now();

/** Best of the last 40 round trips: the shortest one has the least room for error. */
export class Clock {
  #trips: { round_ms: number; offset_us: number }[] = [];

  /** One answer: sent at `sent_ms`, back at `back_ms`, answered at `server_us`. */
  pong(sent_ms: number, back_ms: number, server_us: number): void {
    const round_ms = back_ms - sent_ms;
    if (!(round_ms >= 0) || !Number.isFinite(server_us)) return;
    this.#trips.push({ round_ms, offset_us: server_us - ((sent_ms + back_ms) / 2) * 1000 });
    if (this.#trips.length > KEPT) this.#trips.shift();
  }

  /** Forget everything: another process may answer now. */
  reset(): void {
    this.#trips = [];
  }

  get #best(): { round_ms: number; offset_us: number } | null {
    let best = null;
    for (const trip of this.#trips) if (!best || trip.round_ms < best.round_ms) best = trip;
    return best;
  }

  /** Server time minus page time, microseconds; null before the first answer. */
  get offset_us(): number | null {
    return this.#best?.offset_us ?? null;
  }

  /** Half the best round trip, milliseconds. */
  get error_ms(): number | null {
    const best = this.#best;
    return best ? best.round_ms / 2 : null;
  }

  /** Server time in microseconds at a page time. */
  server_us(at_ms: number): number | null {
    const offset = this.offset_us;
    return offset === null ? null : at_ms * 1000 + offset;
  }
}
