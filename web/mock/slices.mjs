// Slices of an invented lumbar spine, cut on demand: bodies, pedicles, arches and a plate with ten
// balls, as in a phantom. DICOM LPS, millimetres.
import { deflateSync } from "node:zlib";

/** Middle of each vertebra along the patient. */
export const LEVELS = { L2: 36, L3: 0, L4: -36, L5: -72 };
const W = 46,
  D = 34,
  H = 28,
  CANAL_W = 23,
  CANAL_D = 17,
  PEDICLE_W = 9,
  PEDICLE_H = 15;
const TILT = (12 * Math.PI) / 180;
export const PEDICLE = {
  x: CANAL_W / 2 + PEDICLE_W / 2,
  y: D / 2 + 4,
  z: 4,
  width: PEDICLE_W,
  height: PEDICLE_H,
};
const BALLS = [
  [-38, 71, 31],
  [-22, 69, -24],
  [-9, 71, 12],
  [6, 70, -35],
  [13, 71, 38],
  [24, 69, -6],
  [33, 71, 20],
  [40, 70, -30],
  [-31, 70, 3],
  [-2, 71, -12],
];

/** A screw of the textbook: along the pedicle's axis. */
export function textbook(level, side) {
  const s = side === "left" ? 1 : -1;
  const z = LEVELS[level] + PEDICLE.z;
  const along = [-s * Math.sin(TILT), -Math.cos(TILT), 0];
  const entry_mm = [s * PEDICLE.x - along[0] * 17, PEDICLE.y - along[1] * 17, z];
  return { entry_mm, tip_mm: entry_mm.map((c, i) => c + along[i] * 45), diameter_mm: 6.5 };
}

const ellipse = (u, v, a, b) => {
  const k = Math.hypot(u / a, v / b);
  const g = Math.hypot(u / (a * a), v / (b * b));
  return g < 1e-9 ? -Math.min(a, b) : (k * (k - 1)) / g;
};

/** Signed distance to the bone of one vertebra, negative inside. */
function bone(x, y, z) {
  const body = Math.max(ellipse(x, y, W / 2, D / 2), Math.abs(z) - H / 2);
  const canal_y = y - (D / 2 + CANAL_D / 2 + 1);
  const canal = ellipse(x, canal_y, CANAL_W / 2, CANAL_D / 2);
  let best = body;
  const side = x > 0 ? 1 : -1;
  const dx = x - side * PEDICLE.x,
    dy = y - PEDICLE.y,
    dz = z - PEDICLE.z;
  const t = dx * -side * Math.sin(TILT) + dy * -Math.cos(TILT);
  const across = dx * Math.cos(TILT) - dy * side * Math.sin(TILT);
  best = Math.min(
    best,
    Math.max(ellipse(across, dz, PEDICLE_W / 2, PEDICLE_H / 2), Math.abs(t) - 14),
  );
  const arch = Math.max(
    ellipse(x, canal_y, CANAL_W / 2 + 6, CANAL_D / 2 + 6),
    -canal,
    Math.abs(z - 2) - 9,
    D / 2 + 6 - y,
  );
  const spinous = Math.max(
    Math.abs(x) - 3,
    Math.abs(z + 2) - 9,
    Math.abs(canal_y - CANAL_D / 2 - 18) - 14,
  );
  const transverse = Math.max(
    Math.abs(y - (D / 2 + 10)) - 4,
    Math.abs(z - 4) - 5,
    Math.abs(Math.abs(x) - (CANAL_W / 2 + 3 + 40) / 2) - (40 - CANAL_W / 2 - 3) / 2,
  );
  return Math.min(best, arch, spinous, transverse);
}

