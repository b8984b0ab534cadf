// The alliance page in a real browser, against a mock hub.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  accessibilityFaults,
  authenticator,
  everyView,
  overflow,
  steps,
  visitAlliance,
} from "./alliance-visit.mjs";
import { launch, until as soon } from "./browser.mjs";
import { faint } from "./contrast.mjs";

/** A busy machine is slow; what never comes is told all the same. */
const until = (what, condition) => soon(what, condition, 90_000);
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

/** Runs `body` on a visited page; whatever happens, the page may not have misbehaved. */
const on = (options, body) => async () => {
  const visited = await visitAlliance(browser, options);
  try {
    await body(visited);
    assert.deepEqual(visited.bad, []);
  } finally {
    await visited.close();
  }
};
const reads = (locator, pattern, what = String(pattern)) =>
  until(what, async () => pattern.test((await locator.textContent()) ?? ""));
const gone = (locator) => until("gone", async () => (await locator.count()) === 0);
const settled = (page) =>
  until("nothing is being loaded", async () => (await page.getByTestId("loading").count()) === 0);
const caseIn = (hub, state) => hub.world.cases.find((one) => one.state === state);

test(
  "A-022 an enrolment link makes a passkey, and the passkey signs in; the link works once",
  on({ at: "/enrol/welcome", settings: { signedIn: false } }, async ({ page, by, hub, open }) => {
    const key = await authenticator(page);
    await by("make-passkey").click();
    await by("alliance").waitFor();
    assert.equal((await key.credentials()).length, 1);
    assert.equal(await page.evaluate(() => location.hash), "#/map", "the link is not kept");
    await by("sign-out").click();
    await by("login").waitFor();
    assert.equal(await by("expired").count(), 0, "whoever signs out needs no warning");
    await by("sign-in").click();
    await by("alliance").waitFor();
    await reads(by("who"), new RegExp(hub.world.people.find(({ id }) => id === "wuhan-p2").name));
    await open("/enrol/welcome");
    await page.reload();
    await by("make-passkey").click();
    await reads(by("problem"), /was used/);
  }),
);

test(
  "A-022 no passkey given, or one that is not known: said so, and nobody is in",
  on({ settings: { signedIn: false } }, async ({ page, by }) => {
    const key = await authenticator(page);
    await key.verified(false);
    await by("sign-in").click();
    await by("cancelled").waitFor();
    assert.equal(await by("alliance").count(), 0);
  }),
);

test(
  "a recovery code lets in to make a new passkey, and to nothing else",
  on({ settings: { signedIn: false, me: { strength: "recovery" } } }, async ({ page, by, hub }) => {
    const key = await authenticator(page);
    await page.locator("summary").click();
    await by("recover-person").fill("wuhan-p3");
    await by("recover-code").fill("wrong");
    await by("recover").click();
    await reads(by("problem"), /not known, or was used/);
    await by("recover-code").fill("lost-and-found");
    await by("recover").click();
    await by("renew").waitFor();
    assert.equal(await by("alliance").count(), 0);
    hub.settings.me = {};
    await by("renew-do").click();
    await by("make-passkey").click();
    await by("alliance").waitFor();
    assert.equal((await key.credentials()).length, 1);
  }),
);

test(
  "a demonstration's link signs in as anybody; outside one the hub refuses it",
  on(
    { at: "/demo/demo-token?person=chengdu-p2", settings: { signedIn: false } },
    async ({ page, by, hub, open }) => {
      const name = (id) => hub.world.people.find((one) => one.id === id).name;
      await reads(by("who"), new RegExp(name("chengdu-p2")));
      assert.equal(
        await page.evaluate(() => location.hash),
        "#/map",
        "the token is not kept there",
      );
      await by("account").click();
      await by("demo-other").selectOption("lhasa-p1");
      await by("demo-become").click();
      await reads(by("who"), new RegExp(name("lhasa-p1")));
      await open("/demo/old-token");
      await page.reload();
      await by("demo-person").fill("lhasa-p1");
      await by("demo-enter").click();
      await reads(by("demo-enter-problem"), /for a demonstration/);
    },
  ),
);

