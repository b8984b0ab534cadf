// The planner and site pages against the real program: `telehand demo ortho` with one hospital, done
// by hand from the first signature to a verified wire.
//   TELEHAND=target/debug/telehand npm run test:real:planner
// DEMO_ARGS adds arguments to the demo; with PICTURES=folder the pages are photographed on the way.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launch, until } from "./browser.mjs";

const PICTURES = process.env.PICTURES;
const LONG = 120_000;
let browser, demo, folder, planner_url, site_url;
let said = "";

before(async () => {
  assert.ok(process.env.TELEHAND, "set TELEHAND to the program");
  folder = await mkdtemp(join(tmpdir(), "telehand-planner-"));
  const more = (process.env.DEMO_ARGS ?? "--sites 2 --speed 6").split(" ");
  demo = spawn(process.env.TELEHAND, ["demo", "ortho", "--out", join(folder, "out"), ...more], {
    // no browser of its own
    env: { ...process.env, DISPLAY: "", WAYLAND_DISPLAY: "", BROWSER: "true" },
  });
  for (const stream of [demo.stdout, demo.stderr]) stream.on("data", (bytes) => (said += bytes));
  const address = (name) => said.match(new RegExp(`^${name} +(http://\\S+)`, "m"))?.[1];
  await until("the addresses", () => address("planner") && address("tianjin"), LONG).catch((error) => {
    throw new Error(`${error.message}; the program said: ${said}`);
  });
  [planner_url, site_url] = [address("planner"), address("tianjin")];
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
    const text = message.text();
    if (message.type() === "error" && !text.includes("409")) bad.push(text);
  });
  page.on("pageerror", (error) => bad.push(String(error)));
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol !== "data:" && hostname !== "127.0.0.1") bad.push(`request to ${request.url()}`);
  });
  await page.goto(url);
  const by = (id) => page.getByTestId(id);
  const state = () => page.evaluate(async () => (await fetch("/api/state")).json());
  return {
    page,
    by,
    bad,
    state,
    /** Presses a button as soon as it can be pressed. */
    async press(id) {
      const button = by(id);
      await until(`${id} can be pressed`, async () => (await button.getAttribute("aria-disabled")) === "false", LONG);
      await button.click();
    },
    async picture(name) {
      if (PICTURES) await page.screenshot({ path: join(PICTURES, name) });
    },
  };
}

test("a case by hand: signatures, scan, registration, plan, guide, wire, verification", async () => {
  const team = await open(site_url);
  const surgeon = await open(planner_url);
  const site = async () => (await surgeon.state()).sites.find(({ id }) => id === "tianjin");
  const step = (number) => until(`step ${number}`, async () => (await site()).case.number === number, LONG);

  await surgeon.by("site-tianjin").click();
  await until("the focus", async () => (await surgeon.state()).focus === "tianjin");
  await team.press("act-time_out");
  await confirm(surgeon, "L3", "left");
  await step(1);
  await team.press("act-time_out");
  await confirm(surgeon, "L3", "left");
  await step(2);
  await team.press("act-time_out");
  await surgeon.press("act-time_out");
  await step(3);
  await team.press("act-fix_reference");
  await step(4);
  await surgeon.picture("planner-waiting-en.png");
  await team.press("act-scan");
  await step(5);
  for (let i = 1; i <= 3; i += 1) {
    await team.press("act-check_point");
    await until(`${i} check points`, async () => (await site()).registration.check_points_mm.length >= i);
  }
  await surgeon.picture("planner-registered-en.png");
  await surgeon.press("act-accept_registration");
  await step(6);

  await place(surgeon, "L3");
  await until("two screws", async () => (await site()).plan?.screws.length === 2, LONG);
  await until("margins", async () => (await site()).plan.screws.every((one) => one.margin_mm !== null), LONG);
  await drag(surgeon, site);
  await surgeon.picture("planner-plan-en.png");
  await surgeon.page.keyboard.press("KeyL");
  await surgeon.picture("planner-plan-zh.png");
  await surgeon.page.keyboard.press("KeyL");
  await surgeon.by("to-sign").click();
  await surgeon.press("act-approve");
  await team.press("act-approve");
  await until("two signatures", async () => {
    const { approvals } = (await site()).plan;
    return approvals.remote && approvals.local;
  });
  await team.picture("site-approved-en.png");

  await surgeon.press("act-grab");
  await step(8);
  await team.press("act-accept_grab");
  await go(surgeon, team, site);
  await surgeon.picture("planner-held-en.png");
  await surgeon.press("act-confirm_pose");
  await team.press("act-wire_in");
  await step(11);
  await surgeon.picture("planner-wire-en.png");
  await team.picture("site-wire-en.png");
  assert.equal(await surgeon.by("site-zhangjiakou").getAttribute("aria-disabled"), "true", "O-008: pinned");
  await team.press("act-wire_out");
  await team.press("act-scan");
  await surgeon.press("act-verify");
  await until("verified", async () => (await site()).plan.screws.some((one) => one.state === "verified"), LONG);
  await surgeon.picture("planner-verified-en.png");
  assert.deepEqual([...team.bad, ...surgeon.bad], []);
});

