// The parts of the alliance page that need no browser, loaded through Vite.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createServer } from "vite";

let vite;
const load = (path) => vite.ssrLoadModule(`/src/alliance/${path}`);
before(async () => {
  // the words ask the browser for its language
  globalThis.location ??= { search: "", hash: "" };
  globalThis.localStorage ??= { getItem: () => "en", setItem: () => undefined };
  vite = await createServer({
    root: fileURLToPath(new URL("..", import.meta.url)),
    server: { middlewareMode: true, ws: false, hmr: false, watch: null },
    optimizeDeps: { noDiscovery: true },
    appType: "custom",
    logLevel: "error",
  });
});
after(() => vite.close());
const core = (path) =>
  readFile(new URL(`../../crates/alliance/src/${path}`, import.meta.url), "utf8");
const snake = (name) => name.replace(/(?<=.)([A-Z])/g, "_$1").toLowerCase();
/** The codes of an enum in a Rust file, as serde writes them in snake case. */
const codes = (source, name) => {
  const [, body] = source.match(new RegExp(`pub enum ${name} \\{([^]*?)\\n\\}`)) ?? [];
  assert.ok(body, `enum ${name}`);
  return [...body.matchAll(/^ {4}([A-Z]\w*)/gm)].map(([, code]) => snake(code));
};

test("both languages have the same words, none empty, with the same places for values", async () => {
  const { en } = await load("i18n/en.ts");
  const { zh } = await load("i18n/zh.ts");
  assert.deepEqual(Object.keys(zh).sort(), Object.keys(en).sort());
  const places = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
  for (const key of Object.keys(en)) {
    assert.ok(en[key] && zh[key], key);
    assert.deepEqual(places(zh[key]), places(en[key]), key);
  }
});

