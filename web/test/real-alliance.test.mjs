// The alliance page against the real hub: `TELEHAND` names a program that takes `hub init` and `hub run`
// (`TELEHAND_ARGS="hub"` before them, the default).
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { authenticator } from "./alliance-visit.mjs";
import { launch, until as soon } from "./browser.mjs";

const PROGRAM = process.env.TELEHAND;
const WORDS = (process.env.TELEHAND_ARGS ?? "hub").split(" ").filter(Boolean);
const dir = mkdtempSync(join(tmpdir(), "alliance-"));
/** A busy machine is slow; what never comes is told all the same. */
const until = (what, condition) => soon(what, condition, 90_000);
let browser;
let hub;
let enrolment;
let page;
const bad = [];

before(async () => {
  assert.ok(PROGRAM, "TELEHAND names the program");
  const port = await freePort();
  const home = join(dir, "hub");
  const made = execFileSync(
    PROGRAM,
    [
      ...WORDS,
      "init",
      "--dir",
      home,
      "--port",
      String(port),
      "--name",
      "SIMULATED alliance",
      "--administrator",
      "Li Wei",
    ],
    { encoding: "utf8" },
  );
  enrolment = made.match(/http:\S+#\/enrol\/\S+/)?.[0];
  assert.ok(enrolment, made);
  hub = spawn(PROGRAM, [...WORDS, "run", "--dir", home], { stdio: ["ignore", "pipe", "inherit"] });
  const answers = () =>
    fetch(`http://localhost:${port}/readyz`).then(
      (reply) => reply.ok,
      () => false,
    );
  await until("the hub is ready", answers);
  browser = await launch();
  const context = await browser.newContext({
    viewport: { width: 1366, height: 768 },
    locale: "en-US",
  });
  page = await context.newPage();
  page.on("pageerror", (error) => bad.push(String(error)));
  page.on("console", (message) => {
    const text = message.text();
    // a refusal is an answer; and Chromium would rather see RS256 offered too
    if (/Failed to load resource|pubKeyCredParams/.test(text)) return;
    if (["error", "warning"].includes(message.type())) bad.push(text);
  });
});
after(async () => {
  await browser?.close();
  hub?.kill("SIGTERM");
  rmSync(dir, { recursive: true, force: true });
});

const by = (id) => page.getByTestId(id).first();
const reads = (id, pattern) =>
  until(`${id}: ${pattern}`, async () => pattern.test((await by(id).textContent()) ?? ""));
/** What the page may ask, asked by hand: the way a program of the hospital sets things up. */
const ask = (method, path, body) =>
  page.evaluate(
    async ([method, path, body]) => {
      const reply = await fetch(path, {
        method,
        headers: { "content-type": "application/json", "idempotency-key": crypto.randomUUID() },
        body: body === null ? null : JSON.stringify(body),
      });
      const text = await reply.text();
      return { status: reply.status, body: text ? JSON.parse(text) : null };
    },
    [method, path, body ?? null],
  );
const made = async (method, path, body) => {
  const { status, body: answer } = await ask(method, path, body);
  assert.ok(status < 300, `${method} ${path}: ${status} ${JSON.stringify(answer)}`);
  return answer;
};

test("A-022 the first administrator enrols a passkey by the link, once, and comes in with it", async () => {
  const key = await authenticator(page);
  await page.goto(enrolment);
  await by("make-passkey").click();
  await by("alliance").waitFor();
  await reads("who", /Li Wei/);
  assert.equal((await key.credentials()).length, 1);
  await by("sign-out").click();
  await by("sign-in").click();
  await reads("who", /Li Wei/);
  await by("account").click();
  await until(
    "the passkey is listed",
    async () => (await page.locator("[data-testid=passkeys] li").count()) === 1,
  );
  await page.goto(enrolment);
  await page.reload();
  await by("make-passkey").click();
  await by("problem").waitFor();
});

test("every view answers on an alliance in which nothing has happened yet", async () => {
  const origin = new URL(enrolment).origin;
  for (const view of [
    "map",
    "cases",
    "calendar",
    "live",
    "drills",
    "incidents",
    "outcomes",
    "equity",
  ]) {
    await page.goto(`${origin}/#/${view}`);
    await by("none").waitFor();
    assert.equal(await by("problem").count(), 0, view);
  }
});

test("a hospital is set up, its surgeon enrols by a link from the page, refers and triages a case", async () => {
  const me = (await ask("GET", "/v1/me")).body;
  const site = await made("POST", "/v1/sites", {
    org: me.org,
    name: "Kashgar Hospital (SIMULATED)",
    name_local: "喀什医院（模拟）",
    zone: "Asia/Urumqi",
    geo: { latitude_udeg: 39_470_000, longitude_udeg: 75_990_000 },
    region: "CN-65",
    jurisdiction: "CN-65",
    quintile: 1,
    open: true,
  });
  await made("PUT", "/v1/procedures/cholecystectomy", {
    name: "Cholecystectomy",
    class: "laparoscopic",
    phases: { pre: 3, remote: 4, post: 2 },
    tier: "participates",
  });
  const person = await made("POST", "/v1/people", {
    org: me.org,
    name: "Wang Min",
    roles: ["surgeon", "standby_surgeon", "scheduler"],
    active: true,
  });
  const origin = new URL(enrolment).origin;
  await page.goto(`${origin}/#/directory/${person.id}`);
  await page.reload();
  await by("enrol-link").click();
  const link = await by("the-link").inputValue();
  await page.goto(link);
  await page.reload();
  await by("make-passkey").click();
  await reads("who", /Wang Min/);
  await page.goto(`${origin}/#/map/${site.id}`);
  await reads("site", /Kashgar Hospital.*Xinjiang.*Asia\/Urumqi/s);
  await page.goto(`${origin}/#/refer`);
  await by("make-pseudonym").click();
  await by("refer-procedure").selectOption("cholecystectomy");
  await by("refer-due").fill(new Date(Date.now() + 20 * 86_400_000).toISOString().slice(0, 10));
  await by("refer-do").click();
  await by("case").and(page.locator("[data-state=referred]")).waitFor();
  await by("triage-fit").click();
  await by("case").and(page.locator("[data-state=triaged]")).waitFor();
});

test("what does not hold is told rule by rule; a change on an old version is refused", async () => {
  await by("step-eligibility").click();
  await by("el-surgeon").selectOption({ index: 1 });
  await reads("verdict", /Not eligible: \d+ of \d+/);
  assert.ok((await page.locator('[data-testid=findings] [data-ok="false"]').count()) > 0);
  await by("step-triage").click();
  const id = await page.evaluate(() => location.hash.match(/cases\/([\w-]+)/)[1]);
  await made("POST", `/v1/cases/${id}:triage`, { fit: true, urgency: "urgent" });
  await by("triage-fit").click();
  await reads("triage-fit-problem", /A-029/);
});

test("an incident is reported, and what looks like a patient's number is refused", async () => {
  const origin = new URL(enrolment).origin;
  await page.goto(`${origin}/#/incidents`);
  await by("add-incident").click();
  await by("report-site").selectOption({ index: 1 });
  await by("report-what").fill("The patient 110105195703020019 was moved.");
  await by("report-do").click();
  await reads("report-do-problem", /A-015/);
  await by("report-what").fill("The link was lost for four seconds; the arm held.");
  await by("report-do").click();
  await until(
    "the incident is listed",
    async () => (await page.locator("[data-testid^=incident-]").count()) === 1,
  );
  assert.deepEqual(bad, []);
});

function freePort() {
  return new Promise((found, failed) => {
    const server = createServer();
    server.on("error", failed);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => found(port));
    });
  });
}
