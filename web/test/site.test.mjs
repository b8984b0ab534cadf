// The page in the operating room, in a real browser.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, until, visit } from "./browser.mjs";
import { faint } from "./contrast.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

const on = (options, body) => async () => {
  const visited = await visit(browser, { side: "site", ...options });
  try {
    await visited.by("site").waitFor();
    await body(visited);
    assert.deepEqual(visited.bad, []);
  } finally {
    await visited.close();
  }
};
const actions = (ward) => ward.heard.actions.map(({ action }) => action);
const holds = (ward) => ward.heard.holds;
const enabled = (by, id) =>
  until(
    `${id} can be pressed`,
    async () => (await by(id).getAttribute("aria-disabled")) === "false",
  );

for (const [language, words] of Object.entries({
  en: { holder: /The surgeon has the robot/, read: /changed only there/, take: /Take over/ },
  zh: { holder: /医生持有机器人/, read: /不能修改/, take: /接管/ },
}))
  test(
    `the plan is mirrored and cannot be changed; who has the robot is said (${language})`,
    on({ scenario: "grabbed", language }, async ({ page, by }) => {
      assert.match(await by("robot").textContent(), words.holder);
      assert.match(await page.locator("aside").textContent(), words.read);
      assert.match(await by("act-take_over").textContent(), words.take);
      await until(
        "a slice",
        async () => (await by("view-axial").getAttribute("data-shown")) !== null,
      );
      assert.equal(await by("grip-axial-tip").count(), 0, "no handles");
      assert.deepEqual(await faint(page), [], "every text has the contrast of WCAG AA");
    }),
  );

test(
  "O-002 the local surgeon signs the hash that is shown",
  on({}, async ({ by, ward }) => {
    await enabled(by, "act-approve");
    const shown = (await by("hash").textContent()).replaceAll(" ", "");
    await by("act-approve").click();
    await until("signed", () => ward.heard.actions.length === 1);
    const [{ action, hash }] = ward.heard.actions;
    assert.equal(action, "approve");
    assert.ok(hash.startsWith(shown) && shown.length === 16);
    await until("shown", async () => /Dr Aziz/.test(await by("signed-local").textContent()));
    await until(
      "once",
      async () => (await by("act-approve").getAttribute("aria-disabled")) === "true",
    );
  }),
);

test(
  "O-006 ENABLE is repeated while it is held, by button or space bar, and ends with the attention",
  on({ scenario: "grabbed" }, async ({ page, by, ward }) => {
    await enabled(by, "hold-enable");
    const box = await by("hold-enable").boundingBox();
    await page.mouse.move(box.x + 50, box.y + 20);
    await page.mouse.down();
    await until("repeated", () => holds(ward).filter((one) => one.on).length > 3);
    assert.deepEqual(
      { ...holds(ward)[0], at: 0 },
      { at: 0, type: "hold", action: "enable", on: true },
    );
    await page.evaluate(() => window.dispatchEvent(new Event("blur")));
    await until("released", () => holds(ward).at(-1).on === false);
    const count = holds(ward).length;
    await new Promise((later) => setTimeout(later, 200));
    assert.equal(
      holds(ward).length,
      count,
      "the button is still down, but it must be pressed anew",
    );
    await page.mouse.up();
    await page.evaluate(() => document.activeElement.blur());
    await page.keyboard.down("Space");
    await until("held by the key", () => holds(ward).at(-1).on === true);
    await page.keyboard.up("Space");
    await until("released by the key", () => holds(ward).at(-1).on === false);
  }),
);

test(
  "O-007 a wire in, then the guide free: ENABLE is kept back between",
  on({ scenario: "grabbed" }, async ({ by, ward }) => {
    Object.assign(ward.sites[0], { number: 10, error: 0.14 });
    await enabled(by, "act-wire_in");
    await by("act-wire_in").click();
    await until("critical", async () => /Wire in/.test(await by("state-word").textContent()));
    assert.equal(await by("hold-enable").getAttribute("aria-disabled"), "true");
    await by("act-wire_out").click();
    await until("verified", async () => /Verified/.test(await by("state-word").textContent()));
    assert.deepEqual(actions(ward), ["wire_in", "wire_out"]);
  }),
);

test(
  "O-010 without the link it says so, and stop, take-over and park work",
  on({ scenario: "link_down" }, async ({ page, by, ward }) => {
    assert.match(await by("linkless").textContent(), /No link to the surgeon/);
    await by("language").focus();
    await page.keyboard.press("s");
    await page.keyboard.press("t");
    await by("act-park").click();
    await until("all three", () => ward.heard.actions.length === 3);
    assert.deepEqual(actions(ward), ["stop", "take_over", "park"]);
    await until("the local team has it", async () =>
      /local team has the robot/.test(await by("robot").textContent()),
    );
  }),
);

test("O-010 a page that hears nothing still sends stop and take-over", async () => {
  const visited = await visit(browser, { side: "site", scenario: "grabbed" });
  const { by, mock } = visited;
  try {
    await enabled(by, "hold-enable");
    await mock.sites.site.stop();
    await until(
      "no connection",
      async () => (await by("state-word").textContent()) === "No connection",
    );
    assert.equal(await by("act-stop").getAttribute("aria-disabled"), "false");
    assert.equal(await by("act-take_over").getAttribute("aria-disabled"), "false");
    assert.equal(await by("hold-enable").getAttribute("aria-disabled"), "true");
    await by("act-stop").click();
    await until("the failure", async () => (await by("toasts").textContent()).trim() !== "");
  } finally {
    await visited.close();
  }
});