test(
  "a session that ends is told, and the place is kept over the new sign-in",
  on({ at: "/drills" }, async ({ page, by, hub }) => {
    const key = await authenticator(page);
    await by("add-drill").waitFor();
    hub.sessions.clear();
    await by("nav-cases").click();
    await reads(by("expired"), /ended/);
    hub.settings.signedIn = false;
    await page.evaluate(() => (location.hash = "#/enrol/welcome"));
    await by("make-passkey").click();
    await by("alliance").waitFor();
    assert.equal((await key.credentials()).length, 1);
    hub.sessions.clear();
    await by("nav-incidents").click();
    await by("sign-in").click();
    await by("add-incident").waitFor();
    assert.equal(await page.evaluate(() => location.hash), "#/incidents");
  }),
);

test(
  "a session that ends by the clock is told without a question to the hub",
  on(
    { settings: { me: { expires: new Date(Date.now() + 1500).toISOString() } } },
    async ({ by }) => {
      await by("alliance").waitFor();
      await by("expired").waitFor();
    },
  ),
);

test(
  "the map and the list tell the same hospitals and links; a choice shows its paths",
  on({}, async ({ page, by, hub }) => {
    await by("map").waitFor();
    assert.match(await by("site-count").textContent(), /27 of 27/);
    assert.equal(await page.locator("[data-testid=map] .dot").count(), 27);
    assert.match(await by("legend").textContent(), /Two paths qualified: [1-9]/);
    assert.equal(await by("simulated").count(), 1, "invented data says so");
    await by("find-site").fill("tibet");
    await reads(by("site-count"), /^5 of 27/);
    await by("site-lhasa").click();
    await reads(by("site"), /Lhasa Hospital.*Asia\/Shanghai.*Fibre/s);
    const [path] = hub.world.paths.filter(({ b }) => b === "lhasa");
    assert.ok(path);
    await page.locator("[data-testid=map] .dot").first().click();
    await until(
      "another hospital",
      async () => !(await page.evaluate(() => location.hash)).includes("lhasa"),
    );
  }),
);

test(
  "eligibility shows every rule: what does not hold first, with value, limit and what would satisfy it",
  on({}, async ({ page, by, hub, open }) => {
    const one = caseIn(hub, "triaged");
    const lacking = hub.world.people.find(
      (p) =>
        p.roles.includes("surgeon") &&
        !p.roles.includes("standby_surgeon") &&
        !hub.world.privileges.some((v) => v.surgeon === p.id && v.procedure === one.procedure),
    );
    await open(`/cases/${one.id}?step=eligibility`);
    await by("el-surgeon").selectOption(lacking.id);
    await reads(by("verdict"), /Not eligible: \d+ of 10/);
    const findings = page.locator("[data-testid=findings] li");
    await until("all rules", async () => (await findings.count()) === 10);
    assert.equal(await findings.first().getAttribute("data-ok"), "false");
    const privilege = page.locator('[data-rule="A-030"]');
    await reads(privilege, /none.*granted.*What would satisfy it.*committee/s);
    assert.equal(await by("settle").getAttribute("aria-disabled"), "true");
    await by("settle").click({ force: true });
    assert.equal(hub.heard.filter(({ path }) => path.endsWith(":eligible")).length, 0);
  }),
);

test(
  "A-008 find, hold, book; a slot that somebody else took meanwhile is refused with who has it",
  on({}, async ({ page, by, hub, open, sent }) => {
    const one = caseIn(hub, "triaged");
    await open(`/cases/${one.id}?step=booking`);
    await by("find-times").click();
    await by("hold-0").waitFor();
    const offer = (await page.locator("[data-testid=offers] li").first().textContent()) ?? "";
    assert.match(offer, /UTC\+8/, "the hospital's zone");
    assert.match(offer, /Yours:.*UTC\+1/s, "the reader's zone");
    // a colleague is faster
    const { claimsOf, requestFor } = await import("../mock/alliance-life.mjs");
    const { from } = sent("POST", "/v1/schedule:find")[0].body;
    const { surgeon } = sent("POST", "/v1/schedule:find")[0].body;
    const claims = Array.from({ length: 40 * 96 }, (_, i) =>
      claimsOf(requestFor(hub.world, one, from + i, surgeon)),
    ).flat();
    hub.world.holds.push({
      id: "x",
      case: "c-9999",
      request: requestFor(hub.world, one, from, surgeon),
      claims,
      until: "2099-01-01T00:00:00Z",
    });
    await by("hold-0").click();
    await reads(
      by("hold-problem"),
      /Refused.*A-008.*sim-arm-3.*taken from .* UTC\+1.*Case c-9999/s,
    );
    assert.equal(await by("held").count(), 0);
    hub.world.holds = [];
    await by("find-times").click();
    await by("hold-0").click();
    await reads(by("hold-left"), /Ends by itself in [45]:\d\d/);
    await by("book-do").click();
    await by("case").and(page.locator("[data-state=scheduled]")).waitFor();
    assert.equal(hub.world.bookings.filter((b) => b.case === one.id).length, 1);
    await by("step-booking").click();
    await reads(by("booked"), /UTC\+8/);
  }),
);

