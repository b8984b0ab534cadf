// The planner page in a real browser.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, until, visit } from "./browser.mjs";
import { faint } from "./contrast.mjs";

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
const holds = (ward) => ward.heard.holds;
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

/** Presses GO with the mouse and waits until the process hears it. */
async function go({ page, ward, by }) {
  await enabled(by, "hold-go");
  const box = await by("hold-go").boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await until("the signal, repeated", () => holds(ward).filter((one) => one.on).length >= 4);
}
const stopped = async (ward, why) => {
  await until(`released: ${why}`, () => holds(ward).at(-1)?.on === false);
  const count = holds(ward).length;
  await new Promise((later) => setTimeout(later, 200));
  assert.equal(holds(ward).length, count, `nothing more is sent: ${why}`);
};

for (const [language, words] of Object.entries({
  en: {
    hospital: "Harbour Hospital",
    giant: /L3 LEFT/,
    state: "Planned",
    go: /GO to L3 left/,
    stop: /STOP/,
    queue: /waits/,
  },
  zh: {
    hospital: "海港医院",
    giant: /L3 左/,
    state: "已规划",
    go: /前往 L3 左侧/,
    stop: /停止/,
    queue: /已等/,
  },
}))
  test(
    `who, where and what is written large, in a frame of the site's colour (${language})`,
    on({ language }, async ({ page, by, ward }) => {
      assert.match(
        await by("identity").textContent(),
        new RegExp(`${words.hospital}.*Zhou Min.*SIM-1042`, "s"),
      );
      await until("the screw", async () => words.giant.test(await by("giant").textContent()));
      assert.equal(await by("state-word").textContent(), words.state);
      assert.match(await by("act-stop").textContent(), words.stop);
      assert.match(await by("queue").textContent(), words.queue);
      assert.equal(
        await page.locator("html").getAttribute("lang"),
        language === "zh" ? "zh-CN" : "en",
      );
      const frame = await page
        .locator(".frame")
        .evaluate((e) => getComputedStyle(e).borderTopColor);
      assert.equal(frame, "rgb(63, 140, 255)", "the first site's #3f8cff");
      for (const name of ["axial", "coronal", "sagittal", "along_a", "along_b", "across"])
        await sliced(by, name);
      const planes = new Set(ward.heard.slices.map((one) => one.plane));
      assert.equal(planes.size, 6);
      assert.deepEqual(await faint(page), [], "every text has the contrast of WCAG AA");
    }),
  );

test(
  "O-009 a switch of site blanks the controls, and asks for hospital, patient, level and side",
  on({ scenario: "grabbed" }, async ({ by, ward, page }) => {
    await enabled(by, "hold-go");
    ward.keep_blank = true;
    await by("site-frontier").click();
    await by("blank").waitFor();
    assert.equal(await by("act-grab").isVisible(), false, "no control is shown");
    assert.equal(await by("act-stop").isVisible(), true, "but STOP");
    assert.match(await by("blank").textContent(), /Frontier Hospital.*Aman Sabir/s);
    ward.keep_blank = false;
    await gone(by("blank"));
    assert.ok(Date.now() - ward.switched >= 1000, "for a second after the switch at least");
    await by("act-confirm_site").click();
    const done = by("confirm-done");
    assert.equal(await done.getAttribute("aria-disabled"), "true", "nothing is chosen beforehand");
    await by("confirm-site-harbour").click();
    assert.match(await by("confirm").textContent(), /not the hospital/);
    await by("confirm-site-frontier").click();
    await by("confirm-patient-SIM-3115").click();
    await done.click({ force: true });
    assert.equal(sent(ward, "confirm").length, 0, "level and side must be picked too");
    await by("confirm-level-L4").click();
    await by("confirm-side-right").click();
    await done.click();
    await gone(by("confirm"));
    assert.deepEqual(sent(ward, "confirm"), [
      { action: "confirm", site: "frontier", patient: "SIM-3115", level: "L4", side: "right" },
    ]);
    await until("the confirmed screw", async () =>
      /L4 RIGHT/.test(await by("giant").textContent()),
    );
    await enabled(by, "act-grab");
    assert.equal(await page.getByTestId("hold-go").count(), 1);
  }),
);

