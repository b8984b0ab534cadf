/** Where a booking lies on the week's sheet, in one time zone. */

import type { Booking, Hold } from "./api/contract";
import { isoDay, minuteOfDay, mondayOf, slotTime } from "./format";

/** A stretch of one day. */
export interface Block {
  id: string;
  case: string;
  held: boolean;
  booking: Booking | Hold;
  day: number;
  /** Minutes after midnight in the sheet's zone. */
  from: number;
  until: number;
  /** The remote phase, as parts of the block, 0..1. */
  remote: [number, number];
  /** Blocks of one row that overlap lie under each other. */
  lane: number;
}

export interface Row {
  id: string;
  blocks: Block[];
  lanes: number;
}

export type By = "hospital" | "surgeon" | "console" | "standby";

/** The seven days of an ISO week as `2026-11-23` texts; they are the same in every zone. */
export function daysOf(week: string): string[] {
  const monday = mondayOf(week);
  if (!monday) return [];
  return Array.from({ length: 7 }, (_, i) =>
    isoDay(new Date(monday.getTime() + i * 86_400_000), "UTC"),
  );
}

export function rowsOf(
  bookings: (Booking | Hold)[],
  days: string[],
  zone: string | undefined,
  keyOf: (booking: Booking | Hold) => string,
): Row[] {
  const rows = new Map<string, Row>();
  for (const booking of bookings) {
    const { start, phases } = booking.request;
    const all = phases.pre + phases.remote + phases.post;
    const [from, end] = [slotTime(start), slotTime(start + all)];
    const day = days.indexOf(isoDay(from, zone));
    if (day < 0) continue;
    const at = minuteOfDay(from, zone);
    const id = keyOf(booking);
    const row = rows.get(id) ?? { id, blocks: [], lanes: 1 };
    row.blocks.push({
      id: booking.id,
      case: booking.case,
      held: !("version" in booking),
      booking,
      day,
      from: at,
      // past midnight it ends at the edge of the day
      until: Math.min(24 * 60, at + (end.getTime() - from.getTime()) / 60_000),
      remote: [phases.pre / all, (phases.pre + phases.remote) / all],
      lane: 0,
    });
    rows.set(id, row);
  }
  for (const row of rows.values()) stack(row);
  return [...rows.values()];
}

function stack(row: Row): void {
  row.blocks.sort((a, b) => a.day - b.day || a.from - b.from);
  const ends: { day: number; until: number }[] = [];
  for (const block of row.blocks) {
    const free = ends.findIndex((end) => end.day < block.day || end.until <= block.from);
    block.lane = free < 0 ? ends.length : free;
    ends[block.lane] = { day: block.day, until: block.until };
  }
  row.lanes = Math.max(1, ends.length);
}

/** The hours the sheet shows: the working day, and whatever lies outside it. */
export function hoursOf(rows: Row[]): [number, number] {
  let [low, high] = [8, 18];
  for (const { blocks } of rows)
    for (const { from, until } of blocks) {
      low = Math.min(low, Math.floor(from / 60));
      high = Math.max(high, Math.ceil(until / 60));
    }
  return [low, high];
}
