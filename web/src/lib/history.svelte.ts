/** The last minute of the figures that are plotted. */

const LENGTH = 600;
const JITTER_LENGTH = 90;

export interface Sample {
  /** Seconds of the page's clock. */
  at_s: number;
  out_ms: number | null;
  back_ms: number | null;
  picture_ms: number | null;
  loop_ms: number | null;
}

export class Histories {
  /** Grows with every second sample: plots depend on it. */
  count = $state(0);
  #pushed = 0;
  readonly samples: Sample[] = [];
  readonly #jitter = new Map<string, (number | null)[]>();

  push(sample: Sample, jitter: { name: string; ms: number | null }[]): void {
    this.samples.push(sample);
    if (this.samples.length > LENGTH) this.samples.shift();
    for (const { name, ms } of jitter) {
      const line = this.#jitter.get(name) ?? [];
      line.push(ms);
      if (line.length > JITTER_LENGTH) line.shift();
      this.#jitter.set(name, line);
    }
    this.#pushed += 1;
    if (this.#pushed % 2 === 0) this.count += 1;
  }

  jitter(name: string): readonly (number | null)[] {
    return this.#jitter.get(name) ?? [];
  }
}

/** Samples of each jitter line. */
export const JITTER_SAMPLES = JITTER_LENGTH;