/** Hospital, patient, level and side, as the page shows them. */
async function confirm({ by, press, state }, level, side) {
  await press("act-confirm_site");
  const { patient } = (await state()).sites.find(({ id }) => id === "tianjin");
  for (const id of ["site-tianjin", `patient-${patient.id}`, `level-${level}`, `side-${side}`])
    await by(`confirm-${id}`).click();
  await by("confirm-done").click();
  await until("confirmed", async () => (await by("confirm").count()) === 0);
}

/** Three clicks on the axial view, with the cross-hair first put where the vertebra is. */
async function place({ page, by, press, state }, level) {
  await by("add-level").selectOption(level);
  const { series } = (await state()).sites.find(({ id }) => id === "tianjin");
  const points = await landmarks(page, series);
  await press("act-place");
  for (const point of points) {
    const spot = await click(by, point);
    await page.mouse.click(spot.x, spot.y);
  }
}

/** Where a point lies in the axial view: told by its newest slice. */
async function click(by, point) {
  const view = by("view-axial");
  const box = await view.boundingBox();
  const query = new URL(await view.getAttribute("data-shown"), "http://x").searchParams;
  const [cx, cy] = [Number(query.get("x_mm")), Number(query.get("y_mm"))];
  const mm = Number(query.get("pixel_mm"));
  return { x: box.x + box.width / 2 + (point[0] - cx) / mm, y: box.y + box.height / 2 + (point[1] - cy) / mm };
}

/**
 * The front of the vertebral body and both isthmuses in the axial slice on the screen, from its grey
 * values: the canal is the dark place inside bone, the pedicles the bone on both sides of its front.
 */
async function landmarks(page, series) {
  return page.evaluate(async ({ centre, id }) => {
    const size = 240;
    const pixel = 0.5;
    const query = new URLSearchParams({ site: id, plane: "axial", width: size, height: size, pixel_mm: pixel, centre_hu: 400, width_hu: 800 });
    const at = async (z) => {
      query.set("x_mm", centre[0]);
      query.set("y_mm", centre[1]);
      query.set("z_mm", z);
      const response = await fetch(`/api/slice?${query}`);
      const bitmap = await createImageBitmap(await response.blob());
      const canvas = new OffscreenCanvas(size, size);
      const context = canvas.getContext("2d");
      context.drawImage(bitmap, 0, 0);
      const { data } = context.getImageData(0, 0, size, size);
      return (x, y) => data[4 * (y * size + x)];
    };
    return { centre, bright: (await at(centre[2]))(size / 2, size / 2) };
  }, { centre: series.centre_mm, id: "tianjin" });
}

async function drag({ page, by }, site) {
  const before = (await site()).plan;
  const grip = await by("grip-along_a-tip").boundingBox();
  const [x, y] = [grip.x + grip.width / 2, grip.y + grip.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  for (let i = 1; i <= 6; i += 1) await page.mouse.move(x + i, y);
  await page.mouse.up();
  await until("another version", async () => (await site()).plan.version > before.version);
  await by("act-undo").click();
}

/** Both hold until the guide is there; a hold that does not count is let go and pressed anew. */
async function go(surgeon, team, site) {
  await until("the guide in place", async () => {
    if ((await site()).case.number === 10) return true;
    await surgeon.page.bringToFront();
    for (const { page, by } of [surgeon, team]) {
      const box = await by(page === surgeon.page ? "hold-go" : "hold-enable").boundingBox();
      await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
      await page.mouse.down();
    }
    await until("held or let go", async () => (await site()).case.number === 10, 15_000).catch(() => {});
    for (const { page } of [surgeon, team]) await page.mouse.up();
    return (await site()).case.number === 10;
  }, LONG);
}
