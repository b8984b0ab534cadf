/**
 * A button that works only while it is held. The signal is repeated while it is pressed; whatever
 * takes the attention or the reason away releases it, and only a new press starts it again.
 */

const REPEAT_MS = 50;

export interface HoldOptions {
  /** Sends one signal; false when it cannot be sent. */
  send: (on: boolean) => boolean;
  /** Why it may not be held now; null when it may. */
  whyNot: () => string | null;
  /** A hold of one epoch never goes on in the next. */
  epoch: () => number | string;
}

export class Hold {
  on = $state(false);
  #timer: ReturnType<typeof setInterval> | null = null;
  #epoch: number | string = 0;
  readonly #options: HoldOptions;

  constructor(options: HoldOptions) {
    this.#options = options;
  }

  press(): boolean {
    if (this.on || document.hidden || this.#options.whyNot() !== null) return false;
    this.#epoch = this.#options.epoch();
    if (!this.#options.send(true)) return false;
    this.on = true;
    this.#timer = setInterval(() => this.#repeat(), REPEAT_MS);
    return true;
  }

  release(): void {
    if (!this.on) return;
    this.on = false;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#options.send(false);
  }

  /** Releases with the window's attention; the answer ends the watch (and the hold). */
  watch(): () => void {
    const stop = new AbortController();
    const { signal } = stop;
    const release = () => this.release();
    for (const name of ["blur", "pagehide", "contextmenu"])
      window.addEventListener(name, release, { signal });
    document.addEventListener("visibilitychange", () => document.hidden && release(), { signal });
    return () => {
      release();
      stop.abort();
    };
  }

  /** To be called whenever a reason may have gone: at once, not at the next repetition. */
  check(): void {
    const { epoch, whyNot } = this.#options;
    if (this.on && (epoch() !== this.#epoch || whyNot() !== null)) this.release();
  }

  #repeat(): void {
    this.check();
    if (this.on && !this.#options.send(true)) this.release();
  }
}
