// The console page in a real browser.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { colours, launch, until, visit } from "./browser.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

/** Runs `body` on a visited page; whatever happens, the page may not have misbehaved. */
const on = (options, body) => async () => {
  const visited = await visit(browser, { side: "console", ...options });
  try {
    await body(visited);
    assert.deepEqual(visited.bad, []);
  } finally {
    await visited.close();
  }
};
const last = (list) => list.at(-1);
const ready = ({ page, by }) =>
  until(
    "the stage has the focus",
    async () => (await by("stage").evaluate((e) => e === document.activeElement)) && page,
  );

for (const [language, words] of Object.entries({
  en: { state: "Armed", next: "Space", lang: "en", label: "not a medical device" },
  zh: { state: "待命", next: "空格键", lang: "zh-CN", label: "非医疗器械" },
})) {
  test(
    `V-050 the picture appears and is reported as drawn (${language})`,
    on({ language }, async ({ page, ward, by }) => {
      await until("30 pictures", () => ward.heard.drawn.length > 30);
      await until("a fresh picture in its colours", async () => {
        const { different, grey } = await colours(page);
        return different > 60 && grey < 0.5;
      });
      const drawn = last(ward.heard.drawn);
      assert.equal(drawn.stamp_frame, drawn.seq % 90, "the stamp in the picture names its frame");
      assert.ok(
        Math.abs(drawn.drawn_us - (performance.now() * 1000 + 5e9)) < 2e6,
        "in the server's clock",
      );
      assert.equal(await by("state-word").textContent(), words.state);
      assert.ok((await by("reason").textContent()).includes(words.next));
      assert.equal(await page.locator("html").getAttribute("lang"), words.lang);
      assert.ok((await by("simulated").first().textContent()).includes(words.label));
      assert.ok(await by("simulated").first().isVisible());
    }),
  );

  test(
    `G-003 a hold says why and what clears it (${language})`,
    on({ language, scenario: "hold" }, async ({ by }) => {
      const reason = by("reason");
      await until("the reason", async () => (await reason.textContent()).includes("G-003"));
      const text = await reason.textContent();
      assert.match(
        text,
        language === "en"
          ? /No valid command.*release the pedal/s
          : /收不到控制台的有效指令.*松开踏板/s,
      );
      assert.equal(await by("state-word").textContent(), language === "en" ? "Hold" : "保持");
    }),
  );

  test(
    `a refusal becomes a sentence with its number (${language})`,
    on({ language, scenario: "armed" }, async ({ page, ward, by }) => {
      ward.refuse = {
        ok: false,
        code: "G-010",
        name: "link_not_ready",
        value: 0.4,
        limit: 1,
        message: "never shown",
      };
      await until(
        "armed",
        async () => (await by("hold").getAttribute("aria-disabled")) === "false",
      );
      await by("hold").click();
      await until("the toast", async () => (await by("toasts").textContent()).includes("G-010"));
      const text = await by("toasts").textContent();
      assert.match(
        text,
        language === "en"
          ? /Refused.*not been good.*400 ms, limit 1000 ms/s
          : /已拒绝.*还不够长.*400 ms, 限值 1000 ms/s,
      );
      assert.ok(!text.includes("never shown"));
      await page.getByRole("button", { name: language === "en" ? "Dismiss" : "关闭提示" }).click();
      await until("no toast", async () => (await by("toasts").textContent()).trim() === "");
    }),
  );

  test(
    `G-041 a frozen picture is grey and carries a banner (${language})`,
    on({ language }, async ({ page, ward, by }) => {
      await until("pictures", () => ward.heard.drawn.length > 10);
      assert.equal(await by("picture-banner").count(), 0);
      ward.picture = "frozen";
      ward.pictures = false;
      await by("picture-banner").waitFor();
      assert.match(await by("picture-banner").textContent(), language === "en" ? /frozen/ : /冻结/);
      await until("grey", async () => (await colours(page)).grey > 0.95);
      ward.picture = "intact";
      ward.pictures = true;
      await until("the banner is gone", async () => (await by("picture-banner").count()) === 0);
      await until("colour again", async () => (await colours(page)).grey < 0.5);
    }),
  );
}

