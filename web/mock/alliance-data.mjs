// An invented alliance: 27 hospitals from Wuhan to Lhasa. Cities and their places are real (degrees,
// from general geography); hospitals, people, robots, links and figures are made up from a seed.
import { life } from "./alliance-life.mjs";

export const DAY = 86_400_000;
export const SLOT = 900_000;

/** A small generator (mulberry32): the same seed, the same alliance. */
export function dice(seed) {
  let s = seed >>> 0;
  const next = () => {
    s = (s + 0x6d2b79f5) >>> 0;
    let x = Math.imul(s ^ (s >>> 15), s | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    next,
    int: (low, high) => low + Math.floor(next() * (high - low + 1)),
    pick: (list) => list[Math.floor(next() * list.length)],
  };
}

export const CITIES = [
  ["wuhan", "Wuhan", "武汉", 30.59, 114.3, "CN-42", 1, true],
  ["chengdu", "Chengdu", "成都", 30.57, 104.07, "CN-51", 1, true],
  ["chongqing", "Chongqing", "重庆", 29.56, 106.55, "CN-50", 1, true],
  ["xian", "Xi'an", "西安", 34.34, 108.94, "CN-61", 1, true],
  ["changsha", "Changsha", "长沙", 28.23, 112.94, "CN-43", 1, false],
  ["yichang", "Yichang", "宜昌", 30.69, 111.29, "CN-42", 2, false],
  ["xiangyang", "Xiangyang", "襄阳", 32.01, 112.12, "CN-42", 2, false],
  ["shiyan", "Shiyan", "十堰", 32.63, 110.8, "CN-42", 3, false],
  ["enshi", "Enshi", "恩施", 30.27, 109.49, "CN-42", 4, false],
  ["wanzhou", "Wanzhou", "万州", 30.81, 108.41, "CN-50", 3, false],
  ["mianyang", "Mianyang", "绵阳", 31.47, 104.68, "CN-51", 2, false],
  ["yaan", "Ya'an", "雅安", 29.98, 103.01, "CN-51", 3, false],
  ["kangding", "Kangding", "康定", 30.05, 101.96, "CN-51", 5, false],
  ["xichang", "Xichang", "西昌", 27.89, 102.26, "CN-51", 4, false],
  ["guiyang", "Guiyang", "贵阳", 26.65, 106.63, "CN-52", 2, false],
  ["kunming", "Kunming", "昆明", 25.04, 102.71, "CN-53", 2, false],
  ["dali", "Dali", "大理", 25.6, 100.27, "CN-53", 3, false],
  ["shangri-la", "Shangri-La", "香格里拉", 27.83, 99.7, "CN-53", 5, false],
  ["lanzhou", "Lanzhou", "兰州", 36.06, 103.83, "CN-62", 2, false],
  ["xining", "Xining", "西宁", 36.62, 101.78, "CN-63", 3, false],
  ["golmud", "Golmud", "格尔木", 36.4, 94.9, "CN-63", 5, false],
  ["yushu", "Yushu", "玉树", 33.0, 97.01, "CN-63", 5, false],
  ["qamdo", "Qamdo", "昌都", 31.14, 97.17, "CN-54", 5, false],
  ["nyingchi", "Nyingchi", "林芝", 29.65, 94.36, "CN-54", 4, false],
  ["nagqu", "Nagqu", "那曲", 31.48, 92.05, "CN-54", 5, false],
  ["shigatse", "Shigatse", "日喀则", 29.27, 88.88, "CN-54", 5, false],
  ["lhasa", "Lhasa", "拉萨", 29.65, 91.14, "CN-54", 4, false],
];

const FAMILY = "Li Wang Zhang Liu Chen Yang Zhao Huang Zhou Wu Xu Sun Tashi Sonam".split(" ");
const GIVEN = "Wei Min Jing Lei Fang Qiang Yan Jun Ling Hui Dolma Norbu Pema Ting".split(" ");
export const PROCEDURES = [
  [
    "spine-pedicle-screw",
    "Pedicle screws, lumbar",
    "plan_then_execute",
    4,
    3,
    3,
    "precise_execution",
  ],
  ["partial-nephrectomy", "Partial nephrectomy", "laparoscopic", 4, 7, 3, "participates"],
  ["prostatectomy", "Radical prostatectomy", "laparoscopic", 4, 8, 3, "participates"],
  ["cholecystectomy", "Cholecystectomy", "laparoscopic", 3, 4, 2, "participates"],
].map(([code, name, networkClass, pre, remote, post, tier]) => ({
  code,
  name,
  class: networkClass,
  phases: { pre, remote, post },
  tier,
}));
export const ZERO = "0".repeat(64);

/** The alliance as it stands at `now`. */
export function alliance({ now = Date.now(), empty = false } = {}) {
  const die = dice(27);
  const at = (days) => new Date(now + days * DAY).toISOString();
  const day = (days) => at(days).slice(0, 10);
  const world = {
    now,
    at,
    day,
    orgs: [],
    sites: [],
    rooms: [],
    people: [],
    privileges: [],
    robots: [],
    consoles: [],
    paths: [],
    qualifications: [],
    agreements: [],
    procedures: PROCEDURES,
    cases: [],
    closed: [],
    consents: [],
    bookings: [],
    holds: [],
    sessions: [],
    grants: [],
    drills: [],
    incidents: [],
  };
  if (empty) {
    const org = hospital(world, die, CITIES[0]);
    world.sites = [];
    world.someone = `${org}-p1`;
    return finish(world);
  }
  for (const city of CITIES) hospital(world, die, city);
  links(world, die);
  agreements(world);
  privileges(world, die);
  world.someone = "wuhan-p1";
  life(world, die);
  return finish(world);
}

function hospital(world, die, [id, name, local, lat, lon, region, quintile, centre]) {
  const { day } = world;
  world.orgs.push({
    id: `org-${id}`,
    name: `${name} Hospital (SIMULATED)`,
    name_local: `${local}医院（模拟）`,
    kind: "hospital",
    state: "member",
    until: day(300),
    contact_24h: `+86 000 ${String(1000 + world.orgs.length)}`,
    insurer: "",
    version: 1,
  });
  world.sites.push({
    id,
    org: `org-${id}`,
    name: `${name} Hospital (SIMULATED)`,
    name_local: `${local}医院（模拟）`,
    zone: "Asia/Shanghai",
    geo: { latitude_udeg: Math.round(lat * 1e6), longitude_udeg: Math.round(lon * 1e6) },
    region,
    jurisdiction: region,
    quintile: 6 - quintile,
    population_k: 1000,
    key: ZERO,
    open: true,
    version: 1,
  });
  const roles = centre
    ? [
        ["surgeon"],
        ["surgeon", "mentor"],
        ["surgeon"],
        ["network_engineer"],
        ["scheduler"],
        ["committee"],
        ["quality"],
        ["administrator"],
      ]
    : [
        ["surgeon", "standby_surgeon"],
        ["standby_surgeon"],
        ["anaesthetist"],
        ["nurse"],
        ["scheduler"],
      ];
  for (const [n, own] of roles.entries())
    world.people.push({
      id: `${id}-p${n + 1}`,
      org: `org-${id}`,
      name: nameFor(world, die),
      roles: own,
      languages: ["zh"],
      licences: own.some((role) => role.includes("surgeon"))
        ? [
            {
              jurisdiction: region,
              site: null,
              until: day(die.int(40, 500)),
              register: "SIMULATED register",
              verified: day(-30),
            },
          ]
        : [],
      suspended: null,
      active: true,
      max_slots_per_day: 24,
      version: 1,
    });
  world.rooms.push({ id: `${id}-or1`, site: id, name: `${name} OR 1` });
  const device = (kind, n, model) => ({
    id: `${id}-${kind}${n}`,
    site: id,
    model,
    serial: `SIM-${1000 + world.robots.length * 10 + world.consoles.length}`,
    firmware: "2.4.1",
    state: "ready",
    maintenance: [],
    key: ZERO,
    version: 1,
  });
  world.robots.push({
    ...device("r", 1, "sim-arm-3"),
    room: `${id}-or1`,
    checked_until: day(die.int(20, 200)),
    instruments: [],
  });
  if (centre) for (const n of [1, 2]) world.consoles.push(device("k", n, "sim-desk-2"));
  return id;
}

/** A made-up name that nobody else has. */
function nameFor(world, die) {
  for (;;) {
    const name = `${die.pick(FAMILY)} ${die.pick(GIVEN)}`;
    if (world.people.every((one) => one.name !== name)) return name;
  }
}

const distance = ([, , , lat, lon], other) => Math.hypot(other[3] - lat, other[4] - lon);

function links(world, die) {
  const { at } = world;
  const centres = CITIES.filter((city) => city[7]);
  const seen = new Set();
  for (const city of CITIES) {
    const near = centres
      .filter(([other]) => other !== city[0])
      .sort((a, b) => distance(a, city) - distance(b, city))
      .slice(0, 2);
    for (const other of near) {
      const pair = [city[0], other[0]].sort().join("-");
      if (seen.has(pair)) continue;
      seen.add(pair);
      const ms = 6 + distance(city, other) * 1.9;
      const bad = die.next();
      for (const [medium, provider] of [
        ["fibre", "SIMULATED carrier A"],
        [city[6] === 5 ? "satellite" : "five_g", "SIMULATED carrier B"],
      ]) {
        const id = `${pair}-${medium.replace("_", "")}`;
        world.paths.push({
          id,
          a: other[0],
          b: city[0],
          medium,
          provider,
          diversity_group: medium,
          lanes: 2,
          open: true,
          check: null,
          version: 1,
        });
        const second = medium !== "fibre";
        const grade = second && bad > 0.86 ? "fail" : second && bad > 0.45 ? "conditional" : "pass";
        if (bad < 0.06) continue;
        const rtt = Math.round((ms * (second ? 1.8 : 1) + die.int(0, 6)) * 1000);
        world.qualifications.push({
          id: `q-${id}`,
          path: id,
          class: "laparoscopic",
          grade,
          reasons:
            grade === "pass"
              ? []
              : [`jitter p99: ${grade === "fail" ? "24" : "12"} ms; the limit is 10 ms`],
          until: at(die.int(4, 80)),
          survey: {
            from: at(-9),
            until: at(-6),
            rtt_p50_us: Math.round(rtt * 0.8),
            rtt_p99_us: Math.round(rtt * 0.94),
            rtt_p999_us: rtt,
            jitter_p99_us: grade === "pass" ? 3200 : grade === "fail" ? 24_000 : 12_000,
            loss_ppm: die.int(2, 900),
            loss_burst: 3,
            longest_gap_us: 42_000,
            gaps: 0,
            downlink_kbps: 200_000,
            uplink_kbps: 50_000,
            failover: null,
          },
        });
      }
    }
  }
}

function agreements(world) {
  for (const centre of CITIES.filter((city) => city[7])) {
    const parties = world.orgs.map(({ id }) => id);
    world.agreements.push({
      id: `ag-${centre[0]}`,
      parties,
      scope: [],
      from: world.day(-200),
      until: world.day(165),
      responsibilities: {
        leads: `org-${centre[0]}`,
        takes_over: parties[5],
        pays: parties[5],
        network: `org-${centre[0]}`,
        robot: parties[5],
        reports: parties[5],
        contact_24h: "+86 000 0000",
      },
      document: ZERO,
      signed: Object.fromEntries(parties.map((party) => [party, world.at(-201)])),
      ended: null,
      version: 1,
    });
  }
}

function privileges(world, die) {
  for (const person of world.people) {
    const role = person.roles.includes("standby_surgeon")
      ? "local_standby"
      : person.roles.includes("surgeon")
        ? "remote_lead"
        : null;
    if (!role) continue;
    for (const { code } of PROCEDURES)
      if (role === "local_standby" || die.next() < 0.75)
        world.privileges.push({
          id: `pr-${person.id}-${code}`,
          surgeon: person.id,
          procedure: code,
          robot_model: "sim-arm-3",
          role,
          state: die.next() < 0.93 ? "granted" : "applied",
          from: world.day(-200),
          until: world.day(die.int(-10, 160)),
          evidence: [
            {
              kind: "local_cases",
              count: 24,
              from: world.day(-700),
              until: world.day(-200),
              by: "wuhan-p6",
              document: ZERO,
            },
            {
              kind: "live_drill",
              count: 1,
              from: world.day(-40),
              until: world.day(-40),
              by: "wuhan-p6",
              document: ZERO,
            },
          ],
          decisions: [],
          reviewed: null,
          cases: [world.day(-70), world.day(-44), world.day(-12)],
          lapse_noted: null,
          version: 1,
        });
  }
}

function finish(world) {
  world.me = (id) => {
    const person = world.people.find((one) => one.id === id);
    return {
      person: id,
      name: person.name,
      org: person.org,
      roles: person.roles,
      strength: "passkey",
      expires: null,
      simulated: true,
    };
  };
  world.directory = () =>
    Object.fromEntries(
      [
        "orgs",
        "sites",
        "rooms",
        "people",
        "privileges",
        "robots",
        "consoles",
        "paths",
        "qualifications",
        "agreements",
        "procedures",
      ].map((name) => [name, world[name]]),
    );
  return world;
}
