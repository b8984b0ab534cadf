/** The one thing to know: state, who holds the arms, why, and what to do next. */

import type { Alarm, State } from "./contract";
import { linkLost } from "./figures";
import { measured, span } from "./format";
import { causeWords, t } from "./i18n/locale.svelte";
import type { WordKey } from "./i18n";
import type { Station } from "./station.svelte";

export type Tone = "quiet" | "plain" | "ready" | "live" | "amber" | "red";

export interface Headline {
  word: string;
  tone: Tone;
  holder: string;
  /** The cause, where there is one. */
  code: string | null;
  what: string;
  next: string;
}

/** Alarms that only warn (SAFETY.md). */
const NEVER_HOLDS = ["G-050", "G-051"];

const TONES: Record<string, Tone> = {
  OFF: "quiet",
  LOCAL: "plain",
  ARMED: "ready",
  FOLLOWING: "live",
  HOLD: "amber",
  SAFE_OFF: "red",
};

export function headline(station: Station): Headline {
  const { state, connection, live } = station;
  if (connection !== "open" || !live || !state) return offline(connection === "connecting");
  const guard = state.guard;
  if (!guard) return unknown(state);
  if (linkLost(state)) return lost(state);
  const cause = guard.hold ? causeWords(guard.hold.code, guard.hold.name) : null;
  const code = guard.hold?.code ?? null;
  const words = { word: t(`state_${guard.state}`), tone: TONES[guard.state] ?? "plain" };
  const holder = holderOf(state);
  if (cause && (guard.state === "HOLD" || guard.state === "SAFE_OFF"))
    return { ...words, holder, code, what: cause.what, next: cause.clears };
  const alarm = guard.alarms.find((one) => one.active);
  if (alarm && guard.state !== "OFF") {
    const { what } = causeWords(alarm.code, alarm.name);
    return { ...words, holder, code: alarm.code, what, next: adviceOn(alarm) };
  }
  return { ...words, holder, code: null, what: "", next: nextOf(state) };
}

/** An alarm that holds nothing (yet): how far it is, and what follows. */
function adviceOn(alarm: Alarm): string {
  if (NEVER_HOLDS.includes(alarm.code)) return causeWords(alarm.code, alarm.name).clears;
  const figures = measured(alarm.code, alarm.value, alarm.limit);
  const far = figures ? `${figures.value}, ${t("alarm_limit", { limit: figures.limit })}. ` : "";
  return far + t("advice_may_hold");
}

function holderOf(state: State): string {
  const guard = state.guard;
  if (!guard) return t("holds_unknown");
  if (guard.state === "OFF" || guard.state === "SAFE_OFF") return t("holds_motors_off");
  if (guard.authority === "remote" && state.side === "console" && state.surgeon !== "scripted")
    return t("holds_remote_you");
  return t(`holds_${guard.authority}`);
}

function nextOf(state: State): string {
  const name = state.guard?.state ?? "OFF";
  if (state.side === "bedside") return t(`bedside_${name}`);
  const scripted = state.surgeon === "scripted" && (name === "ARMED" || name === "FOLLOWING");
  return t((scripted ? `next_${name}_scripted` : `next_${name}`) as WordKey);
}

function offline(connecting: boolean): Headline {
  return {
    word: t(connecting ? "state_none" : "state_offline"),
    tone: connecting ? "quiet" : "red",
    holder: t("holds_unknown"),
    code: null,
    what: "",
    next: t(connecting ? "empty_connecting" : "empty_lost_do"),
  };
}

function unknown(state: State): Headline {
  const handshake = state.side === "console" && state.link.status !== "up";
  const why: WordKey = state.side === "bedside" ? "why_no_state" : "next_none";
  return {
    word: t("state_none"),
    tone: "quiet",
    holder: t("holds_unknown"),
    code: null,
    what: "",
    next: t(handshake ? "next_handshake" : why),
  };
}

/** The console does not know the present state: says what it knew, and how long ago. */
function lost(state: State): Headline {
  const age = state.guard?.state_age_ms;
  const known = state.guard ? t(`state_${state.guard.state}`) : t("unknown");
  return {
    word: t("state_lost"),
    tone: "red",
    holder: t("last_known", { state: known, age: age == null ? "?" : span(age) }),
    code: null,
    what: "",
    next: t("next_lost"),
  };
}