test(
  "V-051 a late picture is amber, a silent one red, whatever the process says",
  on({}, async ({ ward, by }) => {
    await until("pictures", () => ward.heard.drawn.length > 10);
    ward.late_us = 130_000;
    await until("amber", async () =>
      (await by("picture-banner").getAttribute("class"))?.includes("amber"),
    );
    ward.pictures = false;
    await until("red", async () =>
      (await by("picture-banner").getAttribute("class"))?.includes("red"),
    );
  }),
);

test(
  "hands follow the mouse while the follow pedal is held",
  on({}, async (visited) => {
    const { page, ward, by } = visited;
    await until("controls", () => ward.heard.hands.length > 3);
    await ready(visited);
    await page.mouse.move(500, 400);
    await page.keyboard.down("Space");
    await until("the pedal", () => last(ward.heard.hands).pedals.follow);
    await until("following", async () => (await by("state-word").textContent()) === "Following");
    const start = last(ward.heard.hands).hands;
    await page.mouse.move(700, 450, { steps: 10 });
    await until("right hand moves right and down", () => {
      const [left, right] = last(ward.heard.hands).hands;
      return right.x - start[1].x > 0.03 && right.y - start[1].y > 0.005 && left.x === start[0].x;
    });
    const deep = last(ward.heard.hands).hands[1].z;
    await page.mouse.wheel(0, -200);
    await until("wheel up goes deeper", () => last(ward.heard.hands).hands[1].z > deep + 0.005);
    await page.keyboard.up("Space");
    await until("armed again", async () => (await by("state-word").textContent()) === "Armed");
  }),
);

test(
  "hands come at 30 Hz or more while nothing moves",
  on({ clock: true }, async (visited) => {
    const { page, ward } = visited;
    await until("controls", () => ward.heard.hands.length > 3);
    await ready(visited);
    await page.clock.pauseAt(Date.now() + 2_000);
    const before = ward.heard.hands.length;
    await page.clock.runFor(1_000);
    await until(
      "30 messages in a second of the page",
      () => ward.heard.hands.length - before >= 30,
    );
  }),
);

