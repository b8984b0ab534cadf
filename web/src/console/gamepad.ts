/** One gamepad of the standard mapping as two hands and three pedals (w3.org/TR/gamepad). */

import type { Pedals } from "../lib/contract";

const DEAD_ZONE = 0.12;

export interface PadReading {
  /** -1 to 1 of full speed, for the left and the right hand. */
  sticks: [
    { x: number; y: number; z: number; roll: number },
    { x: number; y: number; z: number; roll: number },
  ];
  /** 0 open to 1 closed. */
  squeeze: [number, number];
  pedals: Pedals;
  swap: boolean;
  hold: boolean;
}

/** What Chromium, Firefox and Safari report, read as plain values. */
export interface PadLike {
  axes: readonly number[];
  buttons: readonly { pressed: boolean; value: number }[];
}

export function readPad(pad: PadLike): PadReading {
  const pressed = (index: number) => pad.buttons[index]?.pressed === true;
  const value = (index: number) => clean(pad.buttons[index]?.value ?? 0);
  const between = (minus: number, plus: number) => Number(pressed(plus)) - Number(pressed(minus));
  return {
    sticks: [
      { x: stick(pad.axes[0]), y: stick(pad.axes[1]), z: between(13, 12), roll: between(14, 15) },
      { x: stick(pad.axes[2]), y: stick(pad.axes[3]), z: between(0, 3), roll: between(2, 1) },
    ],
    squeeze: [value(6), value(7)],
    pedals: { follow: pressed(5), clutch: pressed(4), camera: pressed(10) || pressed(11) },
    swap: pressed(9),
    hold: pressed(8),
  };
}

function clean(value: number): number {
  return Number.isFinite(value) ? Math.min(1, Math.max(0, value)) : 0;
}

/** No motion in the middle; from its edge on a square law, for fine work. */
function stick(value: number | undefined): number {
  if (value === undefined || !Number.isFinite(value)) return 0;
  const size = Math.min(1, Math.abs(value));
  if (size < DEAD_ZONE) return 0;
  return Math.sign(value) * ((size - DEAD_ZONE) / (1 - DEAD_ZONE)) ** 2;
}