test("every code of the alliance that a page shows has its word", async () => {
  const { en } = await load("i18n/en.ts");
  const refusal = await core("refusal.rs");
  const rules = [...refusal.matchAll(/= "(A-\d{3})", "/g)].map(([, id]) => id);
  assert.ok(rules.length >= 33, `${rules.length} rules`);
  for (const rule of rules) assert.ok(en[`rule_${rule}`], rule);
  for (const [file, name, kind] of [
    ["case", "CaseState", "case"],
    ["case", "CaseState", "next"],
    ["case", "Urgency", "urgency"],
    ["case", "CheckPoint", "point"],
    ["consent", "Scope", "scope"],
    ["device", "DeviceState", "device"],
    ["drill", "Scenario", "scenario"],
    ["member", "Membership", "org"],
    ["network", "Grade", "grade"],
    ["network", "Medium", "medium"],
    ["people", "Role", "role"],
    ["privilege", "PrivilegeRole", "privilege_role"],
    ["privilege", "PrivilegeState", "privilege"],
    ["privilege", "EvidenceKind", "evidence"],
    ["result", "Conversion", "conversion"],
    ["result", "IncidentClass", "incident"],
    ["result", "Severity", "severity"],
    ["session", "GrantRole", "grant_role"],
    ["session", "GrantState", "grant"],
    ["session", "Phase", "phase"],
    ["session", "Happening", "happening"],
  ])
    for (const code of codes(await core(`entity/${file}.rs`), name))
      assert.ok(en[`${kind}_${code}`], `${kind}_${code}`);
});

test("what helps against an unsatisfied rule is said in Chinese too", async () => {
  const said = await readFile(new URL("../src/alliance/i18n/said.ts", import.meta.url), "utf8");
  let sentences = 0;
  for (const file of ["people", "assets", "network", "standing"]) {
    const source = await core(`eligibility/${file}.rs`);
    for (const [, sentence] of source.matchAll(/"([A-Z][^"]{6,}\.)"/g)) {
      assert.ok(said.includes(`"${sentence}"`), sentence);
      sentences += 1;
    }
  }
  assert.ok(sentences >= 25, `${sentences} sentences`);
});

test("a refusal comes apart into rule, what, value, limit and what would satisfy it", async () => {
  const { problemOf } = await load("api/client.svelte.ts");
  const told = {
    type: "urn:telehand:rule:A-004",
    title: "a privilege lapses",
    status: 409,
    detail:
      "A-004: the age of the last live drill: 91 d; the limit is 90 d. Nothing was changed. Record a live drill.",
    rule: "A-004",
    value: "91 d",
    limit: "90 d",
    satisfy: "Record a live drill.",
  };
  const { what, value, limit, satisfy, rule } = problemOf(409, JSON.stringify(told));
  assert.deepEqual(
    { what, value, limit, satisfy, rule },
    {
      what: "the age of the last live drill",
      value: "91 d",
      limit: "90 d",
      satisfy: "Record a live drill.",
      rule: "A-004",
    },
  );
  for (const text of ["", "<html>", "[]", "null", '{"detail":7}', '{"rule":"A-001"}'])
    assert.equal(problemOf(502, text).status, 502, text);
});

test("the funnel's limits are the binomial's, and close around the rate as cases grow", async () => {
  const { limits, standing } = await load("charts/funnel.ts");
  // of 100 at 10 %: P(X <= 4) = 0.0237, P(X <= 5) = 0.0576, P(X <= 16) = 0.9794 (binomial tables)
  const { low, high } = limits(100, 0.1, 0.025);
  assert.ok(low > 0.04 && low < 0.05, `${low}`);
  assert.ok(high > 0.15 && high < 0.17, `${high}`);
  const widths = [10, 40, 160, 640].map((n) => {
    const at = limits(n, 0.1, 0.025);
    return at.high - at.low;
  });
  assert.deepEqual(
    [...widths].sort((a, b) => b - a),
    widths,
  );
  assert.equal(standing({ id: "a", n: 100, events: 10 }, 0.1), "inside");
  assert.equal(standing({ id: "a", n: 100, events: 18 }, 0.1), "warn");
  assert.equal(standing({ id: "a", n: 100, events: 25 }, 0.1), "alarm");
  assert.equal(standing({ id: "a", n: 0, events: 0 }, 0.1), "inside");
  const many = limits(5000, 0.5, 0.025);
  assert.ok(many.low > 0.48 && many.high < 0.52, "no underflow with thousands of cases");
  for (const p of [0, 1, 0.5]) assert.ok(limits(0, p, 0.025).low >= 0);
});

test("the CUSUM rises by the likelihood ratio, falls without events and never below 0", async () => {
  const { cusum } = await load("charts/funnel.ts");
  const [first, second, third] = cusum([true, false, false], 0.1);
  assert.ok(Math.abs(first - Math.log(2 / 1.1)) < 1e-12);
  assert.ok(Math.abs(second - (first - Math.log(1.1))) < 1e-12);
  assert.ok(third < second);
  assert.deepEqual(cusum([false, false], 0.1), [0, 0]);
  const many = cusum(Array.from({ length: 12 }, () => true), 0.1, 2);
  const first_over = many.findIndex((value) => value >= 2);
  assert.ok(first_over > 0 && many[first_over + 1] < many[first_over], "it starts anew after a signal");
});

test("weeks are the weeks of ISO 8601, around every turn of the year", async () => {
  const { isoWeek, mondayOf } = await load("format.ts");
  for (const [day, week] of [
    ["2026-01-01", "2026-W01"],
    ["2026-12-31", "2026-W53"],
    ["2027-01-03", "2026-W53"],
    ["2027-01-04", "2027-W01"],
    ["2024-12-30", "2025-W01"],
    ["2021-01-03", "2020-W53"],
  ]) {
    assert.equal(isoWeek(new Date(`${day}T12:00Z`)), week, day);
    const monday = mondayOf(week);
    assert.equal(monday.getUTCDay(), 1);
    const days = (new Date(`${day}T12:00Z`) - monday) / 86_400_000;
    assert.ok(days >= 0 && days < 7, day);
  }
  for (const wrong of ["2026-W00", "2026-W54", "x", "2026-11-20"])
    assert.equal(mondayOf(wrong), null);
});

test("a booking lies where its zone's clock says, also across midnight and a change of the clocks", async () => {
  const { daysOf, rowsOf, hoursOf } = await load("calendar.ts");
  const slot = (text) => Date.parse(text) / 900_000;
  const booking = (id, start) => ({
    id,
    case: id,
    version: 1,
    request: { start: slot(start), phases: { pre: 4, remote: 4, post: 4 }, surgeon: "s" },
    claims: [],
  });
  const days = daysOf("2026-W44");
  assert.deepEqual([days[0], days[6]], ["2026-10-26", "2026-11-01"]);
  // Monday 02:00 in Shanghai is Sunday 18:00 UTC: it is of this week there, and of the week before in UTC
  const early = booking("early", "2026-10-25T18:00Z");
  const rows = (zone, list) => rowsOf(list, days, zone, () => "row");
  assert.equal(rows("Asia/Shanghai", [early])[0].blocks[0].day, 0);
  assert.equal(rows("Asia/Shanghai", [early])[0].blocks[0].from, 120);
  assert.equal(rows("UTC", [early]).length, 0);
  // on 1 November 2026 clocks go back in New York: 14:00 UTC is 9:00 there, not 10:00
  const after = booking("after", "2026-11-01T14:00Z");
  assert.equal(rows("America/New_York", [after])[0].blocks[0].from, 9 * 60);
  const two = [booking("a", "2026-10-27T01:00Z"), booking("b", "2026-10-27T02:00Z")];
  const [row] = rows("Asia/Shanghai", two);
  assert.deepEqual(
    row.blocks.map(({ lane }) => lane),
    [0, 1],
    "what overlaps lies under each other",
  );
  assert.deepEqual(
    row.blocks[0].remote.map((part) => Math.round(part * 3)),
    [1, 2],
  );
  assert.deepEqual(hoursOf([row]), [8, 18]);
  assert.deepEqual(hoursOf(rows("Asia/Shanghai", [early])), [2, 18]);
});

test("names on the map lie on no other name and on no dot", async () => {
  const { placeLabels, frameOf, distance_km } = await load("map/place.ts");
  const frame = frameOf(
    [
      { lat: 0, lon: 0 },
      { lat: 10, lon: 20 },
    ],
    1.5,
  );
  const labels = Array.from({ length: 40 }, (_, i) => ({
    id: String(i),
    x: (i * 7) % 20,
    y: -((i * 3) % 10),
    text: `Hospital ${i}`,
    weight: i === 5 ? 9 : 0,
  }));
  const placed = placeLabels(labels, 0.4, frame);
  assert.equal(placed[0].id, "5", "the chosen one first");
  assert.ok(placed.length > 5);
  const boxes = placed.map(({ tx, ty, text, anchor }) => {
    const wide = text.length * 0.56 * 0.4;
    const left = anchor === "end" ? tx - wide : anchor === "middle" ? tx - wide / 2 : tx;
    return [left, ty - 0.34, left + wide, ty + 0.08];
  });
  for (const [i, a] of boxes.entries())
    for (const b of boxes.slice(i + 1))
      assert.ok(a[0] >= b[2] || b[0] >= a[2] || a[1] >= b[3] || b[1] >= a[3], `${a} ${b}`);
  // Shanghai to Kashgar by the great circle: 4,180 km
  const km = distance_km({ lat: 31.23, lon: 121.47 }, { lat: 39.47, lon: 75.99 });
  assert.ok(Math.abs(km - 4180) < 5, `${km}`);
});

test("a session's condition follows its events: a path that came back is no alarm", async () => {
  const { conditionOf } = await load("views/condition.ts");
  const of = (...what) =>
    conditionOf({ events: what.map((w, seq) => ({ seq, at: "2026-11-20T10:00:00Z", what: w })) });
  const lost = of({ path_lost: { path: 1 } });
  assert.deepEqual(lost.paths, [true, false]);
  assert.deepEqual(
    lost.alarms.map(({ grave }) => grave),
    [false],
  );
  assert.equal(of({ path_lost: { path: 1 } }, { path_back: { path: 1 } }).alarms.length, 0);
  const both = of({ path_lost: { path: 0 } }, { path_lost: { path: 1 } });
  assert.ok(
    both.alarms.every(({ grave }) => grave),
    "both lost is grave",
  );
  assert.equal(of("converted").alarms[0].grave, true);
  assert.equal(of({ link: { rtt_p99_us: 41_200, loss_ppm: 300 } }).rtt_ms, 41.2);
});
