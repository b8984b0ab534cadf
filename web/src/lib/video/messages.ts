/** What the page and its video worker say to each other. */

import type { PictureState, VideoConfig } from "../contract";

export type ToWorker =
  | { kind: "start"; canvas: OffscreenCanvas; url: string; mono: boolean; stale_ms: number }
  | { kind: "view"; mono: boolean }
  | { kind: "clock"; offset_us: number | null };

export type FromWorker =
  | { kind: "config"; config: VideoConfig }
  | { kind: "socket"; open: boolean }
  | { kind: "picture"; state: PictureState }
  | { kind: "unsupported"; codec: string }
  | {
      kind: "drawn";
      seq: number;
      /** Microseconds of the serving process. */
      capture_us: number;
      /** Milliseconds of the page's clock. */
      drawn_ms: number;
      stamp_frame: number | null;
    };