test(
  "the week shows bookings in the chosen zone and books a case from there",
  on({ at: "/calendar" }, async ({ page, by, hub }) => {
    await settled(page);
    await by("week-after").click();
    await until("bookings", async () => (await page.locator(".block").count()) > 0);
    const block = page.locator(".block").first();
    const there = await block.getAttribute("aria-label");
    await by("zone").selectOption("Europe/Berlin");
    await until("another zone", async () => {
      const labels = await page.locator(".block").evaluateAll((all) => all.map((e) => e.ariaLabel));
      return labels.length > 0 && !labels.includes(there);
    });
    await page.locator(".block").first().click();
    await reads(by("booking"), /UTC\+8.*Yours/s);
    await by("booking-close").click();
    await by("by").selectOption("surgeon");
    await until("rows of surgeons", async () =>
      hub.world.people.some(
        async ({ name }) =>
          (await page.locator("[data-testid=week] h3").first().textContent()) === name,
      ),
    );
    await by("plan").click();
    await by("plan-case").selectOption(caseIn(hub, "eligible").id);
    await by("find-times").click();
    await by("hold-0").click();
    await by("book-do").click();
    await gone(page.getByTestId("planning"));
  }),
);

test(
  "a referral asks for a code, not a name; a refusal of the hub is shown in its parts",
  on({ at: "/refer" }, async ({ page, by, hub, sent }) => {
    await by("refer-do").click();
    await until("the first fault has the focus", () =>
      page.evaluate(() => document.activeElement?.getAttribute("aria-invalid") === "true"),
    );
    assert.equal(sent("POST", "/v1/cases").length, 0);
    await by("refer-pseudonym").fill("Zhang San");
    await by("refer-procedure").selectOption("cholecystectomy");
    await by("refer-due").fill(hub.world.day(20));
    await by("refer-do").click();
    await reads(page.locator("#fault-pseudonym"), /letters, digits or hyphens/);
    await by("make-pseudonym").click();
    hub.broken.set("/v1/cases", {
      status: 403,
      body: {
        status: 403,
        title: "x",
        rule: "A-002",
        detail: "A-002: the site of the case: org-wuhan; the limit is own.",
        value: "org-wuhan",
        limit: "own",
        satisfy: "Refer your own.",
      },
    });
    await by("refer-do").click();
    await reads(
      by("refer-do-problem"),
      /Not allowed.*A-002.*the site of the case.*org-wuhan.*own.*Refer your own/s,
    );
    hub.broken.set("/v1/cases", "silent");
    await by("refer-do").click();
    await reads(by("refer-do-problem"), /does not answer.*done only once/s);
    hub.broken.delete("/v1/cases");
    await by("refer-do-problem-again").click();
    await by("case").waitFor();
    const writes = sent("POST", "/v1/cases");
    const [first, last] = [writes.at(-2), writes.at(-1)];
    assert.equal(
      first.headers["idempotency-key"],
      last.headers["idempotency-key"],
      "A-019 the repetition is the same intent",
    );
    assert.match(last.body.referral, /^[0-9a-f]{64}$/);
    assert.deepEqual(first.body, last.body);
  }),
);

