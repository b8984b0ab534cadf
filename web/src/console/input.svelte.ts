/**
 * Mouse, keyboard, buttons on the page and gamepad become hands and pedals for the process.
 *
 * A pedal is a deadman: whatever takes the attention away from the instruments (another window,
 * a hidden page, focus elsewhere, Escape) releases every pedal at once.
 */

import type { Pedals } from "../lib/contract";
import { tipSpeedLimit } from "../lib/figures";
import type { Station } from "../lib/station.svelte";
import { readPad } from "./gamepad";
import { anyPedal, Hands, PEDALS_UP, TURN_RAD_S, type Side } from "./hands";

const TICK_MS = 8;
/** At least this often while the page has the focus; the console drops the pedals after 150 ms. */
const BEAT_MS = 25;
const MOUSE_M_PER_PX = 0.00025;
const WHEEL_M_PER_PX = 0.00006;
/** Of the speed limit, for arrow keys. */
const KEY_SPEED = 0.6;

const PEDAL_KEYS: Record<string, keyof Pedals> = {
  Space: "follow",
  KeyC: "clutch",
  KeyV: "camera",
};
/** Direction of motion (x, y, z) and of turning (about x, y, z) of a key that is held. */
const MOVE_KEYS: Record<string, [number, number, number]> = {
  ArrowLeft: [-1, 0, 0],
  ArrowRight: [1, 0, 0],
  ArrowUp: [0, -1, 0],
  ArrowDown: [0, 1, 0],
  PageUp: [0, 0, 1],
  PageDown: [0, 0, -1],
};
const TURN_KEYS: Record<string, [number, number, number]> = {
  KeyQ: [0, 0, -1],
  KeyE: [0, 0, 1],
  KeyR: [1, 0, 0],
  KeyF: [-1, 0, 0],
  KeyT: [0, 1, 0],
  KeyG: [0, -1, 0],
};

export interface Orders {
  swap(): void;
  hold(): void;
  scale(steps: number): void;
}

export class Input {
  /** What the process is told now. */
  pedals = $state.raw<Pedals>(PEDALS_UP);
  /** The hand that the mouse and the keys move: right at first. */
  active = $state<Side>(1);
  /** The picture has the focus: keys and mouse drive the instruments. */
  engaged = $state(false);
  /** The page has the attention of its user. */
  attentive = $state(document.hasFocus() && !document.hidden);
  pad = $state(false);
  locked = $state.raw<[boolean, boolean]>([false, false]);

  readonly #hands = new Hands();
  readonly #station: Station;
  readonly #orders: Orders;
  #stage: HTMLElement | null = null;
  #keyPedals = new Set<keyof Pedals>();
  #buttonPedals = new Set<keyof Pedals>();
  #held = new Set<string>();
  /** The pad's pedals count only after all were seen up. */
  #padReleased = false;
  #padBefore = { swap: false, hold: false };
  #padSqueezes = [false, false];
  #tick_ms = 0;
  #sent_ms = 0;
  #sent = "";

  constructor(station: Station, orders: Orders) {
    this.#station = station;
    this.#orders = orders;
  }

