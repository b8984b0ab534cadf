/** A surgeon to begin with; who and what goes with them the hub guesses. */

import type { Case } from "../../api/contract";
import type { Book } from "../../book";

/** The case's surgeon, else the first with a privilege for it whose hospital has a link to the site. */
export function firstSurgeon(book: Book, one: Case, now_ms: number): string {
  if (one.team.surgeon) return one.team.surgeon;
  const linked = (org: string): boolean =>
    book.consoles.some(
      (desk) =>
        book.site(desk.site)?.org === org &&
        book.paths.some(
          (path) =>
            (path.a === desk.site && path.b === one.site) ||
            (path.b === desk.site && path.a === one.site),
        ),
    );
  const privileged = new Set(
    book.privileges
      .filter(
        (p) =>
          p.procedure === one.procedure &&
          p.role === "remote_lead" &&
          p.state === "granted" &&
          Date.parse(p.until) > now_ms,
      )
      .map((p) => p.surgeon),
  );
  return book.withRole("surgeon").find((p) => privileged.has(p.id) && linked(p.org))?.id ?? "";
}
