/** What the processes say to a page. SI inside messages unless a name carries a unit. */

export type GuardState = "OFF" | "LOCAL" | "ARMED" | "FOLLOWING" | "HOLD" | "SAFE_OFF";
export type Authority = "bedside" | "remote" | "held";
export type PictureState = "intact" | "frozen" | "recovering" | "none";
export type ArmName = "PSM1" | "PSM2" | "ECM";

export interface Path {
  name: string;
  up: boolean;
  out_ms: number | null;
  in_ms: number | null;
  error_ms: number | null;
  rtt_ms: number | null;
  jitter_ms: number | null;
  /** Fractions, 0 to 1. */
  loss_out: number | null;
  loss_in: number | null;
  mbit_out?: number | null;
  mbit_in?: number | null;
}

export interface Link {
  status: "up" | "handshaking" | "down";
  peer: string | null;
  clock_error_ms: number | null;
  paths: Path[];
}

export interface CauseName {
  code: string;
  name: string;
}

export interface Alarm extends CauseName {
  value: number | null;
  limit: number | null;
  unit?: string | null;
  active: boolean;
  since_s: number | null;
}

export interface Guard {
  state: GuardState;
  crtk: string;
  authority: Authority;
  lease: number;
  hold: CauseName | null;
  alarms: Alarm[];
  command_age_ms: number | null;
  state_age_ms: number | null;
}

export interface Arm {
  id: ArmName;
  following: boolean;
  limited: boolean;
  /** Hinges in radians, the insertion (third) in metres. */
  joints: number[];
  jaw_rad: number;
  force_n: number;
  tip_mm: number[];
}

export interface Picture {
  state: PictureState;
  age_ms: number | null;
  shown?: number | null;
  late?: number | null;
  lost?: number | null;
  mbit_s?: number | null;
  glass_to_glass_ms?: { p50: number; p99: number } | null;
}

export interface State {
  type: "state";
  side: "console" | "bedside";
  simulated: boolean;
  now_us: number;
  controls: boolean;
  surgeon?: "manual" | "scripted" | null;
  link: Link;
  guard: Guard | null;
  arms: Arm[];
  hands: { arm: ArmName; engaged: boolean }[];
  scale: number | null;
  picture: Picture | null;
  demo: { wan: boolean } | null;
}

export interface Pong {
  type: "pong";
  t: number;
  server_us: number;
}

export interface VideoConfig {
  type: "config";
  codec: string;
  width: number;
  height: number;
  stereo: "sbs" | "mono";
  fps: number;
}

export interface PictureNote {
  type: "picture";
  state: PictureState;
  since_us: number | null;
}

export interface Pedals {
  follow: boolean;
  clutch: boolean;
  camera: boolean;
}

export interface HandMessage {
  /** Metres: x right, y down, z into the screen. */
  x: number;
  y: number;
  z: number;
  /** w, x, y, z. */
  q: [number, number, number, number];
  /** Opening of the grip, radians: 0 closed to 1.05. */
  grip: number;
}

export interface Denied {
  ok: false;
  code?: string | null;
  name?: string;
  value?: number | null;
  limit?: number | null;
  message?: string;
}

/** Bytes before the access unit in a binary video message. */
export const VIDEO_HEADER_BYTES = 32;
