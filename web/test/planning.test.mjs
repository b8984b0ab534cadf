// Editing a plan on the planner page, in a real browser.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, until, visit } from "./browser.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

/** Runs `body` on a visited page; whatever happens, the page may not have misbehaved. */
const on = (options, body) => async () => {
  const visited = await visit(browser, { side: "planner", ...options });
  try {
    await visited.by("planner").waitFor();
    await body(visited);
    assert.deepEqual(visited.bad, []);
  } finally {
    await visited.close();
  }
};
const sent = (ward, action) => ward.heard.actions.filter((one) => one.action === action);
const gone = (locator) => until("gone", async () => (await locator.count()) === 0);
const enabled = (by, id) =>
  until(
    `${id} can be pressed`,
    async () => (await by(id).getAttribute("aria-disabled")) === "false",
  );
const sliced = (by, name) =>
  until(
    `a slice in ${name}`,
    async () => (await by(`view-${name}`).getAttribute("data-shown")) !== null,
  );

test(
  "a drag is drawn and judged at once, and is one version when the hand lets go; undo takes it back",
  on({}, async ({ page, by, ward }) => {
    const plan = ward.sites[0].plan;
    const before = plan.screws[0].tip_mm;
    await sliced(by, "axial");
    const grip = await by("grip-axial-tip").boundingBox();
    const [x, y] = [grip.x + grip.width / 2, grip.y + grip.height / 2];
    await page.mouse.move(x, y);
    await page.mouse.down();
    for (let i = 1; i <= 12; i += 1) await page.mouse.move(x + 2 * i, y);
    await until("the margin of the process", async () =>
      /[▲◐]/.test(await by("plan-L3L").textContent()),
    );
    assert.equal(plan.version, 3, "nothing is in the plan on the way");
    assert.equal(sent(ward, "plan_set").length, 0);
    await page.mouse.up();
    await until("the newest place", () => Math.abs(plan.screws[0].tip_mm[0] - before[0]) > 2);
    const edits = sent(ward, "plan_set");
    assert.deepEqual(
      edits.map(({ version }) => version),
      [3],
      "one edit, on the version that was shown",
    );
    assert.equal(plan.version, 4);
    const length = Math.hypot(
      ...edits.at(-1).screw.tip_mm.map((c, i) => c - edits.at(-1).screw.entry_mm[i]),
    );
    assert.ok(
      Math.abs(length / 5 - Math.round(length / 5)) < 1e-6,
      `a length of the catalogue: ${length}`,
    );
    await enabled(by, "act-undo");
    await by("act-undo").click();
    await until("back", () => JSON.stringify(plan.screws[0].tip_mm) === JSON.stringify(before));
  }),
);

test(
  "a plan that was changed meanwhile wins, and the surgeon is told",
  on({}, async ({ page, by, ward }) => {
    await sliced(by, "axial");
    const grip = await by("grip-axial-head").boundingBox();
    await page.mouse.move(grip.x + grip.width / 2, grip.y + grip.height / 2);
    await page.mouse.down();
    const site = ward.sites[0];
    site.plan.screws[0].diameter_mm = 5.5;
    site.edited("Dr Qian", "L3L thinner");
    await page.mouse.move(grip.x + 40, grip.y + 10, { steps: 3 });
    await by("conflict").waitFor();
    await page.mouse.up();
    assert.match(await by("conflict").textContent(), /Dr Qian made version 4.*version 3/s);
    assert.match(await by("plan-L3L").textContent(), /5\.5/, "the plan in force is shown");
    assert.equal(site.plan.version, 4, "nothing of the edit was kept");
    await by("act-conflict_seen").click();
    await gone(by("conflict"));
  }),
);

test(
  "screws are edited by keys and lists, removed, compared with an old version",
  on({}, async ({ page, by, ward }) => {
    const plan = ward.sites[0].plan;
    await sliced(by, "axial");
    await by("grip-axial-axis").focus();
    await page.keyboard.press("ArrowRight");
    await until("half a millimetre", () => plan.version === 4);
    await until(
      "not busy",
      async () => await by("plan-tools").locator("select").first().isEnabled(),
    );
    await by("diameter").selectOption("5");
    await until("thinner", () => plan.screws[0].diameter_mm === 5);
    await until("length", async () => (await by("plan-L3L").textContent()).includes("5.0 × 45"));
    await by("length").selectOption("40");
    await until("shorter", () => plan.version === 6);
    await until("shown", async () => (await by("plan-L3L").textContent()).includes("5.0 × 40"));
    await by("plan-tools").locator("summary").click();
    await by("compare-3").click();
    await until("the difference", async () =>
      /L3L: entry 0\.5 mm.*6\.5 × 45 → 5\.0 × 40/s.test(await by("compared").textContent()),
    );
    await by("act-remove").click();
    await until("removed", () => plan.screws.every(({ id }) => id !== "L3L"));
    await until(
      "another is selected",
      async () => (await by("plan-L3R").getAttribute("aria-pressed")) === "true",
    );
  }),
);

test(
  "a level is added by three clicks",
  on({}, async ({ page, by, ward }) => {
    await sliced(by, "axial");
    await by("add-level").selectOption("L2");
    await by("act-place").click();
    const box = await by("view-axial").boundingBox();
    for (const [step, dx, dy] of [
      [/front/, 0, -60],
      [/LEFT pedicle/, 30, 0],
      [/RIGHT pedicle/, -30, 0],
    ]) {
      await until("the next place", async () => step.test(await by("placing").textContent()));
      await page.mouse.click(box.x + box.width / 2 + dx, box.y + box.height / 2 + dy);
    }
    await until("suggested", () => sent(ward, "suggest").length === 1);
    const { level, version, landmarks } = sent(ward, "suggest")[0];
    assert.deepEqual([level, version], ["L2", 3]);
    assert.ok(
      landmarks.left_mm[0] > landmarks.right_mm[0],
      "the patient's left is on the right of the picture",
    );
    await by("plan-L2L").waitFor();
  }),
);

test(
  "the wheel scrolls through the slices, a drag moves the picture, a right drag the window",
  on({}, async ({ page, by, ward }) => {
    await sliced(by, "axial");
    const box = await by("view-axial").boundingBox();
    const last = () => ward.heard.slices.filter((one) => one.plane === "axial").at(-1);
    const from = last();
    await page.mouse.move(box.x + 40, box.y + 60);
    await page.mouse.wheel(0, 100);
    await until(
      "the next slice",
      () => Math.abs(Number(last().z_mm) - Number(from.z_mm) - 0.5) < 1e-6,
    );
    await page.mouse.down();
    await page.mouse.move(box.x + 80, box.y + 60, { steps: 4 });
    await page.mouse.up();
    await until("moved", () => Number(last().x_mm) < Number(from.x_mm) - 5);
    await page.mouse.down({ button: "right" });
    await page.mouse.move(box.x + 160, box.y + 60, { steps: 4 });
    await page.mouse.up({ button: "right" });
    await until("a wider window", () => Number(last().width_hu) > Number(from.width_hu));
    await by("window-soft").click();
    await until("soft tissue", () => last().width_hu === "400");
    assert.equal(sent(ward, "plan_set").length, 0);
  }),
);
