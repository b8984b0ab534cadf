// Both pages against the real program: `TELEHAND=path/to/telehand npm run test:real`.
// With PICTURES=folder the pages are photographed on the way.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { colours, launch, until } from "./browser.mjs";

const PICTURES = process.env.PICTURES;
let browser, demo, folder, console_url, bedside_url;

before(async () => {
  assert.ok(process.env.TELEHAND, "set TELEHAND to the program");
  folder = await mkdtemp(join(tmpdir(), "telehand-pages-"));
  const args = ["demo", "--out", join(folder, "out"), ...(process.env.DEMO_ARGS ?? "").split(" ")];
  demo = spawn(process.env.TELEHAND, args.filter(Boolean), {
    // no browser of its own
    env: { ...process.env, DISPLAY: "", WAYLAND_DISPLAY: "", BROWSER: "true" },
  });
  let said = "";
  for (const stream of [demo.stdout, demo.stderr]) stream.on("data", (bytes) => (said += bytes));
  const address = (side) => said.match(new RegExp(`${side} +(http://\\S+)`))?.[1];
  await until("the addresses", () => address("console") && address("bedside"), 60_000);
  [console_url, bedside_url] = [address("console"), address("bedside")];
  browser = await launch();
});
after(async () => {
  await browser?.close();
  demo?.kill("SIGINT");
  if (demo && demo.exitCode === null) await once(demo, "exit");
  await rm(folder, { recursive: true, force: true });
});

async function open(url, locale = "en-US") {
  const context = await browser.newContext({ viewport: { width: 1920, height: 1080 }, locale });
  const page = await context.newPage();
  const bad = [];
  page.on("console", (message) => {
    if (message.type() === "warning") console.log(`# ${message.text()}`);
    if (message.type() === "error" && !message.text().includes("409")) bad.push(message.text());
  });
  page.on("pageerror", (error) => bad.push(String(error)));
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol !== "data:" && hostname !== "127.0.0.1") bad.push(`request to ${request.url()}`);
  });
  await page.goto(url);
  const by = (id) => page.getByTestId(id);
  const state = () => page.evaluate(async () => (await fetch("/api/state")).json());
  const words = (expected) =>
    until(
      `state ${expected}`,
      async () => (await by("state-word").textContent()) === expected,
      60_000,
    );
  /** A photograph, of a fresh picture if one comes in time. */
  const picture = async (name) => {
    if (!PICTURES) return;
    const fresh = async () => (await by("picture-banner").count()) === 0;
    await until("a fresh picture", fresh, 5_000).catch(() => {});
    await page.screenshot({ path: join(PICTURES, name) });
  };
  const close = async () => {
    await context.close();
    assert.deepEqual(bad, []);
  };
  return { page, by, state, words, picture, close };
}

test("from off to following and back, over the emulated network", async () => {
  // one page at a time: two software-rendered pages beside the robot are much for a small machine
  let bedside = await open(bedside_url);
  await until("a camera picture", async () => (await colours(bedside.page)).different > 60, 60_000);
  await bedside.words("Off");
  await bedside.by("act-enable").click();
  await bedside.words("Local");
  const grant = bedside.by("act-grant");
  await until(
    "the link",
    async () => (await grant.getAttribute("aria-disabled")) === "false",
    60_000,
  );
  await grant.click();
  await until("granted", async () => (await bedside.state()).guard.authority !== "bedside");
  await bedside.picture("bedside-en.png");
  await bedside.close();

  const surgeon = await open(console_url);
  const { page, by } = surgeon;
  await until("a picture", async () => (await colours(page)).different > 60, 60_000);
  await engage(surgeon);
  const tip = async () => (await surgeon.state()).arms.find((arm) => arm.id === "PSM2").tip_mm;
  const from = await tip();
  for (let i = 1; i <= 40; i += 1) await page.mouse.move(600 + 2 * i, 500);
  await until("the instrument follows the mouse", async () => {
    const to = await tip();
    return Math.hypot(...to.map((c, i) => c - from[i])) > 1;
  });
  await surgeon.picture("console-following-en.png");
  await page.evaluate(() => window.dispatchEvent(new Event("blur")));
  await until(
    "no longer following",
    async () => (await surgeon.state()).guard.state !== "FOLLOWING",
  );
  await page.keyboard.up("Space");
  await page.evaluate(() => window.dispatchEvent(new Event("focus")));

  await engage(surgeon);
  await by("cut-all").click();
  await until("the loss or the hold", async () =>
    ["Link lost", "Hold"].includes(await by("state-word").textContent()),
  );
  await surgeon.picture("console-lost-en.png");
  await surgeon.words("Hold");
  await page.keyboard.press("KeyL");
  await surgeon.words("保持");
  assert.match(await by("reason").textContent(), /G-\d{3}/);
  await surgeon.picture("console-hold-zh.png");
  await surgeon.close();

  bedside = await open(bedside_url);
  await bedside.words("Hold");
  await bedside.page.keyboard.press("t");
  await bedside.words("Local");
  await bedside.page.keyboard.press("s");
  await bedside.words("Stopped");
  await bedside.picture("bedside-stop-en.png");
  await bedside.by("act-clear_stop").click();
  await bedside.by("act-clear_stop").click();
  await bedside.words("Off");
  await bedside.close();
});

/** The guard wants a link and a picture that are good for a second, then the pedal up and down. */
async function engage({ page, by, state }) {
  await by("stage").focus();
  await page.mouse.move(600, 500);
  const is = async (...names) => names.includes((await state()).guard.state);
  await until(
    "following",
    async () => {
      await page.keyboard.up("Space");
      await until("armed or held", () => is("ARMED", "HOLD"));
      await page.keyboard.down("Space");
      for (let i = 0; i < 20; i += 1) if (await is("FOLLOWING")) return true;
      return false;
    },
    90_000,
  );
}
