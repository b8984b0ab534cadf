/** The directory by its ids, and what follows from it. */

import type {
  Console,
  Device,
  Directory,
  Org,
  Path,
  Person,
  Privilege,
  Procedure,
  Qualification,
  Robot,
  Room,
  Site,
} from "./api/contract";
import { language } from "../lib/i18n/locale.svelte";
import { parse } from "./format";
import { known, word } from "./i18n/words.svelte";
import { distance_km, type Geo } from "./map/place";

export type LinkGrade = "pass" | "conditional" | "fail" | "none";

/** Every path between two hospitals. */
export interface LinkPair {
  id: string;
  a: Site;
  b: Site;
  km: number;
  paths: Path[];
  /** Two diverse paths passed; one did, or one only on condition; none; never surveyed. */
  grade: LinkGrade;
}

export class Book {
  readonly orgs: Org[];
  readonly sites: Site[];
  readonly rooms: Room[];
  readonly people: Person[];
  readonly robots: Robot[];
  readonly consoles: Console[];
  readonly paths: Path[];
  readonly privileges: Privilege[];
  readonly procedures: Procedure[];
  readonly #orgs: Map<string, Org>;
  readonly #sites: Map<string, Site>;
  readonly #people: Map<string, Person>;
  readonly #devices: Map<string, Device>;
  readonly #rooms: Map<string, Room>;
  readonly #paths: Map<string, Path>;
  readonly #qualifications = new Map<string, Qualification[]>();

  constructor(directory: Directory | null) {
    const byName = <T extends { name: string }>(list: T[] = []) =>
      [...list].sort((a, b) => a.name.localeCompare(b.name));
    const byId = <T extends { id: string }>(list: T[]) => new Map(list.map((one) => [one.id, one]));
    this.orgs = byName(directory?.orgs);
    this.sites = byName(directory?.sites).filter(({ open }) => open);
    this.rooms = byName(directory?.rooms);
    this.people = byName(directory?.people).filter(({ active }) => active);
    this.robots = (directory?.robots ?? []).filter(({ state }) => state !== "retired");
    this.consoles = (directory?.consoles ?? []).filter(({ state }) => state !== "retired");
    this.paths = (directory?.paths ?? []).filter(({ open }) => open);
    this.privileges = directory?.privileges ?? [];
    this.procedures = byName(directory?.procedures);
    this.#orgs = byId(this.orgs);
    this.#sites = byId(directory?.sites ?? []);
    this.#people = byId(directory?.people ?? []);
    this.#devices = byId<Device>([...(directory?.robots ?? []), ...(directory?.consoles ?? [])]);
    this.#rooms = byId(this.rooms);
    this.#paths = byId(directory?.paths ?? []);
    for (const one of directory?.qualifications ?? []) {
      const list = this.#qualifications.get(one.path) ?? [];
      list.push(one);
      this.#qualifications.set(one.path, list);
    }
  }

  org = (id: string | null | undefined): Org | null => this.#orgs.get(id ?? "") ?? null;
  site = (id: string | null | undefined): Site | null => this.#sites.get(id ?? "") ?? null;
  person = (id: string | null | undefined): Person | null => this.#people.get(id ?? "") ?? null;
  device = (id: string | null | undefined): Device | null => this.#devices.get(id ?? "") ?? null;
  room = (id: string | null | undefined): Room | null => this.#rooms.get(id ?? "") ?? null;
  path = (id: string | null | undefined): Path | null => this.#paths.get(id ?? "") ?? null;

