// Makes mock/clip.h264: three seconds of an invented endoscope, two eyes side by side, each frame
// stamped like the product's (src/lib/video/stamp.ts). Test data; needs ffmpeg with libx264.
//   node mock/make-clip.mjs
import { spawn } from "node:child_process";
import { once } from "node:events";

const EYE = 640;
const WIDTH = 2 * EYE;
const HEIGHT = 480;
const FRAMES = 90;
const PEGS = [];
for (const [i, x] of [-0.62, -0.22, 0.22, 0.62].entries())
  for (const z of i % 3 === 0 ? [0.5] : [0.28, 0.72]) PEGS.push({ x, z });

/** Board coordinates (x -1..1, z 0 near .. 1 far) to pixels of one eye. */
function project(x, z, y, eye) {
  const depth = 1 + 0.55 * z;
  const parallax = (eye ? -1 : 1) * (7 - 9 * z);
  return {
    x: EYE / 2 + (x * 330) / depth + parallax,
    y: 400 - 250 * z * (1.25 / depth) - y / depth,
    s: 1 / depth,
  };
}

function blank() {
  return {
    y: new Uint8Array(EYE * HEIGHT),
    u: new Uint8Array((EYE * HEIGHT) / 4),
    v: new Uint8Array((EYE * HEIGHT) / 4),
  };
}

function put(picture, x, y, [r, g, b]) {
  if (x < 0 || y < 0 || x >= EYE || y >= HEIGHT) return;
  picture.y[y * EYE + x] = 16 + 0.183 * r + 0.614 * g + 0.062 * b;
  const at = (y >> 1) * (EYE / 2) + (x >> 1);
  picture.u[at] = 128 - 0.101 * r - 0.339 * g + 0.439 * b;
  picture.v[at] = 128 + 0.439 * r - 0.399 * g - 0.04 * b;
}

/** Fills what `inside(x, y)` gives a shade for (0 to 1; null outside), within a box. */
function fill(picture, [left, top, right, bottom], colour, inside) {
  for (let y = Math.max(0, top | 0); y < Math.min(HEIGHT, bottom); y += 1)
    for (let x = Math.max(0, left | 0); x < Math.min(EYE, right); x += 1) {
      const shade = inside(x, y);
      if (shade !== null)
        put(
          picture,
          x,
          y,
          colour.map((c) => c * shade),
        );
    }
}

function background(eye) {
  const picture = blank();
  const board = [
    project(-0.95, 0, 0, eye),
    project(0.95, 0, 0, eye),
    project(0.95, 1, 0, eye),
    project(-0.95, 1, 0, eye),
  ];
  fill(picture, [0, 0, EYE, HEIGHT], [205, 96, 88], (x, y) => {
    const r = Math.hypot(x - EYE / 2, y - HEIGHT / 2) / 400;
    const fold = 0.06 * Math.sin(x / 37 + y / 61) + 0.05 * Math.sin(y / 23 - x / 90);
    return Math.max(0.1, 0.85 - 0.62 * r * r + fold);
  });
  fill(picture, [0, 0, EYE, HEIGHT], [226, 222, 210], (x, y) => {
    const t = (board[0].y - y) / (board[0].y - board[3].y);
    if (t < 0 || t > 1) return null;
    const left = board[0].x + (board[3].x - board[0].x) * t;
    const right = board[1].x + (board[2].x - board[1].x) * t;
    if (x < left || x > right) return null;
    const r = Math.hypot(x - EYE / 2, y - HEIGHT / 2) / 400;
    return 0.92 - 0.55 * r * r;
  });
  return picture;
}

function peg(picture, { x, z }, eye) {
  const foot = project(x, z, 0, eye);
  const head = project(x, z, 62, eye);
  const radius = 8 * foot.s;
  fill(picture, [foot.x - 30, foot.y - 8, foot.x + 34, foot.y + 8], [120, 110, 100], (px, py) =>
    Math.hypot((px - foot.x - 8) / 2.4, py - foot.y) < radius ? 0.75 : null,
  );
  fill(
    picture,
    [foot.x - radius, head.y - radius, foot.x + radius, foot.y + 4],
    [150, 160, 172],
    (px) => {
      const c = (px - foot.x) / radius;
      return Math.abs(c) > 1 ? null : 1 - 0.55 * Math.abs(c + 0.25);
    },
  );
}

function block(picture, { x, z }, lift, colour, eye) {
  const at = project(x, z, 14 + lift, eye);
  const size = 30 * at.s;
  fill(picture, [at.x - size, at.y - size, at.x + size, at.y + size], colour, (px, py) => {
    const dx = Math.abs(px - at.x) / size;
    const dy = (py - at.y) / (size * 0.55);
    const inside = dy <= 1 && dy >= -1 && dx <= (dy + 1) / 2;
    const hole = Math.hypot(px - at.x, (py - at.y - 3) * 1.6) < size * 0.3;
    return inside && !hole ? 0.95 - 0.2 * dy : null;
  });
}

