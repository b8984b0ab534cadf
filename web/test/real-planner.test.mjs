// The planner and site pages against the real program: `telehand demo ortho`, one hospital done by hand
// from the first signature to a wire that a second expert verifies, the others waiting beside it.
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
let browser, demo, folder, planner_url, second_url, site_url;
/** The other hospitals' pages, by name. */
let others;
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
  await until("the addresses", () => address("planner") && address("tianjin"), LONG).catch(
    (error) => {
      throw new Error(`${error.message}; the program said: ${said}`);
    },
  );
  [planner_url, second_url, site_url] = ["planner", "second", "tianjin"].map(address);
  others = Object.fromEntries(
    ["zhangjiakou", "karamay"].filter(address).map((id) => [id, address(id)]),
  );
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
      await until(
        `${id} can be pressed`,
        async () => (await button.getAttribute("aria-disabled")) === "false",
        LONG,
      );
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
  const step = (number) =>
    until(`step ${number}`, async () => (await site()).case.number === number, LONG);

  if (others.zhangjiakou) await prepare(surgeon, "zhangjiakou", 5);
  if (others.karamay) await prepare(surgeon, "karamay", 4);
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
    await until(
      `${i} check points`,
      async () => (await site()).registration?.check_points_mm.length >= i,
    );
  }
  await surgeon.picture("planner-registered-en.png");
  await surgeon.press("act-accept_registration");
  await step(6);

  await place(surgeon, "L3");
  await until("two screws", async () => (await site()).plan?.screws.length === 2, LONG);
  await until(
    "margins",
    async () => (await site()).plan.screws.every((one) => one.margin_mm !== null),
    LONG,
  );
  await drag(surgeon, site);
  await surgeon.picture("planner-plan-en.png");
  if (PICTURES) await surgeon.page.locator("section.views").screenshot({ path: join(PICTURES, "views-en.png") });
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
  await surgeon.page.keyboard.press("KeyL");
  await surgeon.picture("planner-held-zh.png");
  await surgeon.page.keyboard.press("KeyL");
  await surgeon.press("act-confirm_pose");
  await until(
    "the pose is confirmed",
    async () => (await site()).case.gates.every(({ ok }) => ok),
    LONG,
  );
  await team.press("act-wire_in");
  await step(11);
  await surgeon.picture("planner-wire-en.png");
  await team.picture("site-wire-en.png");
  assert.equal(
    await surgeon.by("site-zhangjiakou").getAttribute("aria-disabled"),
    "true",
    "O-008: pinned",
  );
  await team.page.keyboard.press("KeyL");
  await team.picture("site-wire-zh.png");
  await team.page.keyboard.press("KeyL");
  await team.press("act-wire_out");
  await team.press("act-scan");
  await until("the wire is measured", async () => (await site()).waiting?.needs === "verify", LONG);

  // O-008: whoever must leave hands over to a named person, who reads back
  const second = await open(second_url);
  // a lease that ran out while a busy machine scanned is renewed by the one who watches the wire
  const held = async () => {
    if ((await site()).lease.mine) return true;
    await surgeon.by("act-grab").click();
    return false;
  };
  await until("the robot is the surgeon's", held, LONG);
  await surgeon.press("act-hand_off");
  await surgeon.by("hand-to-second").click();
  await surgeon.picture("planner-hand-over-en.png");
  await surgeon.by("hand-done").click();
  await second.by("site-tianjin").click();
  await second.press("act-read_back");
  await choose(second, "L3", "left");
  await until(
    "the robot is the second expert's",
    async () => (await second.state()).sites.find(({ id }) => id === "tianjin").lease.mine,
  );
  assert.equal((await site()).lease.mine, false);
  await confirm(second, "L3", "left");
  await second.press("act-verify");
  await until(
    "verified",
    async () => (await site()).plan.screws.some((one) => one.state === "verified"),
    LONG,
  );
  await second.picture("planner-second-en.png");
  assert.deepEqual([...team.bad, ...surgeon.bad, ...second.bad], []);
});

