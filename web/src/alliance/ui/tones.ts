/** The colour of a code. Every code has its word too. */

import type { Tone } from "./Chip.svelte";

const TONES: Record<string, Tone> = {
  pass: "good",
  conditional: "warn",
  fail: "bad",
  none: "plain",
  // cases
  referred: "plain",
  triaged: "plain",
  eligible: "info",
  scheduled: "info",
  consented: "info",
  briefed: "info",
  granted: "good",
  live: "warn",
  closed: "plain",
  withdrawn: "plain",
  // urgency
  elective: "plain",
  soon: "info",
  urgent: "warn",
  emergency: "bad",
  // members, devices, privileges, grants
  member: "good",
  ready: "good",
  out_of_service: "warn",
  applied: "info",
  invited: "info",
  refused: "bad",
  suspended: "bad",
  revoked: "bad",
  proposed: "info",
  issued: "good",
  // incidents
  minor: "info",
  serious: "warn",
  grave: "bad",
};
export const tone = (code: string): Tone => TONES[code] ?? "plain";