  attach(stage: HTMLElement): () => void {
    this.#stage = stage;
    const stop = new AbortController();
    const { signal } = stop;
    const on = (
      target: EventTarget,
      name: string,
      listener: (event: never) => void,
      options = {},
    ) => target.addEventListener(name, listener as EventListener, { signal, ...options });
    on(stage, "focus", () => (this.engaged = true));
    on(stage, "blur", () => this.leave());
    on(stage, "keydown", (event: KeyboardEvent) => this.#down(event));
    on(stage, "keyup", (event: KeyboardEvent) => this.#up(event));
    on(stage, "pointerdown", (event: PointerEvent) => this.#press(event));
    on(stage, "contextmenu", (event: Event) => event.preventDefault());
    on(stage, "wheel", (event: WheelEvent) => this.#wheel(event), { passive: false });
    on(window, "pointermove", (event: PointerEvent) => this.#mouse(event));
    on(window, "pointerup", (event: PointerEvent) => this.#release(event));
    on(window, "blur", () => this.#lose());
    on(window, "focus", () => (this.attentive = true));
    on(window, "pagehide", () => this.#lose());
    on(document, "visibilitychange", () => {
      if (document.hidden) this.#lose();
      else this.attentive = document.hasFocus();
    });
    for (const name of ["pointerdown", "keydown"])
      on(window, name, () => (this.attentive = !document.hidden), { capture: true });
    on(document, "pointerlockchange", () => {
      if (document.pointerLockElement !== stage) this.releaseAll();
    });
    const timer = setInterval(() => this.#step(), TICK_MS);
    signal.addEventListener("abort", () => clearInterval(timer));
    return () => stop.abort();
  }

  /** A pedal button on the page. */
  press(pedal: keyof Pedals, down: boolean): void {
    if (down) this.#buttonPedals.add(pedal);
    else this.#buttonPedals.delete(pedal);
    this.#step();
  }

  otherHand(): void {
    this.active = this.active === 0 ? 1 : 0;
  }

  /** Every pedal up, at once and told at once. */
  releaseAll(): void {
    this.#keyPedals.clear();
    this.#buttonPedals.clear();
    this.#held.clear();
    this.#padReleased = false;
    this.pedals = PEDALS_UP;
    this.#send(true);
  }

  /** The instruments are left: focus is elsewhere. */
  leave(): void {
    this.engaged = false;
    this.releaseAll();
    if (document.pointerLockElement) document.exitPointerLock();
  }

  #lose(): void {
    this.attentive = false;
    this.releaseAll();
  }

  /** The camera pedal moves the endoscope with the right hand, whichever drives. */
  get #driving(): Side {
    return this.pedals.camera ? 1 : this.active;
  }

  #down(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { code } = event;
    const pedal = PEDAL_KEYS[code];
    if (code === "Escape") {
      this.#stage?.blur();
    } else if (pedal) {
      if (!event.repeat) this.#keyPedals.add(pedal);
      event.preventDefault();
      this.#step();
    } else if (MOVE_KEYS[code] || TURN_KEYS[code]) {
      this.#held.add(code);
      event.preventDefault();
    } else if (!event.repeat) this.#once(event);
    else if (code === "Tab") event.preventDefault();
  }

  #once(event: KeyboardEvent): void {
    const { code } = event;
    if (code === "Tab" && !event.shiftKey) this.otherHand();
    else if (code === "KeyX") this.#orders.swap();
    else if (code === "BracketLeft") this.#orders.scale(-1);
    else if (code === "BracketRight") this.#orders.scale(1);
    else if (code === "KeyJ") this.#hands.squeeze(this.active, 1);
    else if (code === "KeyK") this.#lock();
    else return;
    event.preventDefault();
  }

  #up(event: KeyboardEvent): void {
    const pedal = PEDAL_KEYS[event.code];
    if (pedal) {
      this.#keyPedals.delete(pedal);
      event.preventDefault();
      this.#step();
    }
    if (event.code === "KeyJ") this.#hands.squeeze(this.active, 0);
    this.#held.delete(event.code);
  }

  #lock(): void {
    this.#hands.lock(this.active, !this.#hands.locked(this.active));
    this.locked = [this.#hands.locked(0), this.#hands.locked(1)];
  }

  #press(event: PointerEvent): void {
    const stage = this.#stage;
    if (!stage || event.pointerType === "touch") return;
    if (!this.engaged) {
      // the first click only takes the instruments
      stage.focus();
      event.preventDefault();
      void lockPointer(stage);
      return;
    }
    if (document.pointerLockElement !== stage) void lockPointer(stage);
    if (event.button === 0) this.#hands.squeeze(this.active, 1);
    if (event.button === 2) this.#lock();
  }

  #release(event: PointerEvent): void {
    if (event.button === 0 && this.engaged) this.#hands.squeeze(this.active, 0);
  }

  #mouse(event: PointerEvent): void {
    const locked = document.pointerLockElement === this.#stage;
    if (!this.engaged || !(locked || anyPedal(this.pedals))) return;
    const by = MOUSE_M_PER_PX;
    this.#hands.move(this.#driving, [event.movementX * by, event.movementY * by, 0]);
  }

  #wheel(event: WheelEvent): void {
    if (!this.engaged) return;
    event.preventDefault();
    const px = event.deltaMode === 1 ? event.deltaY * 33 : event.deltaY;
    this.#hands.move(this.#driving, [0, 0, -px * WHEEL_M_PER_PX]);
  }