function tool(picture, tip, base, open) {
  const [dx, dy] = [tip.x - base.x, tip.y - base.y];
  const long = Math.hypot(dx, dy);
  const [ux, uy] = [dx / long, dy / long];
  const bar = (ox, oy, from, to, thick, angle, colour) => {
    const [ax, ay] = [
      ux * Math.cos(angle) - uy * Math.sin(angle),
      ux * Math.sin(angle) + uy * Math.cos(angle),
    ];
    fill(picture, [0, 0, EYE, HEIGHT], colour, (px, py) => {
      const along = (px - ox) * ax + (py - oy) * ay;
      if (along < from || along > to) return null;
      const across = ((px - ox) * -ay + (py - oy) * ax) / thick;
      return Math.abs(across) > 1 ? null : 1 - 0.5 * Math.abs(across - 0.25);
    });
  };
  bar(base.x, base.y, 0, long - 46, 13, 0, [72, 80, 90]);
  bar(base.x, base.y, long - 52, long - 30, 11, 0, [176, 184, 194]);
  const [wx, wy] = [tip.x - ux * 32, tip.y - uy * 32];
  for (const side of [-1, 1]) bar(wx, wy, 0, 34, 4.5, side * open, [198, 205, 214]);
}

function stamp(picture, frame, eye) {
  let bits = 1n | (BigInt(eye) << 4n) | (BigInt(frame) << 5n) | (BigInt(frame * 33333) << 29n);
  let crc = 0xff;
  for (let i = 0n; i < 7n; i += 1n) {
    crc ^= Number((bits >> (8n * i)) & 0xffn);
    for (let k = 0; k < 8; k += 1) crc = crc & 0x80 ? ((crc << 1) ^ 7) & 0xff : (crc << 1) & 0xff;
  }
  bits |= BigInt(crc) << 56n;
  for (let y = 0; y < 32; y += 1)
    for (let x = 0; x < 128; x += 1) {
      const bit = Number((bits >> BigInt((y >> 3) * 16 + (x >> 3))) & 1n);
      const grey = bit ? 235 : 16;
      put(picture, x, y, [grey, grey, grey]);
      picture.y[y * EYE + x] = bit ? 218 : 30;
    }
}

const copy = (from) => ({ y: from.y.slice(), u: from.u.slice(), v: from.v.slice() });

function frame(n, backs) {
  const turn = (n / FRAMES) * 2 * Math.PI;
  return [0, 1].map((eye) => {
    const picture = copy(backs[eye]);
    const carried = { x: 0.22 + 0.2 * Math.sin(turn), z: 0.5 + 0.16 * Math.cos(turn) };
    for (const one of PEGS) peg(picture, one, eye);
    block(picture, PEGS[0], 0, [235, 180, 60], eye);
    block(picture, PEGS[2], 0, [80, 150, 225], eye);
    block(picture, PEGS[5], 0, [225, 90, 140], eye);
    block(picture, carried, 46, [95, 190, 120], eye);
    const grip = project(carried.x, carried.z, 62, eye);
    tool(picture, grip, { x: EYE + 60 - eye * 6, y: HEIGHT - 60 }, 0.12);
    const free = project(-0.3 + 0.16 * Math.cos(turn), 0.42 + 0.1 * Math.sin(2 * turn), 40, eye);
    tool(picture, free, { x: -70 - eye * 6, y: HEIGHT - 40 }, 0.32 + 0.14 * Math.sin(turn));
    stamp(picture, n, eye);
    return picture;
  });
}

function sideBySide(eyes, plane, width) {
  const rows = eyes[0][plane].length / width;
  const out = Buffer.alloc(2 * width * rows);
  for (let y = 0; y < rows; y += 1)
    for (const eye of [0, 1])
      out.set(eyes[eye][plane].subarray(y * width, (y + 1) * width), (2 * y + eye) * width);
  return out;
}

const args =
  `-hide_banner -loglevel error -y -f rawvideo -pix_fmt yuv420p -s ${WIDTH}x${HEIGHT} -r 30 -i - ` +
  "-c:v libx264 -profile:v baseline -preset slow -bf 0 -g 999 -crf 27 -threads 1 " +
  "-x264-params slices=1:aud=1:scenecut=0 -f h264 " +
  new URL("clip.h264", import.meta.url).pathname;
const ffmpeg = spawn("ffmpeg", args.split(" "), { stdio: ["pipe", "inherit", "inherit"] });
const backs = [background(0), background(1)];
for (let n = 0; n < FRAMES; n += 1) {
  const eyes = frame(n, backs);
  for (const [plane, width] of [
    ["y", EYE],
    ["u", EYE / 2],
    ["v", EYE / 2],
  ])
    if (!ffmpeg.stdin.write(sideBySide(eyes, plane, width))) await once(ffmpeg.stdin, "drain");
}
ffmpeg.stdin.end();
await once(ffmpeg, "close");