test(
  "consent, pause, grant: in order; a grant needs two people and a fresh touch of each passkey",
  on(
    { at: "/enrol/welcome", settings: { signedIn: false } },
    async ({ page, by, hub, open, sent }) => {
      await authenticator(page);
      await by("make-passkey").click();
      await by("alliance").waitFor();
      const one = caseIn(hub, "scheduled");
      await open(`/cases/${one.id}?step=consent`);
      await by("none").waitFor();
      assert.equal(await by("consent-sign").getAttribute("aria-disabled"), "true");
      await by("explained-by").selectOption(`${one.site}-p1`);
      await by("consent-sign").click();
      await reads(by("consents"), /a surgeon who is far away/);
      await by("step-briefing").click();
      const points = page.locator("[data-testid^=point-]");
      for (let i = 0; i < (await points.count()) - 1; i += 1) await points.nth(i).check();
      await reads(page.locator("#briefing-sign-why"), /1 points are open/);
      await points.last().check();
      await by("briefing-sign").click();
      await by("briefed").waitFor();
      await by("step-grant").click();
      await by("grant-propose").click();
      await page.locator('[data-testid=grants] [data-state="proposed"]').waitFor();
      const touches = () => sent("POST", "/v1/login:finish").length;
      assert.ok(touches() >= 1, "the passkey was touched for it");
      // the one who asked does not sign
      hub.world.grants.at(-1).proposed_by = "wuhan-p2";
      await page.reload();
      await reads(page.locator("#grant-sign-why"), /another person/);
      hub.world.grants.at(-1).proposed_by = "wuhan-p1";
      await page.reload();
      await by("grant-sign").click();
      await page.locator('[data-testid=grants] [data-state="issued"]').waitFor();
      await by("case").and(page.locator("[data-state=granted]")).waitFor();
    },
  ),
);

test(
  "no time fits: the rules that stand in the way are told",
  on({}, async ({ page, by, hub, open }) => {
    const { waysTo } = await import("../mock/alliance-life.mjs");
    const one = caseIn(hub, "triaged");
    const near = waysTo(hub.world, one.site).map(([centre]) => centre);
    const far = hub.world.consoles.map(({ site }) => site).find((site) => !near.includes(site));
    await open(`/cases/${one.id}?step=booking`);
    await by("book-surgeon").selectOption(`${far}-p1`);
    await by("find-times").click();
    await by("no-offers").waitFor();
    await page.locator('[data-rule="A-006"][data-ok="false"]').waitFor();
  }),
);

test(
  "a case that is over keeps its outcome; the steps before are in the log",
  on({ at: "/cases?closed=1" }, async ({ page, by }) => {
    await by("case-c-700").click();
    await by("case").and(page.locator("[data-state=closed]")).waitFor();
    assert.equal(await page.locator("[data-testid^=step-]").count(), 2);
    await by("step-outcome").click();
    assert.equal(await by("operating-min").inputValue(), "150");
  }),
);

test(
  "a change on an old version is refused, and the case is read again",
  on({}, async ({ by, hub, open }) => {
    const one = caseIn(hub, "referred");
    await open(`/cases/${one.id}`);
    await by("triage-fit").waitFor();
    one.version += 1;
    await by("triage-fit").click();
    await reads(by("triage-fit-problem"), /changed meanwhile.*A-029/s);
  }),
);

test(
  "the live board shows who holds the arm, alarms first; when the hub is lost it says how old it is",
  on({ at: "/live" }, async ({ page, by, hub, mock }) => {
    await by("board").waitFor();
    const cards = page.locator("[data-testid=board] article");
    assert.equal(await cards.count(), 3);
    await reads(cards.first(), /Taken over by/);
    await reads(by("live-c-1002"), /Path 2 lost/);
    await reads(by("live-c-1001"), /surgeon at the console/);
    hub.world.sessions[0].owner = "nobody";
    hub.tell();
    await reads(by("live-c-1001"), /nobody: the arm holds/);
    await mock.stop();
    await reads(
      by("live-lost"),
      /No news from the hub for \d+ s.*Running operations do not need the hub/s,
    );
    assert.equal(await cards.count(), 3, "what was known stays");
  }),
);

test(
  "every view: empty, failing and loading say so, and a failed one can be tried again",
  on({ settings: { empty: true } }, async ({ page, by, hub, open }) => {
    for (const place of [
      "/map",
      "/cases",
      "/calendar",
      "/live",
      "/drills",
      "/incidents",
      "/outcomes",
      "/equity",
    ]) {
      await open(place);
      await by("none").waitFor();
    }
    for (const [place, path] of Object.entries({
      "/map": "/v1/directory",
      "/cases": "/v1/cases",
      "/drills": "/v1/drills",
      "/outcomes": "/v1/benchmarks",
    })) {
      hub.broken.set(path, 503);
      await open(place);
      await page.reload();
      await reads(by("problem"), /not ready/);
      hub.broken.delete(path);
      await by("problem-again").click();
      await by("none").waitFor();
    }
    hub.broken.set("/v1/incidents", "hang");
    await open("/incidents");
    await by("loading").waitFor();
    hub.broken.set("/v1/me", "silent");
    await page.reload();
    await reads(by("problem"), /does not answer/);
  }),
);