/** CT number of a point. */
export function hu(x, y, z) {
  for (const [bx, by, bz] of BALLS)
    if ((x - bx) ** 2 + (y - by) ** 2 + (z - bz) ** 2 < 1.5) return 3071;
  const skin = ellipse(x, y - 14, 130, 82);
  if (skin > 0) return Math.abs(y - 70.5) < 3 && Math.abs(x) < 46 && Math.abs(z) < 44 ? 90 : -1000;
  const level = Math.max(-2, Math.min(1, Math.round(z / 36)));
  const d = bone(x, y, z - level * 36);
  if (d < -1.5) return 220 + 60 * Math.sin(x * 2.1) * Math.sin(y * 1.9) * Math.sin(z * 2.3);
  if (d < 0.4) return 900 * Math.min(1, (0.4 - d) / 0.8) + 40;
  return skin > -9 ? -90 : 45;
}

/** The three directions and the middle of a plane. */
export function plane({ plane: name, x_mm, y_mm, z_mm, width, height, pixel_mm }, screw) {
  const centre = [Number(x_mm), Number(y_mm), Number(z_mm)];
  let axes = {
    axial: [
      [1, 0, 0],
      [0, 1, 0],
    ],
    coronal: [
      [1, 0, 0],
      [0, 0, -1],
    ],
    sagittal: [
      [0, 1, 0],
      [0, 0, -1],
    ],
  }[name];
  if (!axes) {
    if (!screw) return null;
    const ahead = unit(screw.tip_mm.map((c, i) => c - screw.entry_mm[i]));
    const up = unit([0, 0, 1].map((c, i) => c - ahead[i] * ahead[2]));
    const right = cross(up, ahead);
    const minus = (v) => v.map((c) => -c);
    axes = {
      along_a: [right, minus(ahead)],
      along_b: [minus(ahead), minus(up)],
      across: [minus(right), minus(up)],
    }[name];
    const middle = screw.entry_mm.map((c, i) => (c + screw.tip_mm[i]) / 2);
    const deep =
      name === "across"
        ? dot(
            centre.map((c, i) => c - screw.entry_mm[i]),
            ahead,
          )
        : 0;
    const on = name === "across" ? screw.entry_mm.map((c, i) => c + ahead[i] * deep) : middle;
    const n = cross(axes[0], axes[1]);
    const off = dot(
      on.map((c, i) => c - centre[i]),
      n,
    );
    for (let i = 0; i < 3; i += 1) centre[i] += n[i] * off;
  }
  const pixel = Number(pixel_mm);
  const half = [((Number(width) - 1) * pixel) / 2, ((Number(height) - 1) * pixel) / 2];
  const origin_mm = centre.map((c, i) => c - axes[0][i] * half[0] - axes[1][i] * half[1]);
  return { origin_mm, right: axes[0], down: axes[1], pixel_mm: pixel };
}

const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a, b) => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
const unit = (a) => a.map((c) => c / Math.hypot(...a));

/** A grey PNG of a plane, windowed. */
export function slice(where, width, height, centre_hu, width_hu) {
  const rows = Buffer.alloc((width + 1) * height);
  let noise = 12345;
  for (let j = 0; j < height; j += 1)
    for (let i = 0; i < width; i += 1) {
      const at = where.origin_mm.map(
        (c, k) => c + (where.right[k] * i + where.down[k] * j) * where.pixel_mm,
      );
      noise = (noise * 1103515245 + 12345) & 0x7fffffff;
      const value = hu(at[0], at[1], at[2]) + ((noise >> 16) % 41) - 20;
      const grey = ((value - centre_hu) / width_hu + 0.5) * 255;
      rows[j * (width + 1) + 1 + i] = Math.max(0, Math.min(255, grey));
    }
  return png(rows, width, height);
}

function png(rows, width, height) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 0, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows, { level: 1 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(name, data) {
  const bytes = Buffer.alloc(12 + data.length);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(name, 4, "latin1");
  data.copy(bytes, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length);
  return bytes;
}

const TABLE = Int32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

function crc32(bytes) {
  let crc = -1;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ -1) >>> 0;
}
