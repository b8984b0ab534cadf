// Texts of a page that are too faint: WCAG AA, 4.5 to 1, 3 to 1 for large ones.

/** What is too faint, as `text: ratio`. Texts on pictures and disabled controls are not judged. */
export const faint = (page) =>
  page.evaluate(() => {
    const parse = (text) => {
      const made = text.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
      return { rgb: made.slice(0, 3), a: made[3] ?? 1 };
    };
    const linear = (c) =>
      c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4;
    const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    const ground = (element) => {
      const layers = [];
      for (let e = element; e; e = e.parentElement) {
        const { rgb, a } = parse(getComputedStyle(e).backgroundColor);
        if (a > 0) layers.push({ rgb, a });
        if (a === 1) break;
      }
      return layers
        .reverse()
        .reduce((under, { rgb, a }) => rgb.map((c, i) => c * a + under[i] * (1 - a)), [11, 16, 22]);
    };
    const found = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
      const text = walk.currentNode.textContent.trim();
      const element = walk.currentNode.parentElement;
      if (
        !text ||
        !element ||
        element.closest("svg, canvas, [class~=view], .sr, [disabled], option")
      )
        continue;
      const style = getComputedStyle(element);
      if (style.visibility === "hidden" || !element.getClientRects().length) continue;
      const [fore, back] = [parse(style.color).rgb, ground(element)].map(luminance);
      const ratio = (Math.max(fore, back) + 0.05) / (Math.min(fore, back) + 0.05);
      const size = parseFloat(style.fontSize);
      const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      if (ratio < (large ? 3 : 4.5)) found.push(`${text.slice(0, 30)}: ${ratio.toFixed(2)}`);
    }
    return found;
  });