test(
  "O-009 a wrong level is refused by the process and said so in the dialog",
  on({ language: "zh" }, async ({ by }) => {
    await by("act-confirm_site").click();
    for (const id of ["site-harbour", "patient-SIM-1042", "level-T3", "side-left"])
      await by(`confirm-${id}`).click();
    await by("confirm-done").click();
    await until("the refusal", async () =>
      /未确认/.test(await by("confirm").getByRole("alert").textContent()),
    );
  }),
);

test(
  "O-009 no click that began before a switch counts after it",
  on({ scenario: "grabbed" }, async ({ page, by, ward }) => {
    await enabled(by, "act-hand_off");
    const box = await by("act-grab").boundingBox();
    await page.mouse.move(box.x + 20, box.y + 20);
    await page.mouse.down();
    // the switch comes from elsewhere: another window, a key
    ward.keep_blank = true;
    await page.keyboard.press("3");
    await by("blank").waitFor();
    await page.mouse.up();
    await page.mouse.click(box.x + 20, box.y + 20);
    await page.keyboard.press("Space");
    ward.keep_blank = false;
    await gone(by("blank"));
    await enabled(by, "act-confirm_site");
    assert.deepEqual(
      ward.heard.actions.map((one) => one.action),
      ["focus"],
    );
    assert.equal(holds(ward).filter((one) => one.on).length, 0);
  }),
);

test(
  "O-006 GO is repeated while it is held and ends with the button",
  on({ scenario: "grabbed" }, async (visited) => {
    const { page, ward } = visited;
    await go(visited);
    assert.deepEqual(
      { ...holds(ward)[0], at: 0 },
      { at: 0, type: "hold", action: "go", site: "harbour", screw: "L3L", on: true },
    );
    await page.mouse.up();
    await stopped(ward, "the button was let go");
  }),
);

