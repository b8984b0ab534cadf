// A real browser on the built pages, against the mock or against the real program.
import { chromium } from "playwright-core";
import { startMock } from "../mock/server.mjs";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const launch = () =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });

/** Words that tests look for, in both languages. */
export const LOCALES = { en: "en-US", zh: "zh-CN" };

/** A page of the mock (with a clock of its own, if asked), with what it must never do watched: errors, and requests to elsewhere. */
export async function visit(
  browser,
  { side, scenario, language = "en", settings, before, clock = false, viewport } = {},
) {
  const sides = side === "planner" || side === "site" ? ["planner", "site"] : undefined;
  const mock = await startMock({ scenario, settings, sides });
  const context = await browser.newContext({
    viewport: viewport ?? { width: 1366, height: 768 },
    locale: LOCALES[language],
  });
  const page = await context.newPage();
  const bad = [];
  page.on("console", (message) => {
    // a refusal is an answer; the browser calls every 409 an error
    if (message.text().includes("409 (Conflict)")) return;
    // three decoders on a busy machine fall behind, and say so
    if (sides && message.text().includes("frames behind")) return;
    if (["error", "warning"].includes(message.type()))
      bad.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => bad.push(String(error)));
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol !== "data:" && hostname !== "127.0.0.1") bad.push(`request to ${request.url()}`);
  });
  if (before) await page.addInitScript(before);
  if (clock) await page.clock.install();
  await page.goto(mock[side]);
  return {
    mock,
    ward: mock.ward,
    page,
    bad,
    by: (id) => page.getByTestId(id),
    async close() {
      await context.close();
      await mock.stop();
    },
  };
}

/** Waits until `condition()` holds; what it last gave, or an error that says what was awaited. */
export async function until(what, condition, limit_ms = 20_000) {
  const end = Date.now() + limit_ms;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`never came: ${what}`);
    await new Promise((again) => setTimeout(again, 20));
  }
}

/** The picture of a page as it is on the screen: how many different colours a grid of it has. */
export async function colours(page) {
  const canvas = page.locator("canvas").first();
  const png = await canvas.screenshot();
  return page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(bitmap, 0, 0);
    const seen = new Set();
    let grey = 0;
    let count = 0;
    for (let y = 0.3; y < 0.9; y += 0.02)
      for (let x = 0.05; x < 0.95; x += 0.02) {
        const [r, g, b] = context.getImageData(x * bitmap.width, y * bitmap.height, 1, 1).data;
        seen.add((r << 16) | (g << 8) | b);
        if (Math.max(r, g, b) - Math.min(r, g, b) < 12) grey += 1;
        count += 1;
      }
    return { different: seen.size, grey: grey / count };
  }, png.toString("base64"));
}
