// The bedside page in a real browser.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { colours, launch, until, visit } from "./browser.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

const on = (options, body) => async () => {
  const visited = await visit(browser, { side: "bedside", ...options });
  try {
    await body(visited);
    assert.deepEqual(visited.bad, []);
  } finally {
    await visited.close();
  }
};
const word = ({ by }, wanted) =>
  until(wanted, async () => (await by("state-word").textContent()) === wanted);
const actions = ({ ward }) => ward.heard.actions.map(({ action }) => action);

for (const [language, words] of Object.entries({
  en: {
    off: "Off",
    local: "Local",
    armed: "Armed",
    stopped: "Stopped",
    lang: "en",
    clear: /Press again/,
  },
  zh: {
    off: "关机",
    local: "本地",
    armed: "待命",
    stopped: "已急停",
    lang: "zh-CN",
    clear: /再按一次/,
  },
})) {
  test(
    `the camera picture appears (${language})`,
    on({ language }, async ({ page, ward }) => {
      await until("pictures", () => ward.heard.drawn.length > 20);
      await until("colours", async () => (await colours(page)).different > 60);
      assert.equal(await page.locator("html").getAttribute("lang"), words.lang);
    }),
  );

  test(
    `enable, grant, take over, stop, clear in two presses (${language})`,
    on({ language, scenario: "off" }, async (visited) => {
      const { by } = visited;
      await word(visited, words.off);
      assert.equal(await by("act-grant").getAttribute("aria-disabled"), "true");
      await by("act-enable").click();
      await word(visited, words.local);
      await by("act-grant").click();
      await word(visited, words.armed);
      await by("act-take_over").click();
      await word(visited, words.local);
      await by("act-stop").click();
      await word(visited, words.stopped);
      await by("act-clear_stop").click();
      await until("the question", async () =>
        words.clear.test(await by("act-clear_stop").textContent()),
      );
      assert.deepEqual(
        actions(visited),
        ["enable", "grant", "take_over", "stop"],
        "one press clears nothing",
      );
      await by("act-clear_stop").click();
      await word(visited, words.off);
      assert.deepEqual(actions(visited), ["enable", "grant", "take_over", "stop", "clear_stop"]);
    }),
  );

  test(
    `alarms: the one that holds first, with value, limit and remedy (${language})`,
    on({ language, scenario: "force" }, async ({ by }) => {
      const alarms = by("alarms");
      await by("alarm-G-036").waitFor();
      const codes = await alarms
        .locator("li")
        .evaluateAll((items) => items.map((item) => item.dataset.testid));
      assert.deepEqual(codes, ["alarm-G-036", "alarm-G-050", "alarm-G-012"]);
      assert.match(
        await by("alarm-G-036").textContent(),
        language === "en" ? /1\.72 N.*limit 1\.60 N.*frees/s : /1\.72 N.*限值 1\.60 N.*松开/s,
      );
      assert.match(
        await by("alarm-G-050").textContent(),
        language === "en" ? /1.*at least 2.*Active/s : /1.*至少 2.*正在发生/s,
      );
      assert.match(
        await by("alarm-G-012").textContent(),
        language === "en" ? /71 ms.*Was active/s : /71 ms.*曾经发生/s,
      );
    }),
  );
}

test(
  "G-005 take over and stop by one key, wherever the focus is",
  on({ scenario: "following" }, async (visited) => {
    const { page, by } = visited;
    await word(visited, "Following");
    await by("language").focus();
    await page.keyboard.press("t");
    await word(visited, "Local");
    await page.keyboard.press("s");
    await word(visited, "Stopped");
    assert.deepEqual(actions(visited), ["take_over", "stop"]);
  }),
);

test(
  "G-006 take over and stop are sent even when the state is not known",
  on({ scenario: "handshaking" }, async (visited) => {
    await word(visited, "No state");
    await visited.by("act-take_over").click();
    await visited.by("act-stop").click();
    await until("both", () => actions(visited).length === 2);
    assert.deepEqual(actions(visited), ["take_over", "stop"]);
  }),
);

test(
  "a question left alone is withdrawn by Escape",
  on({ scenario: "stop" }, async (visited) => {
    const { page, by } = visited;
    await word(visited, "Stopped");
    await by("act-clear_stop").click();
    await until("the question", async () =>
      /Press again/.test(await by("act-clear_stop").textContent()),
    );
    await page.keyboard.press("Escape");
    await until("withdrawn", async () =>
      /Clear stop/.test(await by("act-clear_stop").textContent()),
    );
    assert.deepEqual(actions(visited), []);
  }),
);

test(
  "a button that cannot work says why, and does nothing",
  on({ scenario: "armed" }, async (visited) => {
    const { by } = visited;
    await word(visited, "Armed");
    assert.match(await by("act-enable").textContent(), /on already/);
    assert.match(await by("act-clear_stop").textContent(), /Nothing is stopped/);
    await by("act-enable").click({ force: true });
    await by("act-clear_stop").click({ force: true });
    await by("act-disable").click();
    await word(visited, "Off");
    assert.deepEqual(actions(visited), ["disable"]);
  }),
);

test(
  "a refusal becomes a sentence",
  on({ scenario: "local" }, async (visited) => {
    visited.ward.refuse = { ok: false, code: null, name: "arm_silent", message: "never shown" };
    await word(visited, "Local");
    await visited.by("act-grant").click();
    await until("the toast", async () =>
      (await visited.by("toasts").textContent()).includes("arm process does not answer"),
    );
  }),
);

test(
  "the arms' joints, jaw and force are listed",
  on({ scenario: "following" }, async ({ by }) => {
    await by("arm-PSM1").waitFor();
    assert.match(await by("arm-PSM1").textContent(), /Follows.*°.*121 mm.*Jaw.*N/s);
    assert.equal(await by("arm-ECM").getByTestId("force").count(), 0);
  }),
);

test(
  "both links are shown",
  on({ scenario: "one_path" }, async ({ by }) => {
    await by("path-fibre").waitFor();
    assert.match(await by("path-fibre").textContent(), /Down/);
    assert.match(await by("path-5g").textContent(), /Up/);
  }),
);

test(
  "everything can be reached with Tab, and Enter presses",
  on({ scenario: "local" }, async (visited) => {
    const { page, by } = visited;
    await word(visited, "Local");
    const seen = new Set();
    for (let i = 0; i < 12; i += 1) {
      await page.keyboard.press("Tab");
      seen.add(await page.evaluate(() => document.activeElement?.dataset.testid));
    }
    for (const action of ["take_over", "stop", "enable", "grant", "disable", "clear_stop"])
      assert.ok(seen.has(`act-${action}`), action);
    await by("act-grant").focus();
    await page.keyboard.press("Enter");
    await word(visited, "Armed");
  }),
);
