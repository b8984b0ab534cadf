/**
 * Two hands made of a mouse, keys and sticks.
 *
 * Nothing here knows the browser. Positions are metres in the hand frame (x right, y down, z into
 * the screen); the process makes displacements since the pedal went down, so where a hand starts
 * does not matter.
 */

import type { HandMessage, Pedals } from "../lib/contract";

export type Side = 0 | 1;

/** An open grip, 46 degrees; the console takes up to 60. */
const GRIP_OPEN_RAD = 0.8;
const GRIP_SPEED_RAD_S = 4;
/** Turning is not scaled; the guard allows 2 rad/s. */
export const TURN_RAD_S = 1.2;
/** A hand never leaves this box, metres: far inside the 10 m the console accepts. */
const REACH_M = 5;

type Vector = [number, number, number];

class Hand {
  position: Vector = [0, 0, 0];
  q: [number, number, number, number] = [1, 0, 0, 0];
  grip = GRIP_OPEN_RAD;
  /** 0 open to 1 closed. */
  squeeze = 0;
  locked = false;

  /**
   * Wherever the device went. A mouse is faster than an arm may be: the console's governor lets
   * the excess go (crates/telehand/src/console/governor.rs).
   */
  move(by: Vector): void {
    for (const i of [0, 1, 2] as const) {
      const to = this.position[i] + by[i];
      if (Number.isFinite(to)) this.position[i] = Math.min(REACH_M, Math.max(-REACH_M, to));
    }
  }

  /** The grip closes and opens at a speed, not at once. */
  step(dt_s: number): void {
    const wanted = GRIP_OPEN_RAD * (1 - (this.locked ? 1 : this.squeeze));
    const most = GRIP_SPEED_RAD_S * dt_s;
    this.grip += Math.min(most, Math.max(-most, wanted - this.grip));
  }

  /** Turns about the axes of the hand frame, radians. */
  turn([x, y, z]: Vector): void {
    const angle = Math.hypot(x, y, z);
    if (angle < 1e-9) return;
    const s = Math.sin(angle / 2) / angle;
    const [aw, ax, ay, az] = [Math.cos(angle / 2), x * s, y * s, z * s];
    const [bw, bx, by, bz] = this.q;
    const q: Hand["q"] = [
      aw * bw - ax * bx - ay * by - az * bz,
      aw * bx + ax * bw + ay * bz - az * by,
      aw * by - ax * bz + ay * bw + az * bx,
      aw * bz + ax * by - ay * bx + az * bw,
    ];
    const norm = Math.hypot(...q);
    this.q = q.map((c) => c / norm) as Hand["q"];
  }

  message(): HandMessage {
    const [x, y, z] = this.position;
    return { x, y, z, q: [...this.q], grip: this.grip };
  }
}

export class Hands {
  readonly #hands: [Hand, Hand] = [new Hand(), new Hand()];

  /** By a displacement, metres. */
  move(side: Side, by: Vector): void {
    this.#hands[side].move(by);
  }

  turn(side: Side, by: Vector): void {
    this.#hands[side].turn(by);
  }

  /** 0 open to 1 closed. A locked jaw stays closed. */
  squeeze(side: Side, amount: number): void {
    this.#hands[side].squeeze = Math.min(1, Math.max(0, amount));
  }

  lock(side: Side, locked: boolean): void {
    this.#hands[side].locked = locked;
  }

  locked(side: Side): boolean {
    return this.#hands[side].locked;
  }

  step(dt_s: number): void {
    for (const hand of this.#hands) hand.step(dt_s);
  }

  messages(): [HandMessage, HandMessage] {
    return [this.#hands[0].message(), this.#hands[1].message()];
  }
}

export const PEDALS_UP: Pedals = { follow: false, clutch: false, camera: false };

export const anyPedal = (pedals: Pedals): boolean =>
  pedals.follow || pedals.clutch || pedals.camera;
