/** A team to begin with: what the case has, else what the directory offers first. */

import type { Case } from "../../api/contract";
import type { Book } from "../../book";

export interface Team {
  surgeon: string;
  standby: string;
  robot: string;
  console: string;
  room: string;
  paths: string[];
}

export function suggestion(book: Book, one: Case, now_ms: number): Team {
  const site = book.site(one.site);
  const privileged = (person: string, role: string): boolean =>
    book.privileges.some(
      (p) =>
        p.surgeon === person &&
        p.procedure === one.procedure &&
        p.role === role &&
        p.state === "granted" &&
        Date.parse(p.until) > now_ms,
    );
  const linked = (org: string): boolean =>
    book.consoles.some((desk) => book.site(desk.site)?.org === org && pathsTo(desk.site).length > 1);
  const pathsTo = (centre: string): string[] =>
    book.paths
      .filter(
        (path) =>
          (path.a === centre && path.b === one.site) || (path.b === centre && path.a === one.site),
      )
      .sort((a, b) => Number(wired(b.medium)) - Number(wired(a.medium)))
      .map(({ id }) => id);
  const surgeon =
    one.team.surgeon ??
    book.withRole("surgeon").find((p) => privileged(p.id, "remote_lead") && linked(p.org))?.id ??
    "";
  const standby =
    one.team.standby ??
    book
      .withRole("standby_surgeon")
      .find((p) => p.org === site?.org && privileged(p.id, "local_standby"))?.id ??
    "";
  const robot = book.robotsAt(one.site)[0];
  const desk = book.consoles.find(
    (k) => book.site(k.site)?.org === book.person(surgeon)?.org && pathsTo(k.site).length > 0,
  );
  return {
    surgeon,
    standby,
    robot: robot?.id ?? "",
    console: desk?.id ?? "",
    room: robot?.room ?? book.roomsAt(one.site)[0]?.id ?? "",
    paths: desk ? pathsTo(desk.site).slice(0, 2) : [],
  };
}

const wired = (medium: string): boolean => medium === "fibre" || medium === "internet";