for (const [name, leave] of [
  [
    "the window loses the focus",
    (page) => page.evaluate(() => window.dispatchEvent(new Event("blur"))),
  ],
  [
    "the page is hidden",
    (page) =>
      page.evaluate(() => {
        Object.defineProperty(document, "hidden", { value: true, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      }),
  ],
  ["Escape leaves the instruments", (page) => page.keyboard.press("Escape")],
  ["the focus goes elsewhere", (page) => page.getByTestId("help").focus()],
])
  test(
    `every pedal comes up when ${name}`,
    on({}, async (visited) => {
      const { page, ward } = visited;
      await until("controls", () => ward.heard.hands.length > 3);
      await ready(visited);
      await page.keyboard.down("Space");
      await page.keyboard.down("KeyC");
      await until(
        "both pedals",
        () => last(ward.heard.hands).pedals.follow && last(ward.heard.hands).pedals.clutch,
      );
      await leave(page);
      await until("released", () =>
        Object.values(last(ward.heard.hands).pedals).every((down) => !down),
      );
      const count = ward.heard.hands.length;
      await page.keyboard.up("Space");
      await page.keyboard.up("KeyC");
      assert.ok(ward.heard.hands.slice(count).every((message) => !message.pedals.follow));
    }),
  );

const PAD = () => {
  const button = (value = 0) => ({ pressed: value > 0.5, value });
  window.pad = {
    connected: true,
    mapping: "standard",
    index: 0,
    id: "mock",
    axes: [0, 0, 0, 0],
    buttons: Array.from({ length: 17 }, () => button()),
  };
  window.press = (index, value) => (window.pad.buttons[index] = button(value));
  navigator.getGamepads = () => [window.pad];
};

test(
  "a gamepad drives both hands at once, after its pedals were seen up",
  on({ before: PAD }, async ({ page, ward, by }) => {
    await until("controls", () => ward.heard.hands.length > 3);
    await until("the pad is shown", async () =>
      (await by("hand-0").textContent()).includes("Gamepad"),
    );
    await page.evaluate(() => window.press(5, 1));
    await until("the bumper follows", () => last(ward.heard.hands).pedals.follow);
    const start = last(ward.heard.hands).hands;
    await page.evaluate(() => {
      window.pad.axes = [-1, 0, 1, 0.8];
      window.press(7, 1);
    });
    await until("both hands and the right jaw", () => {
      const [left, right] = last(ward.heard.hands).hands;
      return (
        left.x < start[0].x - 0.005 &&
        right.x > start[1].x + 0.005 &&
        right.y > start[1].y &&
        right.grip < 0.05 &&
        left.grip > 0.5
      );
    });
    await page.evaluate(() => window.dispatchEvent(new Event("blur")));
    await until("released", () => !last(ward.heard.hands).pedals.follow);
    await page.evaluate(() => window.dispatchEvent(new Event("focus")));
    const count = ward.heard.hands.length;
    await until("messages go on", () => ward.heard.hands.length > count + 5);
    assert.ok(
      ward.heard.hands.slice(count).every((m) => !m.pedals.follow),
      "a bumper held down the whole time engages nothing",
    );
    await page.evaluate(() => window.press(5, 0));
    const released = ward.heard.hands.length;
    await until("seen up", () => ward.heard.hands.length > released + 5);
    await page.evaluate(() => window.press(5, 1));
    await until("follows again", () => last(ward.heard.hands).pedals.follow);
  }),
);

test(
  "everything works from the keyboard alone",
  on({}, async (visited) => {
    const { page, ward, by } = visited;
    await until("controls", () => ward.heard.hands.length > 3);
    await ready(visited);
    await page.keyboard.press("Tab");
    await until("the left hand is active", async () =>
      (await by("hand-0").getAttribute("class")).includes("active"),
    );
    const start = last(ward.heard.hands).hands[0];
    for (const [key, moved] of [
      ["ArrowRight", (hand) => hand.x > start.x + 0.002],
      ["PageUp", (hand) => hand.z > start.z + 0.002],
      ["KeyE", (hand) => hand.q[3] > 0.01],
      ["KeyJ", (hand) => hand.grip < 0.1],
    ]) {
      await page.keyboard.down(key);
      await until(key, () => moved(last(ward.heard.hands).hands[0]));
      await page.keyboard.up(key);
    }
    await page.keyboard.press("KeyX");
    await until("swap", () => ward.heard.actions.some(({ action }) => action === "swap_arms"));
    await page.keyboard.press("BracketRight");
    await until("scale", () =>
      ward.heard.actions.some(({ action, scale }) => action === "set_scale" && scale === 0.25),
    );
    await page.keyboard.press("KeyH");
    await until("hold", async () => (await by("state-word").textContent()) === "Hold");
    await page.keyboard.press("KeyL");
    await until("Chinese", async () => (await by("state-word").textContent()) === "保持");
    await page.keyboard.press("KeyM");
    await until("stereo", async () => (await by("mono").textContent()).includes("双目"));
    await page.keyboard.press("KeyP");
    await until("no plot", async () => (await by("plot").count()) === 0);
    await page.keyboard.press("?");
    await by("help-dialog").waitFor();
    await page.keyboard.press("Escape");
    await until("the help is closed", async () => !(await by("help-dialog").isVisible()));
    // and without the instruments, Tab walks through the buttons
    await page.keyboard.press("Escape");
    await by("pedal-follow").focus();
    const before = ward.heard.hands.length;
    await page.keyboard.down("Space");
    await until("the pedal button", () =>
      ward.heard.hands.slice(before).some((m) => m.pedals.follow),
    );
    await page.keyboard.up("Space");
    await until("its release", () => !last(ward.heard.hands).pedals.follow);
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.dataset.testid), "pedal-clutch");
  }),
);

test(
  "a pedal button is a deadman, and the mouse leaves the instruments their focus",
  on({}, async (visited) => {
    const { page, ward, by } = visited;
    await until("controls", () => ward.heard.hands.length > 3);
    await ready(visited);
    await by("pedal-camera").hover();
    await page.mouse.down();
    await until("camera", () => last(ward.heard.hands).pedals.camera);
    await page.mouse.move(600, 300);
    assert.ok(last(ward.heard.hands).pedals.camera, "held although the pointer left the button");
    await page.mouse.up();
    await until("released", () => !last(ward.heard.hands).pedals.camera);
    assert.ok(await by("stage").evaluate((e) => e === document.activeElement));
  }),
);

