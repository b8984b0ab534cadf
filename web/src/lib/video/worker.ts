/**
 * Socket to canvas without the main thread: a busy page never delays a picture.
 *
 * Every access unit is decoded, only the newest decoded frame is drawn, every frame is closed.
 */

import { nowMs } from "../clock";
import { VIDEO_HEADER_BYTES, type PictureNote, type VideoConfig } from "../contract";
import type { FromWorker, ToWorker } from "./messages";
import { readStamp, STAMP_HEIGHT, STAMP_WIDTH } from "./stamp";

const RECONNECT_MS = 1000;
/**
 * Encoded frames waiting in the decoder: beyond this the page starts again at a fresh IDR. A short
 * backlog decodes faster than an IDR comes over a bad network.
 */
const QUEUE_MAX = 90;

interface Header {
  seq: number;
  capture_us: number;
}

let canvas: OffscreenCanvas | null = null;
let context: OffscreenCanvasRenderingContext2D | null = null;
let url = "";
let mono = true;
/** A picture older than this gets a marked border even if the page's main thread hangs. */
let stale_ms = 300;
let offset_us: number | null = null;
let config: VideoConfig | null = null;
let socket: WebSocket | null = null;
let decoder: VideoDecoder | null = null;
let headers = new Map<number, Header>();
let newest: VideoFrame | null = null;
let shown: Header | null = null;
/** The last picture drawn, kept so that a change of view or a border needs no new frame. */
let kept: VideoFrame | null = null;
let bordered = false;

const say = (message: FromWorker): void => postMessage(message);
const wake = new MessageChannel();
wake.port1.onmessage = draw;

addEventListener("message", (event: MessageEvent<ToWorker>) => {
  const message = event.data;
  if (message.kind === "start") {
    canvas = message.canvas;
    context = canvas.getContext("2d", { alpha: false, desynchronized: true });
    url = message.url;
    mono = message.mono;
    stale_ms = message.stale_ms;
    connect();
    setInterval(markIfStale, 100);
  } else if (message.kind === "view") {
    mono = message.mono;
    if (kept) paint(kept);
  } else {
    offset_us = message.offset_us;
  }
});

function connect(): void {
  const opened = new WebSocket(url);
  socket = opened;
  opened.binaryType = "arraybuffer";
  opened.onopen = () => say({ kind: "socket", open: true });
  opened.onclose = () => {
    if (socket !== opened) return;
    socket = null;
    dropDecoder();
    say({ kind: "socket", open: false });
    setTimeout(connect, RECONNECT_MS);
  };
  opened.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
    if (typeof data === "string") hear(data);
    else receive(data);
  };
}

function hear(text: string): void {
  const message = JSON.parse(text) as VideoConfig | PictureNote;
  if (message.type === "picture") say({ kind: "picture", state: message.state });
  if (message.type === "config") {
    config = message;
    dropDecoder();
    say({ kind: "config", config });
  }
}

function receive(data: ArrayBuffer): void {
  if (!config || data.byteLength <= VIDEO_HEADER_BYTES) return;
  const view = new DataView(data);
  const seq = view.getUint32(0, true);
  const idr = (view.getUint8(4) & 1) === 1;
  if (!decoder) {
    // nothing but an IDR starts a decoder; an old one would show a broken picture
    if (!idr) return;
    decoder = newDecoder(config);
  }
  if (decoder.decodeQueueSize > QUEUE_MAX) return startAgain(`${QUEUE_MAX} frames behind`);
  const timestamp = seq * 1000;
  headers.set(timestamp, { seq, capture_us: Number(view.getBigUint64(8, true)) });
  if (headers.size > 256) headers.delete(headers.keys().next().value as number);
  try {
    decoder.decode(
      new EncodedVideoChunk({
        type: idr ? "key" : "delta",
        timestamp,
        data: new Uint8Array(data, VIDEO_HEADER_BYTES),
      }),
    );
  } catch (error) {
    startAgain(String(error));
  }
}

function newDecoder(stream: VideoConfig): VideoDecoder {
  const made = new VideoDecoder({
    output(frame) {
      if (decoder !== made) return frame.close();
      newest?.close();
      newest = frame;
      wake.port2.postMessage(null);
    },
    error(error) {
      if (decoder !== made) return;
      if (error.name === "NotSupportedError") say({ kind: "unsupported", codec: stream.codec });
      startAgain(error.message);
    },
  });
  made.configure({
    codec: stream.codec,
    codedWidth: stream.width,
    codedHeight: stream.height,
    // without it Chromium keeps one whole frame back
    optimizeForLatency: true,
    hardwareAcceleration: "no-preference",
  });
  return made;
}

/** A new connection begins with an IDR. */
function startAgain(why: string): void {
  console.warn(`video: starts again: ${why}`);
  say({ kind: "picture", state: "recovering" });
  dropDecoder();
  socket?.close();
}

function dropDecoder(): void {
  const old = decoder;
  decoder = null;
  newest?.close();
  newest = null;
  headers = new Map();
  if (old && old.state !== "closed") old.close();
}

function draw(): void {
  const frame = newest;
  if (!frame || !context) return;
  newest = null;
  const header = headers.get(frame.timestamp);
  headers.delete(frame.timestamp);
  paint(frame);
  kept?.close();
  kept = frame;
  const drawn_ms = nowMs();
  shown = header ?? shown;
  if (header) void report(frame.clone(), header, drawn_ms);
}

/** One eye or both, at the size of the stream: the compositor scales. */
function paint(frame: VideoFrame): void {
  if (!canvas || !context) return;
  const eyes = config?.stereo === "sbs" && mono ? 2 : 1;
  const width = Math.floor(frame.displayWidth / eyes);
  const height = frame.displayHeight;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  context.drawImage(frame, 0, 0, width, height, 0, 0, width, height);
  bordered = false;
}

async function report(frame: VideoFrame, header: Header, drawn_ms: number): Promise<void> {
  const stamp_frame = await stampOf(frame);
  frame.close();
  say({ kind: "drawn", ...header, drawn_ms, stamp_frame });
  if (socket?.readyState !== WebSocket.OPEN || offset_us === null) return;
  const drawn_us = Math.round(drawn_ms * 1000 + offset_us);
  socket.send(JSON.stringify({ type: "drawn", seq: header.seq, stamp_frame, drawn_us }));
}

async function stampOf(frame: VideoFrame): Promise<number | null> {
  const format = frame.format;
  if (format !== "I420" && format !== "NV12") return null;
  if (frame.codedWidth < STAMP_WIDTH || frame.codedHeight < STAMP_HEIGHT) return null;
  const rect = { x: 0, y: 0, width: STAMP_WIDTH, height: STAMP_HEIGHT };
  try {
    const bytes = new Uint8Array(frame.allocationSize({ rect }));
    const [luma] = await frame.copyTo(bytes, { rect });
    if (!luma) return null;
    return readStamp(bytes.subarray(luma.offset), luma.stride)?.frame ?? null;
  } catch {
    return null;
  }
}

/** The page flags an old picture in words; this border does not depend on the page. */
function markIfStale(): void {
  if (!canvas || !context || !kept || !shown || offset_us === null || bordered) return;
  const age_ms = (nowMs() * 1000 + offset_us - shown.capture_us) / 1000;
  if (age_ms <= stale_ms) return;
  bordered = true;
  const edge = Math.max(4, Math.round(canvas.height / 80));
  context.strokeStyle = "#ff5a4f";
  context.lineWidth = edge;
  context.setLineDash([edge * 3, edge * 2]);
  context.strokeRect(edge / 2, edge / 2, canvas.width - edge, canvas.height - edge);
}
