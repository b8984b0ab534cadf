/** Colours that a process names: what can be read on them. */

function luminance(colour: string): number {
  const linear = (i: number): number => {
    const c = parseInt(colour.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(1) + 0.7152 * linear(3) + 0.0722 * linear(5);
}

/** Black or white, whichever has more contrast on a colour `#rrggbb`. */
export function inkOn(colour: string): string {
  if (!/^#[0-9a-f]{6}$/i.test(colour)) return "#ffffff";
  const bright = luminance(colour);
  return (bright + 0.05) / 0.05 > 1.05 / (bright + 0.05) ? "#000000" : "#ffffff";
}
