/**
 * The birth time of a frame, read from the picture itself: 16 x 4 cells of 8 x 8 pixels in the top
 * left corner, 64 bits, lowest first (crates/video/src/stamp.rs).
 */

export const STAMP_WIDTH = 128;
export const STAMP_HEIGHT = 32;
const CELL = 8;
const COLUMNS = 16;
const DARK_MAX = 95;
const BRIGHT_MIN = 155;

export interface Stamp {
  stream: number;
  eye: number;
  /** Modulo 2^24. */
  frame: number;
  /** Microseconds of the patient-side clock, modulo 2^27. */
  born_us: number;
}

/** From the luma of the top left corner; null where there is no stamp or it cannot be read. */
export function readStamp(luma: Uint8Array, stride: number): Stamp | null {
  if (luma.length < stride * (STAMP_HEIGHT - 1) + STAMP_WIDTH) return null;
  const bytes = new Uint8Array(8);
  for (let bit = 0; bit < 64; bit += 1) {
    const mean = middleOfCell(luma, stride, bit % COLUMNS, Math.floor(bit / COLUMNS));
    if (mean >= BRIGHT_MIN) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7));
    else if (mean >= DARK_MAX) return null;
  }
  return fromBytes(bytes);
}

function middleOfCell(luma: Uint8Array, stride: number, column: number, row: number): number {
  let sum = 0;
  for (let y = 2; y < 6; y += 1) {
    const start = (row * CELL + y) * stride + column * CELL;
    for (let x = 2; x < 6; x += 1) sum += luma[start + x] ?? 0;
  }
  return sum / 16;
}

function fromBytes(bytes: Uint8Array): Stamp | null {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, crc = 0] = bytes;
  if (crc8(bytes.subarray(0, 7)) !== crc) return null;
  return {
    stream: a & 0xf,
    eye: (a >> 4) & 1,
    frame: (a >> 5) | (b << 3) | (c << 11) | ((d & 0x1f) << 19),
    born_us: (d >> 5) | (e << 3) | (f << 11) | (g << 19),
  };
}

/** Polynomial 0x07, start 0xFF. */
export function crc8(bytes: Uint8Array): number {
  let crc = 0xff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let i = 0; i < 8; i += 1)
      crc = crc & 0x80 ? ((crc << 1) ^ 0x07) & 0xff : (crc << 1) & 0xff;
  }
  return crc;
}
