// What happens in the invented alliance: cases, bookings, sessions, drills, incidents, outcomes.
const DAY = 86_400_000;
const SLOT = 900_000;
const ZERO = "0".repeat(64);
const STATES = [
  "referred",
  "triaged",
  "eligible",
  "scheduled",
  "consented",
  "briefed",
  "granted",
  "live",
];

export function life(world, die) {
  const centres = new Set(world.consoles.map(({ site }) => site));
  const remote = world.sites.filter(({ id }) => !centres.has(id));
  for (let n = 0; n < 46; n += 1) {
    const site = remote[n % remote.length];
    const procedure = die.pick(world.procedures);
    const stage = n < 3 ? 7 : n < 5 ? 6 : die.int(0, 5);
    const one = newCase(world, {
      id: `c-${1001 + n}`,
      site: site.id,
      procedure: procedure.code,
      urgency: die.pick(["elective", "elective", "soon", "urgent"]),
      due: world.day(die.int(2, 40)),
      phases: procedure.phases,
      region: site.region,
      state: STATES[stage],
      referred: world.at(-die.int(2, 40)),
    });
    world.cases.push(one);
    if (stage >= 1)
      one.triage = {
        by: `${site.id}-p1`,
        at: one.referred,
        fit: true,
        urgency: one.urgency,
        due: one.due,
      };
    if (stage >= 2) one.eligible = true;
    if (stage >= 3) book(world, die, one, stage);
    if (stage >= 4) consent(world, one);
    if (stage >= 5)
      one.briefing = {
        at: world.at(-0.02),
        local: one.team.standby,
        remote: one.team.surgeon,
        ticked: [],
      };
    if (stage >= 6) grant(world, one, "issued");
    if (stage >= 7) run(world, one, n);
  }
  drills(world, die);
  incidents(world);
  over(world, die);
}

/** Cases that are over, in the short form. */
function over(world, die) {
  for (let n = 0; n < 30; n += 1) {
    const site = die.pick(world.sites);
    const days = die.int(3, 90);
    world.closed.push({
      id: `c-${700 + n}`,
      state: "closed",
      site: site.id,
      procedure: die.pick(world.procedures).code,
      region: site.region,
      surgeon: `wuhan-p${die.int(1, 3)}`,
      standby: `${site.id}-p2`,
      robot: `${site.id}-r1`,
      centre: "wuhan",
      urgency: "elective",
      end: n % 9 === 0 ? "taken_over" : "remote",
      referred: world.at(-days - 20),
      done: world.at(-days),
      closed: world.at(-days + 1),
      outcome: {
        conversion: n % 9 === 0 ? "local" : "none",
        clavien_30d: "0",
        clavien_90d: null,
        blood_ml: 120,
        operating_min: 150,
        remote_min: 48,
        screws: [0, 0, 0, 0, 0],
        died_30d: false,
        steps_local: 3,
        steps: 9,
        prom_change: null,
      },
      session: null,
      version: 40,
    });
  }
}

export function newCase(world, more) {
  return {
    pseudonym: `P-${more.id.slice(2)}-SIM`,
    referral: ZERO,
    referred: new Date(world.now).toISOString(),
    state: "referred",
    triage: null,
    team: { surgeon: null, standby: null, anaesthetist: null, nurse: null, engineer: null },
    booking: null,
    consent: null,
    consents: [],
    briefing: null,
    grant: null,
    session: null,
    recordings: [],
    incidents: [],
    observers: [],
    outcome: null,
    eligible: false,
    version: 7,
    ...more,
  };
}

/** Centres with a link to a site, nearest first: the paths of each. */
export function waysTo(world, site) {
  const ways = new Map();
  for (const path of world.paths)
    if (path.b === site || path.a === site) {
      const centre = path.a === site ? path.b : path.a;
      if (!world.consoles.some((one) => one.site === centre)) continue;
      ways.set(centre, [...(ways.get(centre) ?? []), path.id]);
    }
  return [...ways];
}

