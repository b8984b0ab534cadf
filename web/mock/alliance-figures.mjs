// Figures of the invented alliance: outcomes by group, equal access by region.
import { dice } from "./alliance-data.mjs";

export function benchmarks(world, measure, by) {
  const die = dice(measure.length * 31 + by.length);
  if (world.sites.length === 0) return { measure, by, groups: [] };
  const ids =
    by === "site"
      ? world.sites.map(({ id }) => id)
      : by === "surgeon"
        ? world.people.filter((p) => p.roles.includes("surgeon")).map(({ id }) => id)
        : world.procedures.map(({ code }) => code);
  const groups = ids.map((id, i) => {
    const n = die.int(4, i === 3 ? 90 : 140);
    const rate = i === 3 ? 0.19 : i === 7 ? 0.13 : 0.055;
    const sequence = Array.from(
      { length: n },
      (_, at) => die.next() < (i === 3 && at < n / 2 ? 0.06 : rate),
    );
    return { id, n, events: sequence.filter(Boolean).length, sequence };
  });
  return { measure, by, groups };
}

export function equity(world) {
  const die = dice(5);
  const regions = [...new Set(world.sites.map(({ region }) => region))].map((region) => {
    const quintile = Math.round(
      world.sites
        .filter((s) => s.region === region)
        .reduce((sum, s, _, all) => sum + s.quintile / all.length, 0),
    );
    const cases = die.int(12, 90);
    return {
      region,
      quintile,
      cases,
      per_100k: 2 + die.next() * 9,
      wait_days_median: 30 - 3 * quintile + die.int(0, 6),
      travel_avoided_km: cases * die.int(400, 2600),
    };
  });
  const months = Array.from({ length: 12 }, (_, i) => {
    const steps = die.int(160, 260);
    const at = new Date(world.now - (11 - i) * 30.4 * 86_400_000);
    return {
      month: at.toISOString().slice(0, 7),
      cases: die.int(20, 60),
      steps_local: Math.round(steps * (0.12 + 0.028 * i + 0.03 * die.next())),
      steps,
    };
  });
  const surgeons = world.people
    .filter((p) => p.roles.includes("surgeon") && !p.roles.includes("standby_surgeon"))
    .map(({ id }) => ({ person: id, hours: die.int(10, 70), night_hours: die.int(0, 8) }));
  return world.sites.length === 0
    ? { regions: [], months: [], surgeons: [], deaths_30d: 0, known_30d: 0 }
    : { regions, months, surgeons, deaths_30d: 2, known_30d: 512 };
}