for (const language of ["en", "zh"])
  test(
    `every view has the contrast and the names of WCAG AA, and fits (${language})`,
    on({ language }, async ({ page, by, hub, open }) => {
      const places = { ...everyView };
      for (const step of steps) places[step] = `/cases/${caseIn(hub, "live").id}?step=${step}`;
      places.booking = `/cases/${caseIn(hub, "triaged").id}?step=booking`;
      places.eligibility = `/cases/${caseIn(hub, "eligible").id}?step=eligibility`;
      for (const [name, place] of Object.entries(places)) {
        await open(place);
        await by("title").waitFor();
        await settled(page);
        assert.deepEqual(await faint(page), [], `${name}: too faint`);
        assert.deepEqual(await overflow(page), [], `${name}: too wide`);
        // the rules are the same in both languages
        if (language === "en") assert.deepEqual(await accessibilityFaults(page), [], name);
        else
          assert.doesNotMatch(
            await by("title").textContent(),
            /[a-z]{4,}/,
            `${name}: the head is in Chinese`,
          );
      }
    }),
  );

test(
  "on a tablet and on a large screen nothing is wider than the window",
  on({ viewport: { width: 820, height: 1180 }, touch: true }, async ({ page, by, open }) => {
    for (const size of [
      { width: 820, height: 1180 },
      { width: 1180, height: 820 },
      { width: 1920, height: 1080 },
    ]) {
      await page.setViewportSize(size);
      for (const [name, place] of Object.entries(everyView)) {
        await open(place);
        await by("title").waitFor();
        await settled(page);
        assert.deepEqual(await overflow(page), [], `${name} at ${size.width}`);
      }
    }
  }),
);

test(
  "by keyboard alone: to the content, through the views, into a case, between its tabs, out of a dialog",
  on({}, async ({ page, by, hub }) => {
    await by("alliance").waitFor();
    const press = (key, times = 1) =>
      Array.from({ length: times }).reduce(
        (p) => p.then(() => page.keyboard.press(key)),
        Promise.resolve(),
      );
    const focus = () =>
      page.evaluate(
        () => document.activeElement?.dataset.testid ?? document.activeElement?.id ?? "",
      );
    const reach = (id) =>
      until(`the focus reaches ${id}`, async () => {
        if ((await focus()) === id) return true;
        await press("Tab");
        return false;
      });
    await press("Tab");
    await press("Enter");
    assert.equal(await focus(), "main", "the first stop leads to the content");
    await page.evaluate(() => document.activeElement.blur());
    await reach("nav-cases");
    await press("Enter");
    await by("refer").waitFor();
    await until("the new view's head has the focus", async () => (await focus()) === "title");
    const [first] = await page
      .locator("[data-testid^=case-c]")
      .evaluateAll((all) => all.map((e) => e.dataset.testid));
    await reach(first);
    await press("Enter");
    await by("case").waitFor();
    await reach("step-outcome");
    await press("Enter");
    await reads(page.locator("#step-title"), /Outcome/);
    await page.evaluate(() => (location.hash = "#/directory"));
    await by("tab-people").waitFor();
    await reach("tab-people");
    await press("ArrowRight");
    assert.equal(await focus(), "tab-hospitals");
    assert.equal(await by("tab-hospitals").getAttribute("aria-selected"), "true");
    await press("End");
    assert.equal(await focus(), "tab-agreements");
    await page.evaluate(() => (location.hash = "#/incidents"));
    await by("add-incident").waitFor();
    await reach("add-incident");
    await press("Enter");
    await by("report").waitFor();
    await press("Escape");
    await gone(page.getByTestId("report"));
    assert.equal(await focus(), "add-incident", "the focus comes back");
    assert.ok(
      hub.heard.every(({ method }) => method === "GET"),
      "nothing was changed on the way",
    );
  }),
);

test(
  "the language is changed in place and kept",
  on({ at: "/outcomes" }, async ({ page, by }) => {
    await reads(by("title"), /Outcomes/);
    await by("language").click();
    await reads(by("title"), /结局/);
    assert.equal(await page.locator("html").getAttribute("lang"), "zh-CN");
    await page.reload();
    await reads(by("title"), /结局/);
  }),
);