/** A request for a case at a slot, with the first team that fits. */
export function requestFor(world, one, start, surgeon) {
  const ways = waysTo(world, one.site);
  const home = surgeon && world.people.find(({ id }) => id === surgeon)?.org.slice(4);
  const [centre, paths] = ways.find(([id]) => !home || id === home) ?? ways[0];
  const robot = world.robots.find(({ site }) => site === one.site);
  return {
    surgeon: surgeon ?? `${centre}-p1`,
    standby: `${one.site}-p2`,
    robot: robot.id,
    console: `${centre}-k1`,
    room: robot.room,
    paths,
    start,
    phases: one.phases,
  };
}

const all = ({ pre, remote, post }) => pre + remote + post;

export function claimsOf(request) {
  const whole = { from: request.start, until: request.start + all(request.phases) };
  const remote = {
    from: request.start + request.phases.pre,
    until: request.start + request.phases.pre + request.phases.remote,
  };
  return [
    { resource: `robot/${request.robot}`, slots: whole },
    { resource: `room/${request.room}`, slots: whole },
    { resource: `person/${request.standby}`, slots: whole },
    { resource: `person/${request.surgeon}`, slots: remote },
    { resource: `console/${request.console}`, slots: remote },
    ...request.paths.map((path) => ({ resource: `path/${path}/0`, slots: remote })),
  ];
}

/** What of these claims is taken already, by which booking. */
export function clash(world, claims) {
  for (const other of [...world.bookings, ...world.holds])
    for (const mine of claims)
      for (const theirs of other.claims)
        if (
          mine.resource === theirs.resource &&
          mine.slots.from < theirs.slots.until &&
          theirs.slots.from < mine.slots.until
        )
          return { other, resource: mine.resource, slots: theirs.slots };
  return null;
}

/** 08:00 to 18:00 in China. */
export const worktime = (slot) => {
  const quarter = (slot + 32) % 96;
  return quarter >= 32 && quarter < 64;
};

function book(world, die, one, stage) {
  const today = Math.floor(world.now / SLOT);
  const midnight = today - ((today + 32) % 96);
  const ways = waysTo(world, one.site);
  for (let attempt = 0; attempt < 60; attempt += 1) {
    const centre = die.pick(ways)[0];
    const start =
      stage === 7 ? today - 9 - attempt : midnight + 96 * die.int(1, 8) + 34 + die.int(0, 22);
    const request = requestFor(world, one, start, `${centre}-p${die.int(1, 3)}`);
    const claims = claimsOf(request);
    if (clash(world, claims)) continue;
    const id = `b-${one.id.slice(2)}`;
    world.bookings.push({
      id,
      case: one.id,
      request,
      claims,
      published: stage > 3,
      wait_risk_ppm: stage > 3 ? 21_000 : null,
      moved: 0,
      version: 9,
    });
    one.booking = id;
    one.team = { ...one.team, surgeon: request.surgeon, standby: request.standby };
    return;
  }
  one.state = "eligible";
}

function consent(world, one) {
  const id = `co-${one.id.slice(2)}`;
  world.consents.push({
    id,
    case: one.id,
    version: 3,
    language: "zh",
    scopes: ["treat", "remote", "record"],
    document: ZERO,
    signed: world.at(-1),
    explained_by: `${one.site}-p1`,
    withdrawn: null,
  });
  one.consent = id;
  one.consents = [id];
}

export function grant(world, one, state) {
  const booking = world.bookings.find(({ id }) => id === one.booking);
  const { request } = booking;
  const id = `g-${one.id.slice(2)}`;
  const session = `s-${one.id.slice(2)}`;
  const made = {
    id,
    session,
    case: one.id,
    site: one.site,
    robot: request.robot,
    robot_serial: world.robots.find((r) => r.id === request.robot).serial,
    robot_model: "sim-arm-3",
    robot_firmware: { from: "2.4.0", to: "2.4.9" },
    console: request.console,
    console_key: "ab".repeat(32),
    people: [
      [request.surgeon, "control"],
      [request.standby, "standby"],
    ],
    procedure: one.procedure,
    rtt_max_us: 100_000,
    consent: one.consent,
    consent_hash: "cd".repeat(32),
    plan_hash: "ef".repeat(32),
    epoch_base: 1,
    window: { from: world.at(-0.1), until: world.at(1.4) },
    state,
    proposed_by: request.surgeon,
    cosigned_by: state === "issued" ? request.standby : null,
    revoked: null,
  };
  world.grants.push(made);
  one.grant = id;
  one.session = session;
  return made;
}

