// The parts of the pages that need no browser, loaded through Vite.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createServer } from "vite";

let vite;
const load = (path) => vite.ssrLoadModule(`/src/${path}`);
before(async () => {
  vite = await createServer({
    root: fileURLToPath(new URL("..", import.meta.url)),
    server: { middlewareMode: true, ws: false, hmr: false, watch: null },
    optimizeDeps: { noDiscovery: true },
    appType: "custom",
    logLevel: "error",
  });
});
after(() => vite.close());

test("both languages have the same words, none empty, with the same places for values", async () => {
  const { en } = await load("lib/i18n/en.ts");
  const { zh } = await load("lib/i18n/zh.ts");
  assert.deepEqual(Object.keys(zh).sort(), Object.keys(en).sort());
  const places = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
  for (const key of Object.keys(en)) {
    assert.ok(en[key] && zh[key], key);
    assert.deepEqual(places(zh[key]), places(en[key]), key);
  }
});

test("every cause of the guard has its words in both languages", async () => {
  const { causes } = await load("lib/i18n/causes.ts");
  const source = await readFile(new URL("../../crates/vocab/src/arm.rs", import.meta.url), "utf8");
  const numbers = [...source.matchAll(/^ {4}\w+ = (\d+), "\w+";$/gm)].map((match) => match[1]);
  assert.ok(numbers.length >= 35, `${numbers.length} causes found in arm.rs`);
  for (const table of Object.values(causes))
    for (const number of numbers) {
      const words = table[`G-${number.padStart(3, "0")}`];
      assert.ok(words?.what && words?.clears, number);
    }
  for (const table of Object.values(causes))
    assert.equal(Object.keys(table).length, numbers.length + 1);
});

