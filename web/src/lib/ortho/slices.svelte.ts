/** Fetches one view's slices: one request at a time, the newest wish next, nothing else kept. */

import { nowMs } from "../clock";
import type { SlicePlane } from "./contract";

export interface Slice {
  bitmap: ImageBitmap;
  plane: SlicePlane;
  url: string;
}

export class Slices {
  shown = $state.raw<Slice | null>(null);
  /** Why there is no slice; null when the last one came. */
  error = $state<string | null>(null);
  loading = $state(false);
  #wanted: string | null = null;
  #busy: AbortController | null = null;
  #tried_ms = 0;
  readonly #came: (plane: SlicePlane) => void;

  constructor(came: (plane: SlicePlane) => void) {
    this.#came = came;
  }

  want(url: string | null): void {
    if (url === null) return this.clear();
    if (url === this.shown?.url && !this.error) {
      this.#wanted = null;
      return;
    }
    this.#wanted = url;
    if (!this.#busy) void this.#next();
  }

  /** The wish that failed once more, at most once a second. */
  again(): void {
    if (this.error && this.#wanted && !this.#busy && nowMs() - this.#tried_ms > 1000)
      void this.#next();
  }

  clear(): void {
    this.#busy?.abort();
    this.#busy = null;
    this.#wanted = null;
    this.shown?.bitmap.close();
    this.shown = null;
    this.error = null;
    this.loading = false;
  }

  async #next(): Promise<void> {
    const url = this.#wanted;
    if (!url) return;
    const busy = new AbortController();
    this.#busy = busy;
    this.loading = true;
    this.#tried_ms = nowMs();
    const got = await load(url, busy.signal).catch((error: unknown) => String(error));
    if (this.#busy !== busy) {
      if (typeof got !== "string") got.bitmap.close();
      return;
    }
    this.#busy = null;
    this.loading = false;
    if (typeof got === "string") this.error = got;
    else this.#take(got);
    if (this.#wanted === url && !this.error) this.#wanted = null;
    else if (this.#wanted !== url) void this.#next();
  }

  #take(slice: Slice): void {
    this.shown?.bitmap.close();
    this.shown = slice;
    this.error = null;
    this.#came(slice.plane);
  }
}

async function load(url: string, signal: AbortSignal): Promise<Slice | string> {
  const response = await fetch(url, { signal });
  if (!response.ok) {
    const said = (await response.json().catch(() => null)) as { message?: string } | null;
    return said?.message ?? `HTTP ${response.status}`;
  }
  const header = response.headers.get("x-telehand-plane");
  if (!header) return "the slice came without its plane";
  const plane = JSON.parse(header) as SlicePlane;
  return { bitmap: await createImageBitmap(await response.blob()), plane, url };
}
