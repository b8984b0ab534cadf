/** From degrees to the map's plane: equal distances along the middle latitude, x to the east, y down. */

export interface Geo {
  lat: number;
  lon: number;
}
export interface Frame {
  /** How much narrower a degree of longitude is than one of latitude. */
  squeeze: number;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The frame around places, with a margin, in the shape of the window. */
export function frameOf(places: Geo[], shape: number): Frame {
  const lats = places.map(({ lat }) => lat);
  const lons = places.map(({ lon }) => lon);
  const [south, north] = places.length ? [Math.min(...lats), Math.max(...lats)] : [15, 45];
  const [west, east] = places.length ? [Math.min(...lons), Math.max(...lons)] : [80, 120];
  const squeeze = Math.cos((((south + north) / 2) * Math.PI) / 180);
  let width = Math.max((east - west) * squeeze, 2) * 1.16;
  let height = Math.max(north - south, 2) * 1.3;
  if (width / height < shape) width = height * shape;
  else height = width / shape;
  return {
    squeeze,
    x: ((west + east) / 2) * squeeze - width / 2,
    y: -(south + north) / 2 - height / 2,
    width,
    height,
  };
}

export const spot = ({ lat, lon }: Geo, { squeeze }: Frame): [number, number] => [
  lon * squeeze,
  -lat,
];

/** Lines of the graticule inside a frame: every 5 degrees, or 10 in a wide one. */
export function graticule(frame: Frame): { lats: number[]; lons: number[] } {
  const step = frame.width > 60 ? 20 : frame.width > 35 ? 10 : frame.width > 8 ? 5 : 1;
  const between = (low: number, high: number) => {
    const found = [];
    for (let at = Math.ceil(low / step) * step; at <= high; at += step) found.push(at);
    return found;
  };
  return {
    lats: between(-(frame.y + frame.height), -frame.y),
    lons: between(frame.x / frame.squeeze, (frame.x + frame.width) / frame.squeeze),
  };
}

export interface Label {
  id: string;
  x: number;
  y: number;
  text: string;
  weight: number;
}
export interface Placed extends Label {
  tx: number;
  ty: number;
  anchor: "start" | "end" | "middle";
}

/** Names beside their dots so that none lies on another; a name without room is left out (its dot stays). */
export function placeLabels(labels: Label[], size: number, frame: Frame): Placed[] {
  const taken: [number, number, number, number][] = labels.map(({ x, y }) => [
    x - size * 0.4,
    y - size * 0.4,
    x + size * 0.4,
    y + size * 0.4,
  ]);
  const placed: Placed[] = [];
  for (const label of [...labels].sort((a, b) => b.weight - a.weight)) {
    const wide = [...label.text].reduce((sum, c) => sum + (c > "⺀" ? 1.05 : 0.56), 0) * size;
    const gap = size * 0.6;
    const tries: [Placed["anchor"], number, number][] = [
      ["start", gap, size * 0.35],
      ["end", -gap, size * 0.35],
      ["middle", 0, -gap],
      ["middle", 0, gap + size * 0.75],
    ];
    for (const [anchor, dx, dy] of tries) {
      const left = label.x + dx - (anchor === "end" ? wide : anchor === "middle" ? wide / 2 : 0);
      const box: [number, number, number, number] = [
        left,
        label.y + dy - size * 0.85,
        left + wide,
        label.y + dy + size * 0.2,
      ];
      if (box[0] < frame.x || box[2] > frame.x + frame.width) continue;
      if (taken.some((other) => overlap(box, other))) continue;
      taken.push(box);
      placed.push({ ...label, tx: label.x + dx, ty: label.y + dy, anchor });
      break;
    }
  }
  return placed;
}

const overlap = (a: number[], b: number[]): boolean =>
  (a[0] ?? 0) < (b[2] ?? 0) &&
  (b[0] ?? 0) < (a[2] ?? 0) &&
  (a[1] ?? 0) < (b[3] ?? 0) &&
  (b[1] ?? 0) < (a[3] ?? 0);

const EARTH_KM = 6371;
/** The great circle between two places, km. */
export function distance_km(a: Geo, b: Geo): number {
  const rad = Math.PI / 180;
  const h =
    Math.sin(((b.lat - a.lat) * rad) / 2) ** 2 +
    Math.cos(a.lat * rad) * Math.cos(b.lat * rad) * Math.sin(((b.lon - a.lon) * rad) / 2) ** 2;
  return 2 * EARTH_KM * Math.asin(Math.min(1, Math.sqrt(h)));
}