test("every cause that has a number has the unit the guard prints", async () => {
  const { measured } = await load("lib/format.ts");
  const source = await readFile(
    new URL("../../crates/guard/src/refusal.rs", import.meta.url),
    "utf8",
  );
  const arm = await readFile(new URL("../../crates/vocab/src/arm.rs", import.meta.url), "utf8");
  const number = (name) =>
    arm.match(new RegExp(`^ {4}${name} = (\\d+),`, "m"))?.[1].padStart(3, "0");
  const rows = [...source.matchAll(/C::(\w+) => \{?\s*\(\s*"[^"]+",\s*(\w+),/g)];
  assert.ok(rows.length >= 35, `${rows.length} rows found in refusal.rs`);
  for (const [, name, unit] of rows)
    assert.equal(measured(`G-${number(name)}`, 0.1, 0.2) !== null, unit !== "NONE", name);
});

test("the clock takes the shortest round trip", async () => {
  const { Clock } = await load("lib/clock.ts");
  const clock = new Clock();
  assert.equal(clock.server_us(1), null);
  clock.pong(100, 130, 5_000_000);
  clock.pong(200, 202, 5_101_000);
  clock.pong(300, 340, 9_999_999);
  clock.pong(400, 390, 1);
  assert.equal(clock.offset_us, 5_101_000 - 201_000);
  assert.equal(clock.error_ms, 1);
  for (let i = 0; i < 40; i += 1) clock.pong(1000, 1010, 6_000_000);
  assert.equal(clock.error_ms, 5, "an old trip is forgotten");
});

test("V-010 a stamp is read as the encoder side wrote it, and every wrong bit is caught", async () => {
  const { readStamp, crc8 } = await load("lib/video/stamp.ts");
  const STRIDE = 160;
  const picture = (bytes) => {
    const luma = new Uint8Array(STRIDE * 32);
    for (let y = 0; y < 32; y += 1)
      for (let x = 0; x < 128; x += 1) {
        const bit = (y >> 3) * 16 + (x >> 3);
        luma[y * STRIDE + x] = (bytes[bit >> 3] >> (bit & 7)) & 1 ? 218 : 30;
      }
    return luma;
  };
  // stream 3, eye 1, frame 0x123456, born 98765432 us
  const payload = 3n | (1n << 4n) | (0x123456n << 5n) | (98_765_432n << 29n);
  const bytes = Uint8Array.from({ length: 8 }, (_, i) =>
    Number((payload >> BigInt(8 * i)) & 0xffn),
  );
  bytes[7] = crc8(bytes.subarray(0, 7));
  assert.deepEqual(readStamp(picture(bytes), STRIDE), {
    stream: 3,
    eye: 1,
    frame: 0x123456,
    born_us: 98_765_432,
  });
  for (let bit = 0; bit < 64; bit += 1) {
    const wrong = bytes.slice();
    wrong[bit >> 3] ^= 1 << (bit & 7);
    assert.equal(readStamp(picture(wrong), STRIDE), null, `bit ${bit}`);
  }
  for (let luma = 0; luma < 256; luma += 1)
    assert.equal(readStamp(new Uint8Array(STRIDE * 32).fill(luma), STRIDE), null, `grey ${luma}`);
  assert.equal(readStamp(new Uint8Array(10), STRIDE), null);
});

test("the fastest path that is up sets the delay", async () => {
  const { delays, ageLevel, forceLevel, tipSpeedLimit, WATCHED_LIMITS } =
    await load("lib/figures.ts");
  const path = (up, out_ms, in_ms) => ({ up, out_ms, in_ms, error_ms: 0.5 });
  const link = {
    clock_error_ms: null,
    paths: [path(false, 1, 1), path(true, 40, 42), path(true, 48, 41), path(true, null, null)],
  };
  assert.deepEqual(delays(link), { out_ms: 40, back_ms: 41, error_ms: 0.5 });
  assert.deepEqual(delays(undefined), { out_ms: null, back_ms: null, error_ms: null });
  const levels = (limits, ...ages) => ages.map((ms) => ageLevel(ms, limits));
  assert.deepEqual(levels(undefined, 150, 151, 300, 301), ["fresh", "amber", "amber", "red"]);
  assert.deepEqual(levels(WATCHED_LIMITS, 600, 601, 1501), ["fresh", "amber", "red"]);
  assert.deepEqual([0.79, 0.8, 1.6].map(forceLevel), ["fresh", "amber", "red"]);
  assert.equal(tipSpeedLimit(100).toFixed(4), "0.0180");
  assert.equal(tipSpeedLimit(20).toFixed(4), "0.0900");
  assert.equal(tipSpeedLimit(null), 0.018);
});

test("numbers read well", async () => {
  const { fixed, ms, percent, span, measured } = await load("lib/format.ts");
  assert.equal(fixed(-0.001, 1), "0.0");
  assert.equal(fixed(Number.NaN, 1), "–");
  assert.deepEqual([ms(48.12), ms(99.94), ms(123.4), ms(null)], ["48.1", "99.9", "123", "–"]);
  assert.deepEqual([percent(0.0001), percent(0.012)], ["0.01", "1.2"]);
  assert.deepEqual([span(87), span(1600), span(125_000)], ["87 ms", "1.6 s", "2 min 05 s"]);
  assert.deepEqual(measured("G-050", 1, 2), { value: "1", limit: "2", least: true });
  assert.deepEqual(measured("G-003", 0.131, 0.1), {
    value: "131 ms",
    limit: "100 ms",
    least: false,
  });
  assert.equal(measured("G-014", 1.8e10, 0.01)?.value, "> 1 h");
  assert.equal(measured("G-006", 0, 0), null);
});

test("hands: jaws close at a speed, a lock keeps them, turning stays a rotation", async () => {
  const { Hands } = await load("console/hands.ts");
  const hands = new Hands();
  hands.squeeze(1, 1);
  hands.step(0.05);
  const [left, right] = hands.messages();
  assert.ok(right.grip < left.grip && right.grip > 0.5);
  hands.step(1);
  assert.equal(hands.messages()[1].grip, 0);
  hands.lock(1, true);
  hands.squeeze(1, 0);
  hands.step(1);
  assert.equal(hands.messages()[1].grip, 0, "locked");
  for (let i = 0; i < 1000; i += 1) hands.turn(0, [0.01, 0.02, -0.03]);
  assert.ok(Math.abs(Math.hypot(...hands.messages()[0].q) - 1) < 1e-12);
  hands.move(0, [1e9, Number.NaN, 0]);
  const { x, y, z } = hands.messages()[0];
  assert.deepEqual([x, y, z], [5, 0, 0], "no hand is further away than it can be, or nowhere");
});

test("a stick at rest asks for nothing; triggers and bumpers are where the standard has them", async () => {
  const { readPad } = await load("console/gamepad.ts");
  const buttons = Array.from({ length: 17 }, () => ({ pressed: false, value: 0 }));
  const rest = readPad({ axes: [0.08, -0.1, 0, 0], buttons });
  assert.deepEqual([rest.sticks[0].x, rest.sticks[0].y], [0, 0]);
  buttons[4] = { pressed: true, value: 1 };
  buttons[6] = { pressed: true, value: 0.7 };
  const held = readPad({ axes: [1, Number.NaN, -1], buttons });
  assert.deepEqual(
    [held.sticks[0].x, held.sticks[0].y, held.sticks[1].x, held.sticks[1].y],
    [1, 0, -1, 0],
  );
  assert.deepEqual(held.pedals, { follow: false, clutch: true, camera: false });
  assert.equal(held.squeeze[0], 0.7);
  assert.deepEqual(readPad({ axes: [], buttons: [] }).pedals, {
    follow: false,
    clutch: false,
    camera: false,
  });
});

test("every text of the palette is legible (WCAG AA, 4.5 to 1)", async () => {
  const css = await readFile(new URL("../src/lib/tokens.css", import.meta.url), "utf8");
  const colour = (name) => css.match(new RegExp(`--${name}: (#[0-9a-f]{6});`))[1];
  const light = (hex) => {
    const [r, g, b] = [1, 3, 5].map((at) => {
      const c = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [dark, bright] = [light(a), light(b)].sort((x, y) => x - y);
    return (bright + 0.05) / (dark + 0.05);
  };
  for (const ground of ["bg", "panel", "raised"])
    for (const text of ["text", "dim", "accent", "amber", "red", "off"])
      assert.ok(contrast(colour(ground), colour(text)) >= 4.5, `${text} on ${ground}`);
  for (const [ground, text] of [
    ["accent", colour("on-accent")],
    ["amber", colour("on-amber")],
    ["red-fill", "#ffffff"],
  ])
    assert.ok(contrast(colour(ground), text) >= 4.5, `text on ${ground}`);
});

test("every gate and every refusal of a case has its Chinese", async () => {
  const { said } = await load("lib/i18n/ortho-said.ts");
  const source = async (file) =>
    (
      await readFile(new URL(`../../crates/ortho/src/case/${file}`, import.meta.url), "utf8")
    ).replace(/\\\n\s*/g, "");
  const gates = [...(await source("gate.rs")).matchAll(/G::\w+ => \("([^"]+)"/g)].map((m) => m[1]);
  assert.ok(gates.length >= 40, `${gates.length} gates found`);
  const refusals = await source("refusal.rs");
  const table = refusals.slice(
    refusals.indexOf("const fn words"),
    refusals.indexOf("Words { what, unit, clears }"),
  );
  const sentences = [...table.matchAll(/"([^"]+)"/g)].map((m) => m[1]);
  assert.ok(sentences.length >= 60, `${sentences.length} sentences found`);
  assert.deepEqual(
    [...gates, ...sentences].filter((text) => !said[text]),
    [],
  );
});

test("every rule of a guiding robot has its words in both languages", async () => {
  const { rules } = await load("lib/i18n/ortho-rules.ts");
  for (const table of Object.values(rules)) {
    assert.equal(Object.keys(table).length, 18);
    for (let i = 1; i <= 18; i += 1) {
      const words = table[`O-${String(i).padStart(3, "0")}`];
      assert.ok(words?.what && words?.clears, String(i));
    }
  }
});

test("a plane cuts a screw where it should", async () => {
  const { section, toPoint, toSpot, STANDARD, moved, letters, nearestLength } =
    await load("lib/ortho/geometry.ts");
  const screw = { entry_mm: [0, 30, 0], tip_mm: [0, -15, 0], diameter_mm: 6 };
  const frame = (axes, centre = [0, 0, 0]) => ({
    ...axes,
    centre,
    mm_per_px: 0.5,
    width: 400,
    height: 400,
  });
  const axial = frame(STANDARD.axial);
  const size = (spots, way) =>
    Math.max(...spots.map((s) => s[way])) - Math.min(...spots.map((s) => s[way]));
  const along = section(axial, screw);
  assert.ok(
    Math.abs(size(along, "x") - 12) < 0.1 && Math.abs(size(along, "y") - 90) < 0.1,
    "6 mm by 45 mm",
  );
  assert.ok(
    size(section(frame(STANDARD.axial, [0, 0, 2]), screw), "x") < 10,
    "off its axis it is thinner",
  );
  assert.equal(section(frame(STANDARD.axial, [0, 0, 3.1]), screw).length, 0, "and then gone");
  const across = section(frame(STANDARD.coronal), screw);
  assert.ok(
    Math.abs(size(across, "x") - 12) < 0.1 && Math.abs(size(across, "y") - 12) < 0.1,
    "a circle across",
  );
  assert.equal(
    section(frame(STANDARD.coronal, [0, 31, 0]), screw).length,
    0,
    "none before the entry",
  );
  const point = toPoint(axial, 123, 77);
  const spot = toSpot(axial, point);
  assert.ok(
    Math.abs(spot.x - 123) < 1e-9 && Math.abs(spot.y - 77) < 1e-9 && Math.abs(spot.out_mm) < 1e-9,
  );
  const tip = moved(screw, "tip", [10, 0, 0]);
  const long = Math.hypot(...tip.tip_mm.map((c, i) => c - tip.entry_mm[i]));
  assert.ok(Math.abs(long - 45) < 1e-9, "a length of the catalogue");
  assert.equal(nearestLength(48), 50);
  assert.equal(letters([1, 0, 0]) + letters([0, 1, 0]) + letters([0, 0, 1]), "LPH", "DICOM LPS");
  assert.equal(letters([0.8, -0.6, 0]), "LA");
});

test("black or white is chosen so that every colour of a site can be read", async () => {
  const { inkOn } = await load("lib/ortho/colour.ts");
  assert.equal(inkOn("#2f6fb0"), "#ffffff");
  assert.equal(inkOn("#f08a24"), "#000000");
  assert.equal(inkOn("no colour"), "#ffffff");
});

test("a refusal's sentence is shown without its number and its remedy, which stand beside it", async () => {
  const { sentence } = await load("lib/ortho/sentence.ts");
  assert.equal(
    sentence(
      "O-006: the local hold-to-run signal is missing: 250 ms against 200 ms. The robot holds. Press again.",
      "Press again.",
    ),
    "the local hold-to-run signal is missing: 250 ms against 200 ms.",
  );
});
