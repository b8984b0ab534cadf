/** The picture as this page shows it: how old, how sound. */

import type { Clock } from "../clock";
import type { PictureState, VideoConfig } from "../contract";
import { type AgeLimits, ageLevel, type Level, PICTURE_LIMITS } from "../figures";
import type { FromWorker, ToWorker } from "./messages";

export type Fault = "none" | "stale" | "frozen" | "recovering" | "video_lost";

/** Whose clock a picture is dated by. */
export interface Timebase {
  readonly now_ms: number;
  readonly clock: Clock;
  watchClock(watcher: (offset_us: number | null) => void): () => void;
}

export interface Source {
  /** Of the socket, on the page's own server. */
  path?: string;
  /** When a picture is old. */
  limits?: AgeLimits;
  /** What the process says of the picture besides the socket's own notes. */
  told?: () => PictureState | undefined;
}

export class Viewer {
  config = $state.raw<VideoConfig | null>(null);
  drawn = $state(0);
  unsupported = $state(false);
  mono = $state(true);
  #open = $state(false);
  #said = $state<PictureState>("none");
  #last = $state.raw<{ seq: number; capture_us: number; drawn_ms: number } | null>(null);
  #worker: Worker | null = null;
  readonly #time: Timebase;
  readonly #source: Source;

  constructor(time: Timebase, source: Source = {}) {
    this.#time = time;
    this.#source = source;
  }

  /** Whether any picture was drawn since the page opened. */
  get any(): boolean {
    return this.#last !== null;
  }

  /** Width by height of what is shown, one or two eyes. */
  get aspect(): number {
    const config = this.config;
    if (!config) return 4 / 3;
    const eyes = config.stereo === "sbs" && this.mono ? 2 : 1;
    return config.width / eyes / config.height;
  }

  /** Age of the picture on the screen, milliseconds, by the process's clock. */
  get age_ms(): number | null {
    const last = this.#last;
    if (!last) return null;
    // the tenth of a second may be of before this picture
    const now = Math.max(this.#time.now_ms, last.drawn_ms);
    const server = this.#time.clock.server_us(now);
    const since_drawn = Math.max(0, now - last.drawn_ms);
    const age = server === null ? since_drawn : (server - last.capture_us) / 1000;
    return Math.max(age, since_drawn);
  }

  /** What is wrong with the picture on the screen, and how badly. */
  get fault(): { fault: Fault; level: Level } {
    if (!this.any) return { fault: "none", level: "fresh" };
    if (!this.#open) return { fault: "video_lost", level: "red" };
    const told = this.#source.told?.();
    for (const state of [this.#said, told]) {
      if (state === "frozen" || state === "recovering") return { fault: state, level: "red" };
    }
    const level = ageLevel(this.age_ms, this.#source.limits);
    return { fault: level === "fresh" ? "none" : "stale", level };
  }

  /** Takes the canvas over; call it once. The answer ends the video. */
  start(canvas: HTMLCanvasElement): () => void {
    if (typeof VideoDecoder === "undefined" || !("transferControlToOffscreen" in canvas)) {
      this.unsupported = true;
      return () => {};
    }
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#hear(data);
    const offscreen = canvas.transferControlToOffscreen();
    const url = `ws://${location.host}${this.#source.path ?? "/ws/video"}`;
    const stale_ms = (this.#source.limits ?? PICTURE_LIMITS).red_ms;
    this.#tell({ kind: "start", canvas: offscreen, url, mono: this.mono, stale_ms }, [offscreen]);
    this.#tell({ kind: "clock", offset_us: this.#time.clock.offset_us });
    const unwatch = this.#time.watchClock((offset_us) => this.#tell({ kind: "clock", offset_us }));
    return () => {
      unwatch();
      worker.terminate();
      this.#worker = null;
      this.#open = false;
    };
  }

  setMono(mono: boolean): void {
    this.mono = mono;
    this.#tell({ kind: "view", mono });
  }

  #tell(message: ToWorker, transfer: Transferable[] = []): void {
    this.#worker?.postMessage(message, transfer);
  }

  #hear(message: FromWorker): void {
    if (message.kind === "drawn") {
      this.#last = message;
      this.drawn += 1;
      // what the process said before this picture is over
      if (this.#said === "none") this.#said = "intact";
    } else if (message.kind === "config") this.config = message.config;
    else if (message.kind === "socket") {
      this.#open = message.open;
      if (message.open) this.#said = "none";
    } else if (message.kind === "picture") this.#said = message.state;
    else this.unsupported = true;
  }
}