test(
  "O-006 GO ends when the pointer leaves it, the window loses the focus or is hidden",
  on({ scenario: "grabbed" }, async (visited) => {
    const { page, ward } = visited;
    for (const [why, lose] of [
      ["the pointer left", () => page.mouse.move(700, 300)],
      [
        "the window lost the focus",
        () => page.evaluate(() => window.dispatchEvent(new Event("blur"))),
      ],
      [
        "the page is hidden",
        () =>
          page.evaluate(() => {
            Object.defineProperty(document, "hidden", { value: true, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
            delete document.hidden;
          }),
      ],
    ]) {
      ward.heard.holds = [];
      await go(visited);
      await lose();
      await stopped(ward, why);
      await page.mouse.up();
    }
  }),
);

test(
  "O-006 a switch of site and a lost process end GO; the release goes to the old site",
  on({ scenario: "grabbed" }, async (visited) => {
    const { page, ward, by, mock } = visited;
    await go(visited);
    await page.keyboard.press("3");
    await stopped(ward, "the site was switched");
    assert.equal(holds(ward).at(-1).site, "harbour");
    await page.mouse.up();
    await page.keyboard.press("1");
    await gone(by("blank"));
    await by("act-confirm_site").click();
    for (const id of ["site-harbour", "patient-SIM-1042", "level-L3", "side-left"])
      await by(`confirm-${id}`).click();
    await by("confirm-done").click();
    ward.heard.holds = [];
    await go(visited);
    mock.sites.planner.drop();
    await until(
      "GO is released",
      async () => (await by("hold-go").getAttribute("aria-pressed")) === "false",
    );
    const count = holds(ward).length;
    await until(
      "the connection is back",
      async () => (await by("state-word").textContent()) !== "No connection",
    );
    await new Promise((later) => setTimeout(later, 300));
    assert.equal(
      holds(ward).length,
      count,
      "it does not go on by itself, though the button is still down",
    );
  }),
);

test(
  "O-006 the space bar holds GO wherever no other control has the focus, and only there",
  on({ scenario: "grabbed" }, async ({ page, by, ward }) => {
    await enabled(by, "hold-go");
    await page.keyboard.down("Space");
    await until("held", () => holds(ward).filter((one) => one.on).length > 3);
    assert.equal(await by("hold-go").getAttribute("aria-pressed"), "true");
    await page.keyboard.up("Space");
    await stopped(ward, "the key was let go");
    ward.heard.holds = [];
    await by("tab-events").focus();
    await page.keyboard.down("Space");
    await page.keyboard.up("Space");
    assert.equal(holds(ward).length, 0);
  }),
);

test(
  "GO for another screw than the confirmed one asks first",
  on({ scenario: "grabbed" }, async ({ by, ward }) => {
    await enabled(by, "hold-go");
    await by("plan-L4R").click();
    await until("the question", async () =>
      /Confirm L4 right/.test(await by("act-confirm_site").textContent()),
    );
    assert.equal(await by("hold-go").count(), 0);
    assert.equal(holds(ward).length, 0);
  }),
);

test(
  "O-008 while a wire is in, the surgeon cannot turn away; a hand-over is read back",
  on({ scenario: "wire" }, async ({ by, ward, page }) => {
    await until("critical", async () => /Wire in/.test(await by("state-word").textContent()));
    assert.equal(await by("site-frontier").getAttribute("aria-disabled"), "true");
    assert.match(await by("site-frontier").getAttribute("title"), /wire is in at Harbour/);
    await by("site-frontier").click({ force: true });
    await page.keyboard.press("3");
    assert.equal(sent(ward, "focus").length, 0);
    assert.equal(await by("hold-go").getAttribute("aria-disabled"), "true", "O-007");
    await by("act-hand_off").click();
    await by("hand-patient").fill("1043");
    await by("hand-level-L3").click();
    await by("hand-side-left").click();
    assert.match(await by("hand-off-dialog").getByRole("alert").textContent(), /not what was said/);
    await by("hand-done").click({ force: true });
    assert.equal(sent(ward, "hand_off").length, 0);
    await by("hand-patient").fill("1042");
    await by("hand-done").click();
    await until("handed over", () => sent(ward, "hand_off").length === 1);
  }),
);

test(
  "O-008 a robot is offered to another expert, and stays where it is until that one reads back",
  on({ scenario: "wire" }, async ({ by, ward }) => {
    await enabled(by, "act-hand_off");
    await by("act-hand_off").click();
    await by("hand-to-Dr Wu").click();
    assert.equal(await by("hand-patient").count(), 0, "Dr Wu reads it back on another page");
    await by("hand-done").click();
    await until("offered", () => sent(ward, "hand_off").length === 1);
    assert.equal(sent(ward, "hand_off")[0].to, "Dr Wu");
    await until("told", async () => /Offered to Dr Wu/.test(await by("identity").textContent()));
    assert.equal(await by("site-frontier").getAttribute("aria-disabled"), "true", "still pinned");
  }),
);

test(
  "O-008 what another expert offers is taken by saying back patient, level and side",
  on({ scenario: "offered" }, async ({ by, ward }) => {
    await until("who has it", async () => /Dr Wu/.test(await by("identity").textContent()));
    await until("the way to take it", async () => (await by("act-read_back").count()) === 1);
    await by("act-read_back").click();
    assert.match(await by("confirm").textContent(), /Dr Wu hands this robot to you/);
    for (const id of ["site-harbour", "patient-SIM-1042", "level-L3", "side-left"])
      await by(`confirm-${id}`).click();
    await by("confirm-done").click();
    await until("read back", () => sent(ward, "read_back").length === 1);
    const { patient, level, side } = sent(ward, "read_back")[0];
    assert.deepEqual([patient, level, side], ["SIM-1042", "L3", "left"]);
    assert.equal(sent(ward, "confirm").length, 0);
    await until("mine", async () => (await by("act-read_back").count()) === 0);
  }),
);

test(
  "the views along a screw keep its outline when the robot is sent to the screw already selected",
  on({}, async ({ by, ward }) => {
    await sliced(by, "along_a");
    await sliced(by, "across");
    const drawn = () =>
      Promise.all(
        ["along_a", "along_b", "across"].map((name) => by(`overlay-${name}`).locator(".body").count()),
      );
    await until("outlines", async () => (await drawn()).every((count) => count > 0));
    ward.sites[0].target = "L3L";
    await until("the target", async () => /target/i.test(await by("giant").textContent()));
    assert.ok((await drawn()).every((count) => count > 0));
  }),
);

test(
  "O-018 the residual never stands without the predicted error, and a void registration says why",
  on({ scenario: "void" }, async ({ by }) => {
    const panel = by("registration");
    await until("void", async () => /The reference moved/.test(await by("void").textContent()));
    const text = await panel.textContent();
    assert.ok(text.indexOf("Predicted error") < text.indexOf("FRE"), "the prediction comes first");
    assert.match(text, /L3 left\s*0\.32 mm/);
    assert.match(text, /not how accurate/);
    assert.match(
      await by("alarm-O-011").textContent(),
      /reference moved.*1\.20 mm.*limit 1 mm.*register anew/s,
    );
    assert.equal(await by("act-accept_registration").getAttribute("aria-disabled"), "true");
  }),
);

test(
  "deviation, both graders and their uncertainty are shown; a disagreement is marked",
  on({ scenario: "verify", language: "zh" }, async ({ by, page }) => {
    assert.match(await by("verify-L3L").textContent(), /A 级.*第二评级器 A.*穿破 0\.0 ± 0\.3 mm/s);
    assert.match(await by("verify-L3R").textContent(), /评级不一致/);
    assert.match(await by("report").getAttribute("href"), /\/api\/report\?site=harbour/);
    assert.deepEqual(await faint(page), []);
  }),
);

test(
  "no series, thick slices, no site, a failed slice: each says so",
  on({ scenario: "no_series" }, async ({ by, ward }) => {
    assert.match(await by("view-axial").textContent(), /No series yet/);
    ward.sites[0].series = {
      ...ward.sites[1].series,
      spacing_mm: [0.98, 0.98, 3],
      registration_allowed: false,
    };
    ward.slices_fail = "the series is being written";
    await until("the failure", async () =>
      /being written/.test(await by("view-axial").textContent()),
    );
    assert.match(await by("voxel").textContent(), /3\.00 mm.*viewing only/s);
    ward.slices_fail = null;
    await sliced(by, "axial");
    ward.focus = null;
    await by("nobody").waitFor();
  }),
);

test("a dead process: pictures are dark, nothing can be pressed but STOP, and it says so", async () => {
  const visited = await visit(browser, { side: "planner", scenario: "grabbed" });
  const { by, mock } = visited;
  try {
    await enabled(by, "hold-go");
    await sliced(by, "axial");
    await mock.sites.planner.stop();
    await until(
      "no connection",
      async () => (await by("state-word").textContent()) === "No connection",
    );
    assert.match(await by("hold-go").textContent(), /Connection lost|no connection|not answer/i);
    assert.equal(await by("hold-go").getAttribute("aria-disabled"), "true");
    assert.equal(await by("act-stop").getAttribute("aria-disabled"), "false");
    assert.match(await by("view-axial").getAttribute("class"), /old/);
    await by("act-stop").click();
    await until("the failure", async () =>
      /did not answer|does not answer|Nothing/.test(await by("toasts").textContent()),
    );
  } finally {
    await visited.close();
  }
});

test(
  "another window has the controls: this one only watches",
  on({ settings: { controls: false } }, async ({ by, page, ward }) => {
    await sliced(by, "axial");
    assert.equal(await by("act-grab").getAttribute("aria-disabled"), "true");
    assert.match(await by("act-grab").textContent(), /Another window/);
    assert.equal(await by("grip-axial-tip").count(), 0, "no handles");
    await page.keyboard.down("Space");
    await page.keyboard.up("Space");
    assert.equal(holds(ward).length, 0);
  }),
);