  /** A name in the page's language, where the directory has it. */
  name = (of: Org | Site): string => (language.current === "zh" && of.name_local) || of.name;
  orgName = (id: string | null | undefined): string => nameOr(this.org(id), id, this.name);
  siteName = (id: string | null | undefined): string => nameOr(this.site(id), id, this.name);
  personName = (id: string | null | undefined): string =>
    nameOr(this.person(id), id, ({ name }) => name);
  /** The name for the map: without what stands in brackets, and without "Hospital". */
  short = (site: Site): string =>
    this.name(site)
      .replace(/\s*[(（[].*$/, "")
      .replace(/(?<=.)(\s+Hospital|医院)$/, "");
  procedure = (code: string): string =>
    known("procedure", code)
      ? word("procedure", code)
      : (this.procedures.find((one) => one.code === code)?.name ?? code);
  deviceName = (id: string | null | undefined): string => {
    const device = this.device(id);
    return device ? `${device.model} ${device.serial}` : (id ?? "–");
  };
  /** What a resource's text (`robot/r-1`, `path/p-1/0`) is called. */
  resource = (text: string): string => {
    const [kind, id] = text.split("/");
    if (kind === "person") return this.personName(id);
    if (kind === "room") return this.room(id)?.name ?? text;
    if (kind === "path") return this.pathName(this.path(id)) || text;
    return this.device(id) ? `${word("kind", kind)} ${this.deviceName(id)}` : text;
  };
  pathName = (path: Path | null): string => {
    const [a, b] = [this.site(path?.a), this.site(path?.b)];
    return path && a && b
      ? `${this.short(a)} – ${this.short(b)}, ${word("medium", path.medium)}`
      : "";
  };

  zone = (site: string | null | undefined): string | undefined => this.site(site)?.zone;
  /** The zone of a person's hospital: of its first site. */
  zoneOf = (person: string | null | undefined): string | undefined =>
    this.sites.find(({ org }) => org === this.person(person)?.org)?.zone;
  robotsAt = (site: string): Robot[] => this.robots.filter((one) => one.site === site);
  consolesAt = (site: string): Console[] => this.consoles.filter((one) => one.site === site);
  roomsAt = (site: string): Room[] => this.rooms.filter((one) => one.site === site);
  peopleAt = (site: Site): Person[] => this.people.filter((one) => one.org === site.org);
  withRole = (role: string): Person[] =>
    this.people.filter((one) => one.roles.includes(role) && !one.suspended);
  /** A centre has consoles for remote surgeons. */
  isCentre = (site: Site): boolean => this.consoles.some((one) => one.site === site.id);

  /** The classes of procedures that any path was surveyed for. */
  classes = (): string[] =>
    [...new Set([...this.#qualifications.values()].flat().map((one) => one.class))].sort();

  /** A path's best qualification in date, for one class or any; `null` when there is none. */
  qualification(path: Path, now_ms: number, of: string | null = null): Qualification | null {
    const order = { pass: 0, conditional: 1, fail: 2 };
    const valid = (this.#qualifications.get(path.id) ?? []).filter(
      (one) => (of === null || one.class === of) && (parse(one.until)?.getTime() ?? 0) > now_ms,
    );
    return valid.sort((a, b) => order[a.grade] - order[b.grade])[0] ?? null;
  }

  pairs(now_ms: number, of: string | null = null): LinkPair[] {
    const pairs = new Map<string, LinkPair>();
    for (const path of this.paths) {
      const [a, b] = [this.site(path.a), this.site(path.b)];
      if (!a || !b) continue;
      const id = [path.a, path.b].sort().join("--");
      const km = distance_km(geoOf(a), geoOf(b));
      const pair = pairs.get(id) ?? { id, a, b, km, paths: [], grade: "none" };
      pair.paths.push(path);
      pairs.set(id, pair);
    }
    for (const pair of pairs.values()) pair.grade = this.#gradeOf(pair, now_ms, of);
    return [...pairs.values()].sort((a, b) => a.id.localeCompare(b.id));
  }

  #gradeOf({ paths }: LinkPair, now_ms: number, of: string | null): LinkGrade {
    const grades = paths.map((path) => this.qualification(path, now_ms, of)?.grade ?? null);
    const good = (wanted: string[]) =>
      paths.filter((_, i) => wanted.includes(grades[i] ?? "")).map((path) => path.diversity_group);
    // one that passed as the primary, another that is good for the second place
    const groups = new Set(good(["pass", "conditional"]));
    if (good(["pass"]).length > 0 && groups.size >= 2) return "pass";
    if (groups.size > 0) return "conditional";
    return grades.includes("fail") ? "fail" : "none";
  }
}

export const geoOf = ({ geo }: Site): Geo => ({
  lat: geo.latitude_udeg / 1e6,
  lon: geo.longitude_udeg / 1e6,
});

const nameOr = <T>(one: T | null, id: string | null | undefined, name: (one: T) => string) =>
  one ? name(one) : (id ?? "–");