/** Brings another hospital to a step through the same API as the pages, so that it waits. */
async function prepare(surgeon, id, step) {
  const { origin, searchParams } = new URL(others[id]);
  const authorization = `Bearer ${searchParams.get("token")}`;
  const site = async () => (await surgeon.state()).sites.find((one) => one.id === id);
  const press = (body) =>
    surgeon.page.evaluate(
      async (body) =>
        (await (await fetch("/api/action", { method: "POST", body: JSON.stringify(body) })).json())
          .ok,
      { site: id, ...body },
    );
  const team = async (action) => {
    const body = JSON.stringify({ action });
    const answer = await fetch(`${origin}/api/action`, {
      method: "POST",
      headers: { authorization },
      body,
    });
    return (await answer.json()).ok;
  };
  await press({ action: "focus" });
  await until("not blank", async () => (await surgeon.state()).blank_ms === 0);
  const { patient } = await site();
  const four = { action: "confirm", patient: patient.id, level: "L3", side: "left" };
  const work = [
    () => team("time_out").then(() => press(four)),
    () => team("time_out").then(() => press(four)),
    () => team("time_out").then(() => press({ action: "time_out" })),
    () => team("fix_reference"),
    () => team("scan"),
  ];
  for (let now = 0; now < step; now += 1) {
    const left = async () => (await site()).case.number > now;
    // either signature may have come to nothing on a busy machine: both are given again
    let pressed = 0;
    const again = async () => {
      // not while what was pressed is under way: another scan would overtake the first
      if (Date.now() - pressed > (now === 4 ? 40_000 : 2_000)) {
        pressed = Date.now();
        await work[now]();
      }
      return left();
    };
    await until(`${id} leaves step ${now}`, again, LONG);
  }
  if (step < 5) return;
  for (let i = 1; i <= 3; i += 1) {
    // a scan that cannot be registered is repeated, as people do
    const touched = async () => {
      if (await team("check_point")) return true;
      if (!(await site()).registration && !(await site()).robot.task) await team("scan");
      return false;
    };
    await until(
      `a point is touched; ${JSON.stringify((await site()).events.slice(-6))}`,
      touched,
      LONG,
    );
    await until("heard of", async () => (await site()).registration?.check_points_mm.length >= i);
  }
}

/** Hospital, patient, level and side, as the page shows them. */
async function confirm(page, level, side) {
  await page.press("act-confirm_site");
  await choose(page, level, side);
}

async function choose({ by, state }, level, side) {
  const { patient } = (await state()).sites.find(({ id }) => id === "tianjin");
  for (const id of ["site-tianjin", `patient-${patient.id}`, `level-${level}`, `side-${side}`])
    await by(`confirm-${id}`).click();
  await by("confirm-done").click();
  await until("confirmed", async () => (await by("confirm").count()) === 0);
}

/** Three clicks on the axial view, scrolled to where the pedicles of the vertebra are. */
async function place({ page, by, press, state }, level) {
  await by("add-level").selectOption(level);
  const { series } = (await state()).sites.find(({ id }) => id === "tianjin");
  const points = await landmarks(page, series, MIDDLE);
  const view = by("view-axial");
  await view.focus();
  for (let i = 0; i < 3; i += 1) await page.keyboard.press("-");
  const shown = async () => new URL(await view.getAttribute("data-shown"), "http://x").searchParams;
  const z = async () => Number((await shown()).get("z_mm"));
  const steps = Math.round((points[0][2] - (await z())) / 0.5);
  for (let i = 0; i < Math.abs(steps); i += 1)
    await page.keyboard.press(steps > 0 ? "PageDown" : "PageUp");
  await until(
    "the slice of the pedicles",
    async () => Math.abs((await z()) - points[0][2]) < 0.3,
    LONG,
  );
  await press("act-place");
  const box = await view.boundingBox();
  const query = await shown();
  const mm = Number(query.get("pixel_mm"));
  for (const point of points) {
    const [dx, dy] = ["x_mm", "y_mm"].map((key, i) => (point[i] - Number(query.get(key))) / mm);
    await page.mouse.click(box.x + box.width / 2 + dx, box.y + box.height / 2 + dy);
  }
}

/** Of the demo's vertebrae L2 to L4, from the head down. */
const MIDDLE = 1;

