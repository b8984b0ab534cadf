// What the mock hub answers: reads, and writes with their refusals.
import { benchmarks, equity } from "./alliance-figures.mjs";
import { claimsOf, clash, grant, newCase, requestFor, waysTo, worktime } from "./alliance-life.mjs";

const SLOT = 900_000;

/** A refusal on the wire, as the hub words it. */
export const refusal = (status, rule, what, value = "", limit = "", satisfy = "") => ({
  status,
  body: {
    type: `urn:telehand:rule:${rule}`,
    title: what,
    status,
    detail: `${rule}: ${what}: ${value}; the limit is ${limit}. Nothing was changed. ${satisfy}`,
    rule,
    value,
    limit,
    satisfy,
  },
});
export const problem = (status, detail) => ({
  status,
  body: { type: "about:blank", title: "problem", status, detail },
});
const list = (items) => ({ body: { items, next: null } });
const known = (thing) =>
  thing ? { body: thing } : problem(404, "none of this name that you may see");

const time = (slot) => new Date(slot * SLOT).toISOString().replace(".000", "");

/** `[method, pattern, (world, found, asked) => answer]`; asked: { body, query, person, headers }. */
const ACTS = [
  ["GET", /^\/v1\/directory$/, (w) => ({ body: w.directory() })],
  ["GET", /^\/v1\/cases$/, (w, { query }) => list(query.has("closed") ? w.closed : w.cases)],
  [
    "GET",
    /^\/v1\/cases\/([\w-]+)$/,
    (w, id) => known([...w.cases, ...w.closed].find((c) => c.id === id)),
  ],
  ["GET", /^\/v1\/cases\/([\w-]+)\/eligibility$/, eligibility],
  [
    "GET",
    /^\/v1\/cases\/([\w-]+)\/consents$/,
    (w, id) => list(w.consents.filter((c) => c.case === id)),
  ],
  [
    "GET",
    /^\/v1\/cases\/([\w-]+)\/grants$/,
    (w, id) => list(w.grants.filter((g) => g.case === id)),
  ],
  [
    "GET",
    /^\/v1\/consent-forms$/,
    () =>
      list([
        {
          version: 3,
          languages: ["zh", "bo", "en"],
          from: "2026-01-01",
          until: "2027-12-31",
          valid_days: 90,
        },
      ]),
  ],
  ["GET", /^\/v1\/bookings\/([\w-]+)$/, (w, id) => known(w.bookings.find((b) => b.id === id))],
  ["GET", /^\/v1\/sessions\/([\w-]+)$/, (w, id) => known(w.sessions.find((s) => s.id === id))],
  ["GET", /^\/v1\/schedule\/(\d{4}-W\d{2})$/, week],
  ["GET", /^\/v1\/schedule:explain$/, explain],
  ["GET", /^\/v1\/surgeons\/([\w-]+)\/currency$/, currency],
  [
    "POST",
    /^\/v1\/people\/([\w-]+):enrol$/,
    (w, id) => ({ body: { person: id, link: "http://localhost/#/enrol/welcome", until: w.at(1) } }),
  ],
  ["GET", /^\/v1\/drills$/, (w) => list(w.drills)],
  ["GET", /^\/v1\/incidents$/, (w) => list(w.incidents)],
  [
    "GET",
    /^\/v1\/benchmarks$/,
    (w, { query }) => ({ body: benchmarks(w, query.get("measure"), query.get("by")) }),
  ],
  ["GET", /^\/v1\/equity$/, (w) => ({ body: equity(w) })],
  ["POST", /^\/v1\/cases$/, refer],
  ["POST", /^\/v1\/cases\/([\w-]+):triage$/, onCase(triage)],
  ["POST", /^\/v1\/cases\/([\w-]+):withdraw$/, onCase((w, one) => void (one.state = "withdrawn"))],
  ["POST", /^\/v1\/cases\/([\w-]+):eligible$/, onCase(settle)],
  ["POST", /^\/v1\/cases\/([\w-]+)\/consents$/, onCase(consent)],
  ["DELETE", /^\/v1\/cases\/([\w-]+)\/consents\/([\w-]+)$/, withdrawConsent],
  ["POST", /^\/v1\/cases\/([\w-]+)\/timeout$/, onCase(timeout)],
  [
    "PUT",
    /^\/v1\/cases\/([\w-]+)\/team$/,
    onCase((w, one, { body }) => void (one.team = { ...one.team, ...body })),
  ],
  ["POST", /^\/v1\/cases\/([\w-]+):close$/, onCase((w, one) => void (one.state = "closed"))],
  ["POST", /^\/v1\/cases\/([\w-]+)\/grants$/, onCase((w, one) => void grant(w, one, "proposed"))],
  ["POST", /^\/v1\/sessions\/[\w-]+\/grants\/([\w-]+):sign$/, sign],
  ["POST", /^\/v1\/schedule:find$/, find],
  ["POST", /^\/v1\/schedule:hold$/, hold],
  ["POST", /^\/v1\/schedule:book$/, book],
  ["POST", /^\/v1\/schedule:cancel$/, cancel],
  ["POST", /^\/v1\/drills$/, (w, asked) => add(w.drills, "d", asked)],
  [
    "POST",
    /^\/v1\/incidents$/,
    (w, asked) =>
      add(w.incidents, "i", asked, { notes: [], reported: false, closed: null, org: "org-wuhan" }),
  ],
  ["POST", /^\/v1\/incidents\/([\w-]+)\/notes$/, note],
  [
    "POST",
    /^\/v1\/incidents\/([\w-]+):close$/,
    (w, id) =>
      known(
        Object.assign(
          w.incidents.find((i) => i.id === id),
          { closed: new Date().toISOString() },
        ),
      ),
  ],
  ["POST", /^\/v1\/outcomes$/, outcome],
];

