// The alliance page in a browser, against the mock hub; what it must never do is watched.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { startAlliance } from "../mock/alliance.mjs";
import { LOCALES } from "./browser.mjs";

const AXE = await readFile(
  fileURLToPath(new URL("../node_modules/axe-core/axe.min.js", import.meta.url)),
  "utf8",
);

/** A page of a mock hub of its own. `expect` lists statuses that the browser may call errors. */
export async function visitAlliance(
  browser,
  { at = "/map", language = "en", settings, viewport, zone = "Europe/Berlin", touch = false } = {},
) {
  const mock = await startAlliance({ settings });
  const context = await browser.newContext({
    viewport: viewport ?? { width: 1366, height: 768 },
    locale: LOCALES[language],
    timezoneId: zone,
    hasTouch: touch,
  });
  context.setDefaultTimeout(90_000);
  const page = await context.newPage();
  const bad = [];
  page.on("console", (message) => {
    // a refusal is an answer; the browser calls each an error, and a hub that is gone too
    if (/Failed to load resource|ERR_/.test(message.text())) return;
    if (["error", "warning"].includes(message.type()))
      bad.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => bad.push(String(error)));
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (!["data:", "blob:"].includes(protocol) && hostname !== "localhost")
      bad.push(`request to ${request.url()}`);
  });
  const visited = {
    mock,
    hub: mock.hub,
    page,
    bad,
    by: (id) => page.getByTestId(id).first(),
    open: (place) => page.goto(`${mock.url}#${place}`),
    /** What was sent to a path, oldest first. */
    sent: (method, path) =>
      mock.hub.heard.filter((one) => one.method === method && one.path === path),
    async close() {
      await context.close();
      await mock.stop();
    },
  };
  await visited.open(at);
  return visited;
}

/** A security key that lives in the browser. */
export async function authenticator(page) {
  const line = await page.context().newCDPSession(page);
  await line.send("WebAuthn.enable");
  const { authenticatorId } = await line.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return {
    verified: (isUserVerified) =>
      line.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified }),
    credentials: async () =>
      (await line.send("WebAuthn.getCredentials", { authenticatorId })).credentials,
  };
}

/** Faults by the rules of WCAG 2.2 A and AA, as `rule: where`. */
export async function accessibilityFaults(page) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { violations } = await window.axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
      resultTypes: ["violations"],
    });
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")} ${failureSummary}`),
    );
  });
}

export const everyView = {
  map: "/map",
  hospital: "/map/lhasa",
  directory: "/directory/wuhan-p1",
  paths: "/directory?tab=paths",
  cases: "/cases",
  refer: "/refer",
  calendar: "/calendar",
  live: "/live",
  drills: "/drills",
  incident: "/incidents/i-23",
  outcomes: "/outcomes",
  equity: "/equity",
  account: "/account",
};

export const steps = [
  "triage",
  "eligibility",
  "booking",
  "consent",
  "briefing",
  "grant",
  "session",
  "outcome",
];

/** Nothing is wider than the window but what scrolls by itself. */
export async function overflow(page) {
  return page.evaluate(() => {
    const main = document.querySelector("#main");
    return [document.documentElement, document.body, main]
      .filter((one) => one && one.scrollWidth > one.clientWidth + 1)
      .map((one) => `${one.tagName} ${one.scrollWidth} > ${one.clientWidth}`);
  });
}

export const same = (found, wanted, what) => assert.deepEqual(found, wanted, what);