/**
 * The front of a vertebral body and both isthmuses, from the grey values of axial slices: where the
 * dark canal is closed by bone all round there are pedicles, on both sides of its front.
 */
async function landmarks(page, series, which) {
  return page.evaluate(
    async ({ box, id, which }) => {
      const size = 220;
      const bone = 84; // 130 HU in the window below
      const middle = [0, 1].map((i) => (box[0][i] + box[1][i]) / 2);
      const slice = async (z) => {
        const query = new URLSearchParams({
          site: id,
          plane: "axial",
          x_mm: middle[0],
          y_mm: middle[1],
          z_mm: z,
          width: size,
          height: size,
          pixel_mm: 1,
          centre_hu: 400,
          width_hu: 1600,
        });
        const response = await fetch(`/api/slice?${query}`);
        const { origin_mm } = JSON.parse(response.headers.get("x-telehand-plane"));
        const bitmap = await createImageBitmap(await response.blob());
        const context = new OffscreenCanvas(size, size).getContext("2d");
        context.drawImage(bitmap, 0, 0);
        const { data } = context.getImageData(0, 0, size, size);
        return {
          z,
          origin_mm,
          hard: Array.from({ length: size * size }, (_, i) => data[4 * i] > bone),
        };
      };
      const flood = (seen, from, hard) => {
        const found = [];
        const next = [from];
        seen[from] = true;
        while (next.length) {
          const i = next.pop();
          found.push(i);
          const x = i % size;
          for (const j of [x > 0 && i - 1, x < size - 1 && i + 1, i - size, i + size])
            if (j !== false && j >= 0 && j < size * size && !seen[j] && !hard[j]) {
              seen[j] = true;
              next.push(j);
            }
        }
        return found;
      };
      const canals = [];
      for (let z = box[0][2] + 2; z < box[1][2] - 2; z += 2) {
        const cut = await slice(z);
        const seen = new Array(size * size).fill(false);
        for (let i = 0; i < size * size; i += 1) {
          const edge =
            i % size === 0 || i % size === size - 1 || i < size || i >= size * (size - 1);
          if (edge && !seen[i] && !cut.hard[i]) flood(seen, i, cut.hard);
        }
        let best = [];
        for (let i = 0; i < size * size; i += 1)
          if (!seen[i] && !cut.hard[i]) {
            const found = flood(seen, i, cut.hard);
            if (found.length > best.length) best = found;
          }
        if (best.length < 100 || best.length > 700) continue;
        const xs = best.map((i) => i % size);
        const ys = best.map((i) => Math.floor(i / size));
        canals.push({
          ...cut,
          left: Math.max(...xs),
          right: Math.min(...xs),
          front: Math.min(...ys),
        });
      }
      const runs = [];
      for (const canal of canals) {
        const run = runs.at(-1);
        if (run && canal.z - run.at(-1).z < 5) run.push(canal);
        else runs.push([canal]);
      }
      const run = runs.filter((one) => one.length > 2).reverse()[which];
      const { z, origin_mm, hard, left, right, front } = run[Math.floor(run.length / 2)];
      const x = Math.round((left + right) / 2);
      let y = front - 1;
      for (let soft = 0; y > 0 && soft < 4; y -= 1) soft = hard[y * size + x] ? 0 : soft + 1;
      const at = (i, j) => [origin_mm[0] + i, origin_mm[1] + j, z];
      return [at(x, y + 4), at(left + 4, front + 3), at(right - 4, front + 3)];
    },
    { box: series.box_mm, id: "tianjin", which },
  );
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
  await until(
    "the guide in place",
    async () => {
      if ((await site()).case.number === 10) return true;
      await surgeon.page.bringToFront();
      for (const { page, by } of [surgeon, team]) {
        const box = await by(page === surgeon.page ? "hold-go" : "hold-enable").boundingBox();
        await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
        await page.mouse.down();
      }
      await until("held or let go", async () => (await site()).case.number === 10, 15_000).catch(
        () => {},
      );
      for (const { page } of [surgeon, team]) await page.mouse.up();
      return (await site()).case.number === 10;
    },
    LONG,
  );
}