export function act(world, method, path, asked) {
  for (const [verb, pattern, made] of ACTS) {
    const found = pattern.exec(path);
    if (found && verb === method) return made(world, ...found.slice(1), asked);
  }
  return problem(404, "there is no such address");
}

/** A write to one case: made on the version that was read. */
function onCase(change) {
  return (world, id, asked) => {
    const one = world.cases.find((c) => c.id === id);
    if (!one) return problem(404, "none of this name that you may see");
    const read = asked.headers["if-match"];
    if (read && read !== `"${one.version}"`)
      return refusal(
        412,
        "A-029",
        "the version that was read",
        read,
        `"${one.version}"`,
        "Read it again.",
      );
    const no = change(world, one, asked);
    if (no) return no;
    one.version += 1;
    return { body: one, headers: { etag: `"${one.version}"` } };
  };
}

function eligibility(world, id, { query }) {
  const one = world.cases.find((c) => c.id === id);
  if (!one) return problem(404, "none of this name that you may see");
  const surgeon = query.get("surgeon");
  const finding = (rule, ok, what, value, limit, satisfy = "") => ({
    rule,
    ok,
    what,
    value,
    limit,
    satisfy: ok ? "" : satisfy,
  });
  const privilege = world.privileges.find(
    (p) => p.surgeon === surgeon && p.procedure === one.procedure && p.role === "remote_lead",
  );
  const until = privilege?.until ?? "";
  const asked = Object.fromEntries([...query].filter(([key]) => key !== "paths"));
  const request = { ...requestFor(world, one, 0, surgeon), ...asked };
  if (query.has("paths")) request.paths = query.get("paths").split(",").filter(Boolean);
  const paths = linked(world, surgeon, one.site) || query.has("paths") ? request.paths : [];
  request.paths = paths;
  const passed = paths.filter((p) =>
    world.qualifications.some((q) => q.path === p && q.grade !== "fail"),
  );
  const name = world.people.find(({ id: p }) => p === surgeon)?.name ?? "";
  const today = world.day(0);
  const findings = [
    finding(
      "A-018",
      true,
      "the patient's hospital",
      `Member until ${world.day(300)}`,
      `a member on ${today}`,
    ),
    finding("A-018", true, "the agreement of the two hospitals", "ag-wuhan", `binding on ${today}`),
    finding("A-017", true, `the surgeon ${name}`, "in service", "in service, in that role"),
    finding("A-020", true, `the licence of the surgeon at ${one.site}`, "in date", `on ${today}`),
    finding(
      "A-030",
      privilege?.state === "granted",
      `the privilege of the surgeon for ${one.procedure} on sim-arm-3`,
      privilege?.state ?? "none",
      "granted",
      "Ask the committee of the surgeon's hospital.",
    ),
    finding(
      "A-004",
      until > today,
      "the end of the privilege of the surgeon",
      until ? `until ${until}` : "none",
      `on ${today}`,
      "Ask the committee to prolong the privilege.",
    ),
    finding(
      "A-005",
      Boolean(request.standby),
      "the stand-by surgeon's hospital",
      `of ${one.site}`,
      "the patient's",
      "Name a stand-by surgeon of the patient's hospital.",
    ),
    finding(
      "A-006",
      passed.length >= 2,
      "paths",
      String(passed.length),
      "2 at least",
      "Name a second, diverse path.",
    ),
    finding(
      "A-021",
      Boolean(request.console),
      "console and robot",
      "sim-desk-2 2.4.1 with sim-arm-3 2.4.1",
      "a combination that was declared",
    ),
    finding("A-033", true, "the room", "OR 1", "at the patient's site, with the robot"),
  ];
  return { body: { request, findings } };
}