  #step(): void {
    const now = performance.now();
    const dt_s = Math.min(0.05, (now - this.#tick_ms) / 1000);
    this.#tick_ms = now;
    if (!this.attentive) return;
    const state = this.#station.state;
    const scale = state?.scale ?? 0.2;
    const loop_ms = (state?.guard?.command_age_ms ?? 100) + (state?.picture?.age_ms ?? 100);
    const speed = tipSpeedLimit(loop_ms) / scale;
    const padPedals = this.#padStep(dt_s, speed);
    const held = (name: keyof Pedals) =>
      this.#keyPedals.has(name) || this.#buttonPedals.has(name) || padPedals[name];
    const pedals = { follow: held("follow"), clutch: held("clutch"), camera: held("camera") };
    const before = this.pedals;
    if (
      pedals.follow !== before.follow ||
      pedals.clutch !== before.clutch ||
      pedals.camera !== before.camera
    )
      this.pedals = pedals;
    for (const code of this.#held) this.#heldStep(code, dt_s, speed);
    this.#hands.step(dt_s);
    this.#send(false);
  }

  #heldStep(code: string, dt_s: number, speed: number): void {
    const move = MOVE_KEYS[code];
    const turn = TURN_KEYS[code];
    const far = KEY_SPEED * speed * dt_s;
    if (move) this.#hands.move(this.#driving, [move[0] * far, move[1] * far, move[2] * far]);
    const angle = TURN_RAD_S * dt_s;
    if (turn) this.#hands.turn(this.#driving, [turn[0] * angle, turn[1] * angle, turn[2] * angle]);
  }

  /** Both hands at once; returns the pad's pedals. */
  #padStep(dt_s: number, speed: number): Pedals {
    const found = navigator
      .getGamepads?.()
      .find((pad) => pad?.connected && pad.mapping === "standard");
    if (this.pad !== Boolean(found)) this.pad = Boolean(found);
    if (!found) {
      this.#padReleased = false;
      return PEDALS_UP;
    }
    const reading = readPad(found);
    for (const side of [0, 1] as const) {
      const { x, y, z, roll } = reading.sticks[side];
      const far = speed * dt_s;
      this.#hands.move(side, [x * far, y * far, z * far * KEY_SPEED]);
      this.#hands.turn(side, [0, 0, roll * TURN_RAD_S * dt_s]);
      // a trigger that was never touched leaves the jaw to mouse and keys
      const squeezes = reading.squeeze[side] > 0.02;
      if (squeezes || this.#padSqueezes[side]) this.#hands.squeeze(side, reading.squeeze[side]);
      this.#padSqueezes[side] = squeezes;
    }
    if (reading.swap && !this.#padBefore.swap) this.#orders.swap();
    if (reading.hold && !this.#padBefore.hold) this.#orders.hold();
    this.#padBefore = { swap: reading.swap, hold: reading.hold };
    if (!anyPedal(reading.pedals)) this.#padReleased = true;
    return this.#padReleased ? reading.pedals : PEDALS_UP;
  }

  /** On every change, up to each tick; unchanged hands as a heartbeat. */
  #send(always: boolean): void {
    const now = performance.now();
    if (!this.#station.state?.controls) return;
    const hands = this.#hands.messages();
    const text = JSON.stringify([hands, this.pedals]);
    if (!always && text === this.#sent && now - this.#sent_ms < BEAT_MS) return;
    this.#sent = text;
    this.#sent_ms = now;
    this.#station.sendHands(hands, this.pedals);
  }
}

/** Without the acceleration of the desktop where the browser can. */
async function lockPointer(stage: HTMLElement): Promise<void> {
  try {
    await stage.requestPointerLock({ unadjustedMovement: true });
  } catch {
    try {
      await stage.requestPointerLock();
    } catch {
      // the mouse then works inside the page, while a pedal is held
    }
  }
}