function run(world, one, n) {
  const ago = (minutes) => new Date(world.now - minutes * 60_000).toISOString();
  const signed = { by: one.team.surgeon, key: ZERO, signature: "00".repeat(64) };
  const what = [
    { started: { grant: one.grant, epoch: 1 } },
    { phase_began: { phase: "pre" } },
    { link: { rtt_p99_us: 38_400 + 9000 * n, loss_ppm: 120 } },
    { phase_began: { phase: "remote" } },
    {
      handed_over: {
        from: "local",
        to: { remote: one.team.surgeon },
        epoch: 2,
        reason: "remote phase begins",
        giver: signed,
        taker: signed,
        held_ms: 420,
      },
    },
    { link: { rtt_p99_us: 41_200 + 9000 * n, loss_ppm: 300 + 4000 * n } },
  ];
  let owner = { remote: one.team.surgeon };
  let epoch = 2;
  if (n === 1) what.push({ path_lost: { path: 1 } });
  if (n === 2) {
    what.push({ held: { rule: "G-003", held_ms: 800 } });
    what.push({ taken_over: { by: one.team.standby, reason: "bleeding", epoch: 3, took_ms: 640 } });
    owner = "local";
    epoch = 3;
  }
  world.sessions.push({
    id: one.session,
    case: one.id,
    site: one.site,
    robot: world.bookings.find(({ id }) => id === one.booking).request.robot,
    grants: [one.grant],
    owner,
    epoch,
    phase: "remote",
    events: what.map((w, seq) => ({ seq, at: ago(95 - seq * 11), what: w })),
    started: ago(95),
    ended: null,
    taken_over: n === 2,
    converted: false,
    irregular: 0,
  });
}

function drills(world, die) {
  const teams = world.sites.map((site) => world.people.filter(({ org }) => org === site.org));
  for (let n = 0; n < 60; n += 1) {
    const site = world.sites[n % world.sites.length];
    const team = teams[n % teams.length].slice(0, 4).map(({ id }) => id);
    const score = die.int(58, 99);
    world.drills.push({
      id: `d-${100 + n}`,
      scenario: die.pick([
        "path_loss",
        "hub_loss",
        "robot_fault",
        "bleeding_take_over",
        "conversion_to_open",
        "frozen_picture",
      ]),
      site: site.id,
      path: null,
      people: team,
      live: die.next() < 0.8,
      score,
      passed: score >= 70,
      at: world.at(-die.int(1, 110)),
      reaction_ms: die.int(400, 5200),
    });
  }
}

function incidents(world) {
  const rows = [
    ["network", "minor", "Path 2 was lost for 40 s; the session went on over path 1."],
    [
      "near_miss",
      "none",
      "The time-out was begun with the wrong console; noticed at the spoken code.",
    ],
    [
      "take_over",
      "minor",
      "Local take-over at a bleeding; the operation was finished with the robot.",
    ],
    ["device", "serious", "An instrument's jaw did not open; it was exchanged."],
  ];
  for (const [n, [kind, severity, what]] of rows.entries())
    world.incidents.push({
      id: `i-${20 + n}`,
      site: world.sites[5 + n].id,
      org: world.sites[5 + n].org,
      case: null,
      class: kind,
      severity,
      at: world.at(-3 - 5 * n),
      what,
      notes:
        n === 3
          ? [{ at: world.at(-2), by: "wuhan-p7", text: "Maker informed; batch checked." }]
          : [],
      reported: n === 3,
      closed: n === 0 ? world.at(-1) : null,
    });
}