const linked = (world, surgeon, site) => {
  const home = world.people.find(({ id }) => id === surgeon)?.org.slice(4);
  return waysTo(world, site).some(([centre]) => centre === home);
};

function explain(world, { query }) {
  const { body } = eligibility(world, query.get("case"), { query });
  const findings = body.findings.filter(({ ok }) => !ok);
  return { body: { possible: findings.length === 0, request: body.request, findings } };
}

function currency(world, id) {
  const own = world.privileges.filter(({ surgeon }) => surgeon === id);
  const judge = (privilege) => ({
    privilege,
    findings: [
      {
        rule: "A-004",
        ok: privilege.cases.length > 2,
        what: "the end of the privilege of the surgeon",
        value: privilege.until,
        limit: world.day(0),
        satisfy: "Ask the committee to prolong the privilege.",
      },
    ],
  });
  return { body: { surgeon: id, drills: null, privileges: own.map(judge) } };
}

function week(world, name) {
  const [year, number] = name.split("-W").map(Number);
  const fourth = Date.UTC(year, 0, 4);
  const monday =
    fourth - ((new Date(fourth).getUTCDay() + 6) % 7) * 86_400_000 + (number - 1) * 604_800_000;
  const inside = ({ request }) => {
    const at = request.start * SLOT;
    return at >= monday && at < monday + 604_800_000;
  };
  return {
    body: {
      week: name,
      bookings: world.bookings.filter(inside),
      holds: world.holds.filter(inside),
    },
  };
}

function refer(world, { body, person }) {
  if (/[^A-Za-z0-9-]/.test(body.pseudonym))
    return refusal(
      422,
      "A-015",
      'the text in "pseudonym"',
      "words",
      "a code, an id, a time or a hash",
      "Send codes here.",
    );
  const own = world.people.find(({ id }) => id === person).org;
  const site = world.sites.find(({ id }) => id === body.site);
  if (site.org !== own && !world.anyoneRefers)
    return refusal(
      403,
      "A-002",
      "the site of the case",
      site.org,
      own,
      "Refer cases of your own hospital.",
    );
  const one = newCase(world, { ...body, id: `c-${2000 + world.cases.length}` });
  world.cases.unshift(one);
  return { status: 201, body: one };
}

function triage(world, one, { body }) {
  one.triage = { by: "wuhan-p1", at: new Date().toISOString(), ...body };
  one.urgency = body.urgency;
  one.due = body.due;
  one.state = body.fit ? "triaged" : "referred";
}

function settle(world, one, asked) {
  one.eligible = true;
  one.state = "eligible";
  const { surgeon, standby } = asked.body.request;
  one.team = { ...one.team, surgeon, standby };
}

