"use strict";
// The control page of `telehand wan`. Everything shown comes from GET /api/state.
const WORDS = {
  en: { other: "中文", up: "up", down: "outage", cut: "cut", cut5: "Cut 5 s", cutNow: "Cut", restore: "Restore",
    cutAll: "Cut all", cutAll5: "Cut all 5 s", restoreAll: "Restore all", out: "out (commands)", back: "back (video)",
    way: "direction", delay: "delay ms", jitter: "jitter ms", loss: "random loss", bursts: "bursts", rate: "Mbit/s", carried: "carried",
    lost: "lost", uptime: "running", seed: "seed", late: "release error p50 / p99.9", realtime: "real-time thread",
    yes: "granted", no: "not granted", gone: "The relay does not answer.", simulated: "SIMULATED network" },
  zh: { other: "English", up: "通", down: "中断", cut: "已切断", cut5: "切断 5 秒", cutNow: "切断", restore: "恢复",
    cutAll: "全部切断", cutAll5: "全部切断 5 秒", restoreAll: "全部恢复", out: "去程（指令）", back: "回程（视频）",
    way: "方向", delay: "时延 ms", jitter: "抖动 ms", loss: "随机丢包", bursts: "突发", rate: "Mbit/s", carried: "已转发",
    lost: "丢失", uptime: "已运行", seed: "种子", late: "发送误差 p50 / p99.9", realtime: "实时线程",
    yes: "已授予", no: "未授予", gone: "中继没有应答。", simulated: "模拟网络" },
};
let language = (navigator.language || "en").startsWith("zh") ? "zh" : "en";
let shape = "";
const by = (id) => document.getElementById(id);
const node = (name, text, kind) => {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
};
const count = (n) => n.toLocaleString("en").replace(/,/g, "\u202f");

async function ask(way, body) {
  try {
    const answer = await fetch("/api/" + way, body && {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    const told = await answer.json();
    by("error").textContent = answer.ok ? "" : told.error;
    if (answer.ok) show(told);
  } catch {
    by("error").textContent = WORDS[language].gone;
  }
}
const button = (text, way, body, kind) => {
  const made = node("button", text, kind);
  made.type = "button";
  made.onclick = () => ask(way, body);
  return made;
};

// The buttons are built once for each set of paths and language, so that a click never meets a
// button that has just been replaced.
function build(state, w) {
  by("language").textContent = w.other;
  by("about").textContent = state.about[language];
  by("source").textContent = state.source;
  by("profile").textContent = `${state.profile} · ${w.simulated}`;
  by("all").replaceChildren(
    button(w.cutAll5, "cut", { path: "all", for_s: 5 }, "strong"),
    button(w.cutAll, "cut", { path: "all" }, "strong"),
    button(w.restoreAll, "restore", { path: "all" }));
  by("paths").replaceChildren(...state.paths.map((path, index) => {
    const section = node("section");
    section.id = "path" + index;
    const top = node("div", undefined, "top");
    const buttons = node("div", undefined, "buttons");
    buttons.append(
      button(w.cut5, "cut", { path: path.name, for_s: 5 }, "strong"),
      button(w.cutNow, "cut", { path: path.name }, "strong"),
      button(w.restore, "restore", { path: path.name }));
    top.append(node("h2", path.name), node("span", "", "status"),
      node("p", `${path.listen} → ${path.target}`), buttons);
    const table = node("table");
    const head = node("tr");
    for (const key of ["way", "delay", "jitter", "loss", "rate", "carried", "lost"]) {
      const cell = node("th", w[key]);
      cell.scope = "col";
      head.append(cell);
    }
    table.append(head, node("tr", undefined, "out"), node("tr", undefined, "back"));
    section.append(top, table);
    return section;
  }));
}

function show(state) {
  const w = WORDS[language];
  document.documentElement.lang = language;
  const now = language + JSON.stringify(state.paths.map((path) => [path.name, path.listen]));
  if (now !== shape) { build(state, w); shape = now; }
  const late = state.release_error_us;
  const figure = (name, value) => {
    const made = node("span", name + " ");
    made.append(node("b", value));
    return made;
  };
  by("figures").replaceChildren(
    figure(w.uptime, state.uptime_s.toFixed(0) + " s"),
    figure(w.seed, String(state.seed)),
    figure(w.late, `${late.p50.toFixed(0)} / ${late.p999.toFixed(0)} µs`),
    figure(w.realtime, state.realtime ? w.yes : w.no));
  state.paths.forEach((path, index) => {
    const section = by("path" + index);
    const word = path.cut ? "cut" : path.up ? "up" : "down";
    section.className = word;
    section.querySelector(".status").textContent = w[word];
    for (const way of ["out", "back"]) {
      const lane = path[way];
      const share = lane.offered ? (100 * lane.dropped / lane.offered).toFixed(2) : "0.00";
      section.querySelector("tr." + way).replaceChildren(
        ...[w[way], lane.delay_ms.toFixed(1), lane.jitter_ms.toFixed(1), (100 * lane.loss).toFixed(3) + " %" + (lane.burst === "none" ? "" : " + " + w.bursts),
          lane.rate_mbit_s === null ? "–" : lane.rate_mbit_s.toFixed(0), count(lane.forwarded),
          `${count(lane.dropped)} (${share} %)`].map((text) => node("td", text)));
    }
  });
}

by("language").onclick = () => { language = language === "en" ? "zh" : "en"; ask("state"); };
ask("state");
setInterval(() => ask("state"), 500);
