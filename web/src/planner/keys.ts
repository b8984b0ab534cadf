/** The planner's keys, wherever the focus is. */

import { language } from "../lib/i18n/locale.svelte";
import type { Hold } from "../lib/ortho/hold.svelte";
import type { Placing } from "./placing.svelte";

export interface Keys {
  stop(): void;
  undo(): void;
  /** To the site of this number, from 0. */
  turn(index: number): void;
  placing: Placing;
  go: Hold;
  dialogOpen(): boolean;
}

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLInputElement || target instanceof HTMLSelectElement;

/** Space presses the button that has the focus, and holds GO only where nothing else takes it. */
const takesSpace = (target: EventTarget | null): boolean =>
  target instanceof Element &&
  target.closest("button, input, select, summary, a, [role=button]") !== null;

export function keyHandler(keys: Keys): (event: KeyboardEvent) => void {
  const { placing, go } = keys;
  const act = (event: KeyboardEvent): boolean => {
    const { code, target } = event;
    if (code === "Space") {
      if (!keys.dialogOpen() && !takesSpace(target)) go.press();
      return !takesSpace(target);
    }
    if (code === "Escape" && placing.active) placing.cancel();
    else if (code === "Backspace" && placing.active) placing.back();
    else if (typing(target)) return false;
    else if (code === "KeyS") keys.stop();
    else if (code === "KeyL") language.toggle();
    else if (/^Digit[1-6]$/.test(code)) keys.turn(Number(code.slice(5)) - 1);
    else return false;
    return true;
  };
  return (event) => {
    const { code, target, repeat } = event;
    if (event.ctrlKey || event.metaKey) {
      if (code !== "KeyZ" || typing(target) || event.altKey) return;
      event.preventDefault();
      if (!repeat) keys.undo();
    } else if (repeat) {
      if (code === "Space" && go.on) event.preventDefault();
    } else if (!event.altKey && act(event)) event.preventDefault();
  };
}