function consent(world, one, { body }) {
  const id = `co-${one.id.slice(2)}-${one.consents.length + 1}`;
  world.consents.push({ ...body, id, case: one.id, withdrawn: null });
  one.consents = [...one.consents, id];
  one.consent = id;
  if (one.state === "scheduled") one.state = "consented";
}

function withdrawConsent(world, id, consentId, asked) {
  return onCase((w, one) => {
    const found = w.consents.find((c) => c.id === consentId);
    found.withdrawn = new Date().toISOString();
    one.consent = null;
    if (one.booking) one.state = "scheduled";
  })(world, id, asked);
}

function timeout(world, one, { body }) {
  one.briefing = { at: new Date().toISOString(), ...body };
  one.state = "briefed";
}

function sign(world, id, { person }) {
  const found = world.grants.find((g) => g.id === id);
  if (found.proposed_by === person)
    return refusal(
      409,
      "A-028",
      "who signs for the site",
      person,
      "another person",
      "Ask a colleague.",
    );
  found.state = "issued";
  found.cosigned_by = person;
  const one = world.cases.find((c) => c.id === found.case);
  one.state = "granted";
  one.version += 1;
  return { body: found };
}

function find(world, { body }) {
  const one = world.cases.find((c) => c.id === body.case);
  const offers = [];
  if (body.surgeon && !linked(world, body.surgeon, one.site)) return list([]);
  for (let start = body.from; start < body.until && offers.length < 8; start += 1) {
    if (!worktime(start)) continue;
    const request = requestFor(world, one, start, body.surgeon || undefined);
    if (clash(world, claimsOf(request))) continue;
    offers.push(request);
    start += 11;
  }
  return list(offers);
}

function hold(world, { body }) {
  const claims = claimsOf(body.request);
  const taken = clash(world, claims);
  if (taken)
    return refusal(
      409,
      "A-008",
      taken.resource,
      `taken from ${time(taken.slots.from)} until ${time(taken.slots.until)}`,
      `free from ${time(claims[0].slots.from)} until ${time(claims[0].slots.until)}`,
      "Choose another time or another one.",
    );
  const made = {
    id: `h-${world.holds.length + 1}`,
    case: body.case,
    request: body.request,
    claims,
    until: new Date(Date.now() + 300_000).toISOString(),
  };
  world.holds.push(made);
  return { status: 201, body: made };
}

function book(world, { body }) {
  const held = world.holds.find((h) => h.id === (body.hold ?? body.booking));
  if (!held) return refusal(409, "A-008", "the hold", "over", "a hold in force", "Hold it again.");
  world.holds = world.holds.filter((h) => h !== held);
  const made = { ...held, published: false, wait_risk_ppm: null, moved: 0, version: 1 };
  delete made.until;
  world.bookings.push(made);
  const one = world.cases.find((c) => c.id === held.case);
  Object.assign(one, { booking: made.id, state: "scheduled", version: one.version + 1 });
  one.team = { ...one.team, surgeon: made.request.surgeon, standby: made.request.standby };
  return { status: 201, body: made };
}

function cancel(world, { body }) {
  world.bookings = world.bookings.filter((b) => b.id !== body.booking);
  const one = world.cases.find((c) => c.booking === body.booking);
  Object.assign(one, { booking: null, state: "eligible", version: one.version + 1 });
  return { body: one };
}

function add(rows, letter, { body }, more = {}) {
  const made = { ...body, ...more, id: `${letter}-${500 + rows.length}` };
  rows.push(made);
  return { status: 201, body: made };
}

function note(world, id, { body, person }) {
  const found = world.incidents.find((i) => i.id === id);
  found.notes.push({ at: new Date().toISOString(), by: person, text: body.text });
  found.reported ||= body.reported;
  return { body: found };
}

function outcome(world, { body }) {
  const one = world.cases.find((c) => c.id === body.case);
  one.outcome = body.summary;
  return { status: 201, body: { ...body, id: "o-1" } };
}