test(
  "G-003 a lost link is said, with the last known state and its age",
  on({ scenario: "link_down" }, async ({ by }) => {
    await until("link lost", async () => (await by("state-word").textContent()) === "Link lost");
    assert.match(await by("holder").textContent(), /Last known .* ago: Following/);
    assert.match(await by("path-fibre").textContent(), /Down/);
    assert.match(await by("engaged-1").textContent(), /Not known/);
  }),
);

test(
  "both links are named, with delay, loss and jitter; the fastest sets the delay",
  on({ scenario: "one_path" }, async ({ by }) => {
    await until("figures", async () => /3[34]\.\d/.test(await by("delay-out").textContent()));
    assert.match(await by("path-fibre").textContent(), /Down/);
    assert.match(await by("path-5g").textContent(), /Up.*ms.*%/s);
    assert.match(await by("delay-out").textContent(), /± 0\.8 ms/);
    assert.match(await by("reason").textContent(), /G-050/);
  }),
);

test(
  "G-036 the force bar turns red above 1.6 N",
  on({ scenario: "force" }, async ({ by }) => {
    await until("red", async () =>
      (await by("hand-1").getByTestId("force").getAttribute("class")).includes("red"),
    );
    assert.ok(!(await by("hand-0").getByTestId("force").getAttribute("class")).includes("red"));
  }),
);

test(
  "the demo cuts and restores the network, and is absent without one",
  on({}, async ({ ward, by }) => {
    await by("cut-fibre").click();
    await by("cut-all").click();
    await by("restore").click();
    await until("three orders", () => ward.heard.wan.length === 3);
    assert.deepEqual(ward.heard.wan, [
      { cut: "fibre", for_s: 5 },
      { cut: "all", for_s: 2 },
      { restore: "all" },
    ]);
    ward.settings.demo = false;
    await until("no demo", async () => (await by("demo").count()) === 0);
  }),
);

test(
  "a page that does not control sends nothing and says so",
  on({ settings: { controls: false } }, async ({ page, ward, by }) => {
    await until("pictures", () => ward.heard.drawn.length > 10);
    assert.match(await by("hint").textContent(), /Another window/);
    assert.equal(await by("swap").getAttribute("aria-disabled"), "true");
    await page.keyboard.down("Space");
    await page.mouse.move(300, 300);
    await until("more pictures", () => ward.heard.drawn.length > 40);
    assert.equal(ward.heard.hands.length, 0);
  }),
);

test(
  "with the scripted surgeon the page watches",
  on({ settings: { surgeon: "scripted" } }, async ({ ward, by }) => {
    await until("pictures", () => ward.heard.drawn.length > 10);
    assert.match(await by("hint").textContent(), /scripted/);
    assert.equal(ward.heard.hands.length, 0);
  }),
);

test(
  "no link yet: the stage says what it waits for",
  on({ scenario: "handshaking" }, async ({ by }) => {
    await until("words", async () =>
      (await by("empty").textContent()).includes("Waiting for the other side"),
    );
    assert.equal(await by("state-word").textContent(), "No state");
  }),
);

test(
  "no first picture: the stage says so",
  on({ scenario: "no_picture" }, async ({ by }) => {
    await until("words", async () => (await by("empty").textContent()).includes("first picture"));
  }),
);

test(
  "a browser without WebCodecs is told what to use",
  on({ before: () => delete window.VideoDecoder }, async ({ by }) => {
    await until("words", async () => (await by("empty").textContent()).includes("WebCodecs"));
  }),
);

test("a dead process is noticed and found again", async () => {
  const visited = await visit(browser, { side: "console" });
  const { mock, ward, by } = visited;
  try {
    await until("pictures", () => ward.heard.drawn.length > 10);
    await mock.sites.console.stop();
    await until(
      "no connection",
      async () => (await by("state-word").textContent()) === "No connection",
    );
    await until("the stage says so", async () =>
      (await by("empty").textContent()).includes("does not answer"),
    );
  } finally {
    await visited.close();
  }
});

test("a page with an old token says where the new one is", async () => {
  const visited = await visit(browser, { side: "console" });
  const { page, mock, by } = visited;
  try {
    await until("armed", async () => (await by("state-word").textContent()) === "Armed");
    await page.context().clearCookies();
    mock.sites.console.drop();
    await until("words", async () => (await by("empty").textContent()).includes("no valid token"));
  } finally {
    await visited.close();
  }
});
