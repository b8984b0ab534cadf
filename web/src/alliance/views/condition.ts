/** How a session stands, from what the site reported: paths, link, and what calls for a look. */

import type { LiveSession, SessionEvent } from "../api/contract";

export interface Condition {
  /** Up or down, primary first. */
  paths: boolean[];
  rtt_ms: number | null;
  /** A fraction. */
  loss: number | null;
  /** What is not over yet or just happened, newest first. */
  alarms: { event: SessionEvent; grave: boolean }[];
}

/** Two paths are granted; more if an event names more. */
const PATHS = 2;

export function conditionOf(one: LiveSession): Condition {
  const paths: boolean[] = Array.from({ length: PATHS }, () => true);
  const lost = new Map<number, SessionEvent>();
  let rtt_ms: number | null = null;
  let loss: number | null = null;
  let held: SessionEvent | null = null;
  const lasting: SessionEvent[] = [];
  for (const event of one.events) {
    const [name, fields] = nameOf(event);
    const path = Number(fields["path"] ?? 0);
    if (name === "path_lost") {
      paths[path] = false;
      lost.set(path, event);
    } else if (name === "path_back") {
      paths[path] = true;
      lost.delete(path);
    } else if (name === "link") {
      rtt_ms = Number(fields["rtt_p99_us"]) / 1000;
      loss = Number(fields["loss_ppm"]) / 1e6;
    } else if (name === "held") held = event;
    else if (name === "taken_over" || name === "converted") lasting.push(event);
    else if (name === "handed_over") held = null;
  }
  const alarms = [
    ...lasting.map((event) => ({ event, grave: true })),
    ...[...lost.values()].map((event) => ({ event, grave: lost.size >= PATHS })),
    ...(held ? [{ event: held, grave: false }] : []),
  ];
  return { paths, rtt_ms, loss, alarms: alarms.reverse() };
}

export function nameOf(event: SessionEvent): [string, Record<string, unknown>] {
  if (typeof event.what === "string") return [event.what, {}];
  return Object.entries(event.what)[0] ?? ["", {}];
}
