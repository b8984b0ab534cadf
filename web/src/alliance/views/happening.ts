/** What happened in a session, in a sentence. */

import type { Owner, SessionEvent } from "../api/contract";
import type { Book } from "../book";
import { number } from "../format";
import { nameOf } from "./condition";
import { known, t, word, type WordKey } from "../i18n/words.svelte";

export function ownerName(owner: Owner, book: Book): string {
  if (typeof owner === "object") return t("owner_remote", { name: book.personName(owner.remote) });
  return owner === "local" ? t("owner_local") : t("owner_nobody");
}

export function happening(event: SessionEvent, book: Book): string {
  const [name, fields] = nameOf(event);
  if (!known("happening", name)) return name.replaceAll("_", " ");
  const text = (key: string): string => String(fields[key] ?? "–");
  return t(`happening_${name}` as WordKey, {
    phase: word("phase", text("phase")),
    from: fields["from"] ? ownerName(fields["from"] as Owner, book) : "–",
    to: fields["to"] ? ownerName(fields["to"] as Owner, book) : "–",
    by: book.personName(text("by")),
    reason: text("reason"),
    epoch: text("epoch"),
    grant: text("grant"),
    took: number(Number(fields["took_ms"] ?? 0)),
    held: number(Number(fields["held_ms"] ?? 0)),
    rule: text("rule"),
    path: Number(fields["path"] ?? 0) + 1,
    rtt: number(Number(fields["rtt_p99_us"] ?? 0) / 1000, 1),
    loss: number(Number(fields["loss_ppm"] ?? 0) / 10_000, 2),
  });
}
