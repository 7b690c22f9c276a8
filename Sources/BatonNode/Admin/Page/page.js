"use strict";
// The cluster as it is, once a second. Everything shown comes from /admin/cluster, asked with the token; totals become
// rates here, by the nodes' own monotonic clocks. Text goes into the page as text, never as markup.

const byId = (id) => document.getElementById(id);
const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};

// What turns the direction of what follows, or is there without being seen, is shown as JSON writes it.
const hidden = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
const escaped = (character) => character.replace(/[^]/g, (unit) =>
  "\\u" + unit.charCodeAt(0).toString(16).padStart(4, "0"));
const printable = (key, value) => typeof value === "string" ? value.replace(hidden, escaped) : value;

const kept = 3600; // samples: an hour
const latencyWindow = 5; // looks over which a quantile is taken
const maximumLog = 100;
const goneMilliseconds = 10 * 60 * 1000;

// ---- Numbers for people ----------------------------------------------------------------------------------------

const known = (value) => value !== null && value !== undefined && Number.isFinite(value);
const count = (value) => {
  if (!known(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e6) return (value / 1e6).toFixed(size >= 1e7 ? 1 : 2) + "M";
  if (size >= 1e4) return (value / 1e3).toFixed(1) + "k";
  if (size >= 100 || Number.isInteger(value)) return Math.round(value).toLocaleString("en");
  return value.toFixed(size >= 10 ? 1 : 2).replace(/\.?0+$/, "");
};
const seconds = (value) => {
  if (!known(value)) return "–";
  if (value >= 1) return value.toFixed(value >= 10 ? 1 : 2) + " s";
  const ms = value * 1000;
  return ms === 0 ? "0 ms" : ms >= 0.1 ? ms.toFixed(ms >= 100 ? 0 : ms >= 10 ? 1 : 2) + " ms"
    : (ms * 1000).toFixed(0) + " µs";
};
const bytes = (value) => {
  if (!known(value)) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < units.length - 1) { value /= 1024; unit += 1; }
  return (unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)) + " " + units[unit];
};
const percent = (value) => known(value) ? (value * 100).toFixed(value < 0.1 ? 1 : 0) + " %" : "–";
const span = (value) => {
  if (!known(value)) return "–";
  const s = Math.floor(value);
  if (s < 60) return s + " s";
  if (s < 3600) return Math.floor(s / 60) + " min " + (s % 60) + " s";
  if (s < 86400) return Math.floor(s / 3600) + " h " + Math.floor(s / 60) % 60 + " min";
  return Math.floor(s / 86400) + " d " + Math.floor(s / 3600) % 24 + " h";
};
const clock = (ms) => new Date(ms).toLocaleTimeString("en-GB");

// ---- From totals to rates --------------------------------------------------------------------------------------

// What came between two readings of a histogram; `later` alone where the node started anew.
const between = (later, earlier) => {
  if (!earlier || earlier.counts.length !== later.counts.length || earlier.counts.at(-1) > later.counts.at(-1)) {
    return later;
  }
  return { bounds: later.bounds, counts: later.counts.map((n, i) => n - earlier.counts[i]), sum: later.sum - earlier.sum };
};
const merge = (all) => {
  const whole = all.filter((one) => one && one.counts.length > 0);
  if (whole.length === 0) return null;
  const first = whole[0];
  const same = whole.filter((one) => one.counts.length === first.counts.length);
  return {
    bounds: first.bounds, counts: first.counts.map((_, i) => same.reduce((sum, one) => sum + one.counts[i], 0)),
    sum: same.reduce((sum, one) => sum + one.sum, 0),
  };
};
const mean = (values) => values && values.counts.at(-1) > 0 ? values.sum / values.counts.at(-1) : null;
// As Prometheus does it: even spread within the bucket.
const quantile = (values, fraction) => {
  const total = values ? values.counts.at(-1) : 0;
  if (!total) return null;
  const rank = fraction * total;
  const index = values.counts.findIndex((n) => n >= rank && n > 0);
  if (index < 0 || index >= values.bounds.length) return values.bounds.at(-1);
  const below = index > 0 ? values.counts[index - 1] : 0;
  const lower = index > 0 ? values.bounds[index - 1] : 0;
  return lower + (values.bounds[index] - lower) * (rank - below) / (values.counts[index] - below);
};

// One node's numbers, from its status now, a look ago and some looks ago.
const ratesOf = (now, before, earlier) => {
  const same = (other) => other && other.incarnation === now.incarnation ? other : null;
  const last = same(before), far = same(earlier) || same(before);
  const elapsed = last ? (now.monotonicMilliseconds - last.monotonicMilliseconds) / 1000 : 0;
  const rate = (read) => elapsed > 0 ? Math.max(0, read(now) - read(last)) / elapsed : null;
  const spread = (read) => far ? between(read(now), read(far)) : null;
  return {
    accepted: rate((s) => s.messages.accepted),
    delivered: rate((s) => s.messages.deliveredByHint + s.messages.deliveredByDrain),
    drained: rate((s) => s.messages.deliveredByDrain),
    acknowledged: rate((s) => s.messages.acknowledged),
    rejected: rate((s) => s.messages.rejected), repeated: rate((s) => s.messages.repeated),
    missed: rate((s) => s.hints.missed), gaps: rate((s) => s.hints.gaps),
    publishErrors: rate((s) => s.hints.publishErrors), opened: rate((s) => s.connections.opened),
    cpu: rate((s) => s.process.cpuSeconds),
    connections: now.connections.open, unacknowledged: now.messages.unacknowledged,
    accept: spread((s) => s.messages.accept), commit: spread((s) => s.store.commit),
    batch: spread((s) => s.store.batch), turnstile: spread((s) => s.store.turnstile),
    probe: spread((s) => s.redis.probe), lag: spread((s) => s.process.loopLag), canary: spread((s) => s.canary.seconds),
  };
};

// ---- What is remembered ----------------------------------------------------------------------------------------

const memory = {
  looks: [], // the last answers, whole
  times: [], series: new Map(), // numbers to draw: a list a series, as long as times
  nodes: new Map(), // by name: colour, last seen, last status
  marks: [], // {at, text}: what to draw across the plots
  log: [], badUntil: new Map(), missed: [],
};

const sum = (values) => values.some(known) ? values.reduce((total, value) => total + (known(value) ? value : 0), 0) : null;

const remember = (look) => {
  memory.looks.push(look);
  if (memory.looks.length > latencyWindow + 1) memory.looks.shift();
  const statusIn = (answer, name) => answer?.nodes.find((node) => node.node === name)?.status;
  const before = memory.looks.at(-2), earlier = memory.looks[0];
  const rates = new Map();
  for (const node of look.nodes) {
    if (node.status) {
      rates.set(node.node, ratesOf(node.status, statusIn(before, node.node), statusIn(earlier, node.node)));
    }
  }
  notice(look);
  const all = [...rates.values()];
  const total = (name) => sum(all.map((one) => one[name]));
  const whole = (name) => merge(all.map((one) => one[name]));
  const now = {
    accepted: total("accepted"), delivered: total("delivered"), drained: total("drained"),
    acceptHalf: quantile(whole("accept"), 0.5), acceptTail: quantile(whole("accept"), 0.99),
    commitHalf: quantile(whole("commit"), 0.5), commitTail: quantile(whole("commit"), 0.99),
    batchMean: mean(whole("batch")), batchTail: quantile(whole("batch"), 0.99),
    turnstileTail: quantile(whole("turnstile"), 0.99),
    connections: total("connections"), unacknowledged: total("unacknowledged"), backlog: look.store.backlog ?? null,
    missed: total("missed"), gaps: total("gaps"), publishErrors: total("publishErrors"),
    probeHalf: quantile(whole("probe"), 0.5), probeTail: quantile(whole("probe"), 0.99),
    redisAnswer: look.redis?.answerSeconds ?? null, redisCommands: look.redis?.commandsPerSecond ?? null,
    queued: sum(look.nodes.map((node) => node.status?.store.queued ?? null)),
    wal: Math.max(0, ...look.nodes.map((node) => node.status?.store.walPages ?? 0)),
    slow: sum(look.nodes.map((node) => node.status?.slowReaders.count ?? null)),
    canaryTail: quantile(whole("canary"), 0.99), canaryHalf: quantile(whole("canary"), 0.5),
    lag: quantile(whole("lag"), 0.99), opened: total("opened"),
  };
  memory.missed.push(before ? look.nodes.reduce((gained, node) => {
    const old = statusIn(before, node.node);
    const same = old && node.status && old.incarnation === node.status.incarnation;
    return gained + (same ? Math.max(0, node.status.hints.missed - old.hints.missed) : 0);
  }, 0) : 0);
  if (memory.missed.length > 60) memory.missed.shift();
  now.missedLately = memory.missed.reduce((a, b) => a + b, 0);
  for (const [name, one] of rates) {
    now["connections/" + name] = one.connections;
    now["cpu/" + name] = one.cpu;
  }
  keep(look.at, now);
  return { now, rates };
};

const keep = (at, values) => {
  memory.times.push(at);
  for (const name of Object.keys(values)) {
    if (!memory.series.has(name)) memory.series.set(name, new Array(memory.times.length - 1).fill(null));
  }
  for (const [name, list] of memory.series) list.push(values[name] ?? null);
  if (memory.times.length > kept) {
    memory.times.shift();
    for (const list of memory.series.values()) list.shift();
  }
  memory.marks = memory.marks.filter((mark) => mark.at >= memory.times[0]);
};

// What changed since the look before goes into the log, and across the plots where it explains them.
const notice = (look) => {
  const tell = (text, level, isMark) => {
    memory.log.unshift({ at: look.at, text, level });
    if (memory.log.length > maximumLog) memory.log.pop();
    if (isMark) memory.marks.push({ at: look.at, text, level });
  };
  const isFirst = memory.nodes.size === 0;
  const present = new Set();
  for (const node of look.nodes) {
    present.add(node.node);
    const old = memory.nodes.get(node.node);
    if (!old) {
      const colour = 1 + memory.nodes.size % 8;
      memory.nodes.set(node.node, { colour, answers: !!node.status, incarnation: node.status?.incarnation, seen: look.at });
      if (!isFirst) tell(node.node + " joined", "good", true);
      continue;
    }
    const wasGone = old.gone;
    old.gone = false;
    if (node.status) {
      old.seen = look.at;
      if (old.incarnation && old.incarnation !== node.status.incarnation) {
        tell(node.node + " was started anew", "warn", true);
      } else if (!old.answers || wasGone) tell(node.node + " answers again", "good", true);
      old.incarnation = node.status.incarnation;
      old.last = node.status;
    } else if (old.answers) tell(node.node + " " + (node.problem || "does not answer"), "bad", true);
    old.answers = !!node.status;
    old.lease = node.lease;
  }
  for (const [name, old] of memory.nodes) {
    if (present.has(name)) continue;
    if (!old.gone) tell(name + (old.answers ? " left" : " is gone: its lease ended"), old.answers ? "warn" : "bad", old.answers);
    // One that was told to stop says so in its lease, and answers until it does.
    if (!old.gone) old.died = !old.answers && old.lease !== "evacuating";
    old.gone = true;
    old.answers = false;
    if (look.at - old.seen > goneMilliseconds) memory.nodes.delete(name);
  }
  const found = new Map(look.problems.map((one) => [(one.node ? one.node + " " : "") + wordsOf(one), one.severity]));
  for (const [text, severity] of found) {
    if (!memory.badUntil.has(text) && !/does not answer/.test(text)) tell(text, severity === "bad" ? "bad" : "warn", false);
    if (!memory.badUntil.has(text) && text.startsWith("Redis does not answer")) tell("Redis does not answer", "bad", true);
  }
  for (const text of memory.badUntil.keys()) {
    if (!found.has(text) && text.startsWith("Redis does not answer")) tell("Redis answers again", "good", true);
  }
  memory.badUntil = found;
};

// Counts change from look to look; the same trouble is told once.
const wordsOf = (problem) => problem.text.replace(/\d+ slow readers?/, "slow readers").replace(/\d+ (operations|keys|of)/, "$1");

// ---- Plots -----------------------------------------------------------------------------------------------------

const colourOf = (number) => getComputedStyle(document.documentElement).getPropertyValue("--s" + number).trim();
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

// name, unit, lines: [series, label, colour, filled?]; `perNode` draws one line for each node.
const plots = [
  { title: "Messages", unit: count, per: "/s", lines: [["accepted", "accepted", 1, true], ["delivered", "events delivered", 3],
    ["drained", "of these by drain", 2]] },
  { title: "Accept latency", note: "send to accepted", unit: seconds, lines: [["acceptTail", "p99", 2], ["acceptHalf", "p50", 1]] },
  { title: "Commit latency", note: "one synced batch", unit: seconds, lines: [["commitTail", "p99", 2], ["commitHalf", "p50", 1],
    ["turnstileTail", "turnstile p99", 8]] },
  { title: "Batch size", note: "operations a commit", unit: count, lines: [["batchTail", "p99", 2], ["batchMean", "mean", 1, true]] },
  { title: "Connections", unit: count, perNode: "connections/", lines: [["connections", "all", 8]] },
  { title: "Backlog", note: "events not acknowledged", unit: count, lines: [["backlog", "all inboxes", 4, true],
    ["unacknowledged", "of connected devices", 1]] },
  { title: "Hints", unit: count, per: "/s", lines: [["missed", "missed", 5, true], ["gaps", "gaps", 7],
    ["publishErrors", "not published", 2]] },
  { title: "Redis", note: "a probe there and back", unit: seconds, lines: [["probeTail", "probe p99", 2], ["probeHalf", "probe p50", 1],
    ["redisAnswer", "INFO", 8]] },
  { title: "Store", unit: count, lines: [["wal", "WAL pages", 7], ["queued", "operations queued", 5]] },
  { title: "Processor", note: "cores in use", unit: percent, perNode: "cpu/", lines: [] },
  { title: "Event loops", note: "how late a timer ran", unit: seconds, lines: [["lag", "p99", 6, true]] },
  { title: "Canaries", note: "device to device", unit: seconds, lines: [["canaryTail", "p99", 2], ["canaryHalf", "p50", 1]] },
];

const steps = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];
const short = (text) => text.replace(/\.0+(?= |$)/, "");
const niceTop = (largest, isCount) => {
  if (!(largest > 0)) return isCount ? 1 : 0.001;
  const base = 10 ** Math.floor(Math.log10(largest));
  return (steps.find((step) => step * base >= largest * 1.02) ?? 10) * base;
};
const leastSpan = 60000;
const timeSteps = [5, 10, 15, 20, 30, 60, 120, 300, 600, 900];
const margin = { left: 52, right: 8, top: 12, bottom: 18 };
let hover = null; // a moment, the same in all plots

const build = () => {
  for (const plot of plots) {
    const card = make("div", "card plot");
    const head = make("h2", "", plot.title);
    head.append(make("small", "", plot.note ?? ""));
    plot.canvas = make("canvas");
    plot.canvas.setAttribute("role", "img");
    plot.legend = make("div", "legend");
    card.append(head, plot.canvas, plot.legend);
    byId("plots").append(card);
    plot.canvas.addEventListener("pointermove", (event) => point(plot, event));
    plot.canvas.addEventListener("pointerleave", () => { hover = null; byId("tip").hidden = true; drawAll(); });
    new ResizeObserver(() => draw(plot)).observe(plot.canvas);
  }
};

const linesOf = (plot) => {
  if (!plot.perNode) return plot.lines;
  const nodes = [...memory.nodes].filter(([name]) => memory.series.has(plot.perNode + name)).sort();
  return [...plot.lines, ...nodes.map(([name, node]) => [plot.perNode + name, name, node.colour])];
};

// What was asked for, or as much as there is: a page just opened fills its plots, too.
const shownSpan = () => {
  const age = memory.times.length ? memory.times.at(-1) - memory.times[0] : 0;
  return Math.min(Number(byId("span").value) * 1000, Math.max(leastSpan, age));
};

const shownWindow = () => {
  const end = memory.times.at(-1) ?? Date.now();
  const start = end - shownSpan();
  let first = memory.times.findIndex((at) => at >= start);
  if (first < 0) first = memory.times.length;
  return { start, end, first };
};

const draw = (plot) => {
  const canvas = plot.canvas, scale = window.devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  if (!width || !height) return;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  const { start, end, first } = shownWindow();
  const lines = linesOf(plot);
  let largest = 0;
  for (const [name] of lines) {
    const values = memory.series.get(name) ?? [];
    for (let i = first; i < values.length; i += 1) if (values[i] > largest) largest = values[i];
  }
  const isCount = plot.unit === count;
  const top = plot.unit === percent && largest <= 1 ? 1 : niceTop(largest, isCount);
  const x = (at) => margin.left + (width - margin.left - margin.right) * (at - start) / (end - start);
  const y = (value) => height - margin.bottom - (height - margin.top - margin.bottom) * Math.min(1, value / top);
  plot.geometry = { start, end, width };

  pen.font = "11px system-ui, 'DejaVu Sans', sans-serif";
  pen.lineWidth = 1;
  pen.textBaseline = "middle";
  pen.textAlign = "right";
  const rows = isCount && top <= 2 ? top : 4;
  for (let row = 0; row <= rows; row += 1) {
    const value = top * row / rows, at = Math.round(y(value)) + 0.5;
    pen.strokeStyle = token(row === 0 ? "line" : "grid");
    pen.beginPath(); pen.moveTo(margin.left, at); pen.lineTo(width - margin.right, at); pen.stroke();
    pen.fillStyle = token("muted");
    if (row % 2 === 0 || rows < 4) pen.fillText(short(plot.unit(value)), margin.left - 6, at);
  }
  pen.textBaseline = "alphabetic";
  pen.textAlign = "center";
  const step = (timeSteps.find((one) => shownSpan() / 1000 / one <= width / 84) ?? 900) * 1000;
  for (let at = Math.ceil(start / step) * step; at <= end; at += step) {
    if (x(at) < margin.left + 18 || x(at) > width - margin.right - 14) continue;
    const text = clock(at);
    pen.fillText(step >= 60000 ? text.slice(0, 5) : text, x(at), height - 4);
  }
  pen.save();
  pen.beginPath(); pen.rect(margin.left, 0, width - margin.left - margin.right + 2, height - margin.bottom + 2); pen.clip();
  for (const mark of memory.marks) {
    if (mark.at < start) continue;
    pen.strokeStyle = token(mark.level); pen.globalAlpha = 0.75; pen.setLineDash([3, 3]);
    pen.beginPath(); pen.moveTo(Math.round(x(mark.at)) + 0.5, margin.top - 8);
    pen.lineTo(Math.round(x(mark.at)) + 0.5, height - margin.bottom); pen.stroke();
    pen.setLineDash([]); pen.globalAlpha = 1;
  }
  pen.lineJoin = "round";
  for (const [name, , colour, isFilled] of [...lines].reverse()) {
    stroke(pen, memory.series.get(name) ?? [], first, x, y, colourOf(colour), isFilled ? y(0) : null);
  }
  if (hover !== null && hover >= start) {
    pen.strokeStyle = token("muted"); pen.globalAlpha = 0.6;
    pen.beginPath(); pen.moveTo(Math.round(x(hover)) + 0.5, margin.top - 6);
    pen.lineTo(Math.round(x(hover)) + 0.5, height - margin.bottom); pen.stroke(); pen.globalAlpha = 1;
  }
  pen.restore();
  describe(plot, lines);
};

// One line, with a gap where nothing is known or nobody looked. More samples than pixels are drawn by their extremes.
const stroke = (pen, values, first, x, y, colour, ground) => {
  const runs = [];
  let run = [];
  let column = null, low = 0, high = 0;
  const flush = () => { if (column !== null) { run.push([column, y(high)]); if (high > low) run.push([column, y(low)]); column = null; } };
  for (let i = first; i < values.length; i += 1) {
    const isGap = !known(values[i]) || (i > first && memory.times[i] - memory.times[i - 1] > 5000);
    if (isGap) { flush(); if (run.length) runs.push(run); run = []; }
    if (!known(values[i])) continue;
    const at = Math.round(x(memory.times[i]) * 2) / 2;
    if (at !== column) { flush(); column = at; low = high = values[i]; }
    low = Math.min(low, values[i]); high = Math.max(high, values[i]);
  }
  flush();
  if (run.length) runs.push(run);
  for (const points of runs) {
    if (ground !== null) {
      pen.fillStyle = colour; pen.globalAlpha = 0.13;
      pen.beginPath(); pen.moveTo(points[0][0], ground);
      for (const [px, py] of points) pen.lineTo(px, py);
      pen.lineTo(points.at(-1)[0], ground); pen.fill(); pen.globalAlpha = 1;
    }
    pen.strokeStyle = colour; pen.lineWidth = 1.6;
    pen.beginPath();
    points.forEach(([px, py], i) => i === 0 ? pen.moveTo(px, py) : pen.lineTo(px, py));
    if (points.length === 1) pen.arc(points[0][0], points[0][1], 1.2, 0, 7);
    pen.stroke();
  }
};

const describe = (plot, lines) => {
  plot.legend.replaceChildren(...lines.slice(0, 12).map(([name, label, colour]) => {
    const item = make("span");
    const key = make("i");
    key.style.background = colourOf(colour);
    item.append(key, label, make("b", "", plot.unit(memory.series.get(name)?.at(-1)) + (plot.per ?? "")));
    return item;
  }));
  plot.canvas.setAttribute("aria-label", plot.title + ": " + lines.map(([name, label]) =>
    label + " " + plot.unit(memory.series.get(name)?.at(-1))).join(", "));
};

const point = (plot, event) => {
  const { start, end, width } = plot.geometry ?? {};
  const tip = byId("tip");
  if (!start || memory.times.length === 0) return;
  const box = plot.canvas.getBoundingClientRect();
  const share = (event.clientX - box.left - margin.left) / (width - margin.left - margin.right);
  const wanted = start + share * (end - start);
  let index = memory.times.findIndex((at) => at >= wanted);
  if (index < 0) index = memory.times.length - 1;
  if (share < 0 || Math.abs(memory.times[index] - wanted) > 5000) { hover = null; tip.hidden = true; return drawAll(); }
  hover = memory.times[index];
  tip.replaceChildren(make("div", "muted", clock(hover)));
  for (const [name, label] of linesOf(plot)) {
    const row = make("div");
    row.append(make("span", "", label), make("b", "", plot.unit(memory.series.get(name)?.[index]) + (plot.per ?? "")));
    tip.append(row);
  }
  for (const mark of memory.marks) if (Math.abs(mark.at - hover) < 1500) tip.append(make("div", mark.level, mark.text));
  tip.hidden = false;
  const left = Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8);
  tip.style.left = left + "px";
  tip.style.top = Math.min(event.clientY + 14, window.innerHeight - tip.offsetHeight - 8) + "px";
  drawAll();
};

let isDrawing = false;
const drawAll = () => {
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(() => { isDrawing = false; plots.forEach(draw); });
};

// ---- Tables ----------------------------------------------------------------------------------------------------

const tile = (name, value, unit, note, level) => {
  const box = make("div", "tile" + (level ? " " + level : ""));
  const number = make("div", "value", value);
  if (unit) number.append(make("span", "unit", unit));
  box.append(make("div", "name", name), number, make("div", "note", note ?? ""));
  return box;
};
const split = (text) => { const cut = text.lastIndexOf(" "); return cut < 0 ? [text, ""] : [text.slice(0, cut), text.slice(cut + 1)]; };

const showTiles = (look, now) => {
  const answering = look.nodes.filter((node) => node.status).length;
  const limit = sum(look.nodes.map((node) => node.status?.connections.limit ?? null));
  byId("tiles").replaceChildren(
    tile("Nodes", answering + (answering < look.nodes.length ? "/" + look.nodes.length : ""), "",
      look.nodes.filter((node) => node.status?.ready).length + " ready", answering < look.nodes.length ? "bad" : ""),
    tile("Messages", count(now.accepted), "/s", count(now.delivered) + " events/s delivered"),
    tile("Connections", count(now.connections), "", "of " + count(limit)),
    tile("Accept p99", ...split(seconds(now.acceptTail)), "p50 " + seconds(now.acceptHalf), now.acceptTail > 0.25 ? "warn" : ""),
    tile("Commit p99", ...split(seconds(now.commitTail)), "p50 " + seconds(now.commitHalf), now.commitTail > 0.1 ? "warn" : ""),
    tile("Batch", count(now.batchMean), "", "p99 " + count(now.batchTail)),
    tile("Hints missed", count(now.missedLately), "", "in the last minute", now.missedLately > 0 ? "warn" : ""),
    tile("Backlog", count(now.backlog) + (look.store.backlogIsBound ? "+" : ""), "", count(now.unacknowledged) + " of connected"),
    tile("Slow readers", count(now.slow), "", "", now.slow > 0 ? "warn" : ""),
    tile("Redis", ...(look.redis ? split(seconds(now.redisAnswer)) : ["down", ""]), look.redis ? count(now.redisCommands) + " ops/s" : "", look.redis ? "" : "bad"),
  );
};

const columns = ["node", "state", "connections", "accepted/s", "events/s", "accept p50, p99", "commit p50, p99", "batch",
  "hints missed", "unacked", "slow", "Redis", "probe p99", "lag p99", "CPU", "memory", "files", "up"];
const addressForm = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+):\d+$/i;

const showNodes = (look, rates) => {
  const head = make("tr");
  columns.forEach((name, i) => head.append(make("th", i < 2 ? "left" : "", name)));
  const rows = look.nodes.map((node) => nodeRow(node, rates.get(node.node), node.node === look.answeredBy));
  for (const [name, old] of memory.nodes) {
    if (!old.gone) continue;
    const row = make("tr", "gone");
    const cell = make("td", "", name);
    cell.prepend(keyOf(old.colour));
    const words = make("td", "none", "gone, last seen " + clock(old.seen));
    words.colSpan = columns.length - 1;
    row.append(cell, words);
    rows.push(row);
  }
  byId("nodes").replaceChildren(head, ...rows);
};

const keyOf = (colour) => { const key = make("span", "key"); key.style.background = colourOf(colour); return key; };

const halfAndTail = (values) => {
  const [half, tail] = [quantile(values, 0.5), quantile(values, 0.99)];
  return known(half) ? seconds(half) + ", " + seconds(tail) : "–";
};

const nodeRow = (node, rates, isHere) => {
  const row = make("tr");
  const name = make("td");
  name.append(keyOf(memory.nodes.get(node.node)?.colour ?? 8));
  if (addressForm.test(node.address) && !isHere) {
    const link = make("a", "", node.node);
    link.href = "http://" + node.address + "/admin";
    link.rel = "noreferrer";
    name.append(link);
  } else name.append(node.node);
  row.append(name);
  const status = node.status;
  name.title = node.address + (status ? ", version " + status.version + ", process " + status.pid : "");
  if (!status || !rates) {
    const words = make("td", "bad left", node.problem ?? "no answer");
    words.colSpan = columns.length - 1;
    row.append(words);
    return row;
  }
  const [state, level] = !status.ready ? [status.reasons.join(", ") || "not ready", "bad"]
    : status.degraded ? ["degraded: " + status.reasons.join(", "), "warn"]
      : [node.lease === "evacuating" ? "evacuating" : "ready", node.lease === "evacuating" ? "warn" : "good"];
  const lag = quantile(rates.lag, 0.99), full = status.process.descriptors / (status.process.descriptorLimit || 1);
  const cells = [
    [state, level + " left"], [count(status.connections.open)], [count(rates.accepted)], [count(rates.delivered)],
    [halfAndTail(rates.accept)], [halfAndTail(rates.commit)], [count(mean(rates.batch))],
    [count(status.hints.missed), rates.missed > 0 ? "bad" : ""], [count(status.messages.unacknowledged)],
    [count(status.slowReaders.count), status.slowReaders.count > 0 ? "warn" : ""],
    [status.redis.connected + "/" + status.redis.loops, status.redis.connected < status.redis.loops ? "bad" : ""],
    [seconds(quantile(rates.probe, 0.99))], [seconds(lag), lag > 0.1 ? "warn" : ""], [percent(rates.cpu)],
    [bytes(status.process.residentBytes)], [count(status.process.descriptors), full > 0.9 ? "bad" : ""],
    [span(status.uptimeSeconds)],
  ];
  for (const [text, className] of cells) row.append(make("td", className ?? "", text));
  return row;
};

const pairs = (id, rows) => {
  byId(id).replaceChildren(...rows.flatMap(([name, value, level]) => [make("dt", "", name), make("dd", level ?? "", value)]));
};

const showShared = (look, now) => {
  const redis = look.redis;
  pairs("redis", redis ? [
    ["version", redis.version], ["up", span(redis.uptimeSeconds)],
    ["memory", bytes(redis.usedBytes) + (redis.maximumBytes ? " of " + bytes(redis.maximumBytes) : "")],
    ["clients", count(redis.clients)], ["commands", count(redis.commandsPerSecond) + "/s"],
    ["evicted keys", count(redis.evictedKeys), redis.evictedKeys > 0 ? "bad" : ""],
    ["probe p50, p99", seconds(now.probeHalf) + ", " + seconds(now.probeTail)],
  ] : [["Redis", "does not answer", "bad"]]);
  const store = look.store;
  const failures = look.nodes.filter((node) => node.status?.store.failure);
  pairs("store", [
    ["last commit", failures.length ? failures.map((node) => node.node + ": " + node.status.store.failure).join(", ") : "succeeded",
      failures.length ? "bad" : "good"],
    ["file, log", bytes(store.fileBytes) + ", " + bytes(store.walBytes)],
    ["free", bytes(store.freeBytes) + " of " + bytes(store.diskBytes), store.freeBytes < store.diskBytes / 10 ? "warn" : ""],
    ["WAL pages", count(now.wal)], ["operations queued", count(now.queued)],
    ["errors", count(sum(look.nodes.map((node) => node.status?.store.errors ?? null)))],
    ["backlog", store.backlog === undefined ? "not known" : count(store.backlog) + (store.backlogIsBound ? " or more" : "") + " events"],
  ]);
  showCanaries(look);
};

// From each node to each: what arrived, and what did not. A failure of the last looks is red.
const canaryForm = /^baton_canary_(sent|delivered|failed)_total\{.*target="([^"]*)".*\}$/;
const canariesOf = (status) => {
  const targets = new Map();
  for (const [name, value] of Object.entries(status?.canary.samples ?? {})) {
    const found = canaryForm.exec(name);
    if (!found) continue;
    if (!targets.has(found[2])) targets.set(found[2], { sent: 0, delivered: 0, failed: 0 });
    targets.get(found[2])[found[1]] = value;
  }
  return targets;
};

const showCanaries = (look) => {
  const all = look.nodes.map((node) => [node, canariesOf(node.status)]).filter(([, targets]) => targets.size > 0);
  if (all.length === 0) return byId("canaries").replaceChildren(make("span", "muted", "no canary has sung yet"));
  const names = [...new Set(all.flatMap(([, targets]) => [...targets.keys()]))].sort();
  const head = make("tr");
  head.append(make("th", "", "from"), ...names.map((name) => make("th", "", "to " + name)), make("th", "", "p50, p99"));
  const rows = all.map(([node, targets]) => {
    const before = canariesOf(memory.looks[0]?.nodes.find((other) => other.node === node.node)?.status);
    const row = make("tr");
    row.append(make("td", "", node.node));
    for (const name of names) {
      const one = targets.get(name);
      const isFailing = one && before.has(name) && one.failed > before.get(name).failed;
      const words = !one ? "–" : one.failed > 0 ? count(one.delivered) + ", " + count(one.failed) + " failed" : count(one.delivered);
      row.append(make("td", isFailing ? "bad" : one?.failed > 0 ? "warn" : one ? "good" : "", words));
    }
    row.append(make("td", "", halfAndTail(node.status.canary.seconds)));
    return row;
  });
  const table = make("table"), box = make("div", "scroll");
  table.append(head, ...rows);
  box.append(table);
  byId("canaries").replaceChildren(box);
};

const showSlow = (look) => {
  const all = look.nodes.flatMap((node) => (node.status?.slowReaders.slowest ?? []).map((one) => ({ node: node.node, ...one })));
  all.sort((a, b) => b.seconds - a.seconds);
  const head = make("tr");
  ["user", "device", "node", "for", "waiting"].forEach((name, i) => head.append(make("th", i < 3 ? "left" : "", name)));
  const rows = all.slice(0, 12).map((one) => {
    const row = make("tr");
    row.append(make("td", "left", one.user), make("td", "left", one.device), make("td", "left", one.node),
      make("td", "", span(one.seconds)), make("td", "", count(one.waiting)));
    return row;
  });
  if (rows.length === 0) {
    const row = make("tr");
    const cell = make("td", "none", "nobody");
    cell.colSpan = 5;
    row.append(cell);
    rows.push(row);
  }
  byId("slow").replaceChildren(head, ...rows);
};

const showProblems = (look, now) => {
  const list = look.problems.map((one) => [one.severity === "bad" ? "bad" : "warn", one.node, one.text]);
  for (const [name, old] of memory.nodes) {
    if (old.gone && old.died) list.push(["warn", name, "is gone: its lease ended; last seen " + clock(old.seen)]);
  }
  if (now.missedLately > 0) list.push(["warn", null, count(now.missedLately) + " hints were missed in the last minute, and delivered by the backstop"]);
  if (now.acceptTail > 0.25) list.push(["warn", null, "senders wait: accept p99 is " + seconds(now.acceptTail)]);
  byId("problems").replaceChildren(...list.slice(0, 12).map(([level, node, text]) => {
    const item = make("li", level);
    if (node) item.append(make("b", "", node));
    item.append(text);
    return item;
  }));
  const worst = list.some(([level]) => level === "bad") ? "bad" : list.length ? "warn" : "good";
  setState(worst, { good: "healthy", warn: "look", bad: "trouble" }[worst]);
  document.title = (worst === "good" ? "" : worst === "bad" ? "✖ " : "! ") + "Baton";
};

const showLog = () => {
  byId("log").replaceChildren(...memory.log.map((entry) => {
    const item = make("li");
    item.append(make("time", "", clock(entry.at)), make("span", entry.level, entry.text));
    return item;
  }));
  if (memory.log.length === 0) byId("log").append(make("li", "muted", "nothing since this page was opened"));
};

const setState = (level, text) => { byId("state").className = "pill " + level; byId("state").textContent = text; };

// ---- Asking ----------------------------------------------------------------------------------------------------

const store = window.sessionStorage;
let secret = store.getItem("baton.admin"), isPaused = false, timer = null, generation = 0;

const schedule = (delay) => { clearTimeout(timer); timer = setTimeout(() => ask(generation), delay); };

const ask = async (asked) => {
  if (!secret) return;
  const began = performance.now();
  let response, look;
  try {
    response = await fetch("/admin/cluster", {
      headers: { Authorization: "Bearer " + secret }, cache: "no-store", credentials: "omit", redirect: "error",
      referrerPolicy: "no-referrer", signal: AbortSignal.timeout(4000),
    });
    if (response.ok) look = JSON.parse(await response.text(), printable);
  } catch { response = null; }
  if (asked !== generation) return;
  if (response && (response.status === 401 || response.status === 429)) {
    return shut(response.status === 401 ? "That is not the token." : "Too many wrong tokens; try again later.");
  }
  if (look) show(look);
  else unreachable(response ? "answers with status " + response.status : "does not answer");
  schedule(Math.max(100, 1000 - (performance.now() - began)));
};

const show = (look) => {
  byId("cluster").hidden = false;
  byId("door").hidden = true;
  // The same answer twice says nothing new.
  if (memory.times.at(-1) === look.at) return;
  const { now, rates } = remember(look);
  if (isPaused) return;
  byId("origin").textContent = "as " + look.answeredBy + " sees it, " + clock(look.at);
  showProblems(look, now);
  showTiles(look, now);
  showNodes(look, rates);
  showShared(look, now);
  showSlow(look);
  showLog();
  drawAll();
};

const unreachable = (how) => {
  setState("bad", "no answer");
  byId("origin").textContent = "this node " + how + "; trying again";
};

const shut = (why) => {
  generation += 1;
  clearTimeout(timer);
  secret = null;
  store.removeItem("baton.admin");
  byId("cluster").hidden = true;
  byId("door").hidden = false;
  byId("refusal").textContent = why;
  byId("origin").textContent = "";
  setState("", "");
  byId("token").focus();
};

byId("door").addEventListener("submit", (event) => {
  event.preventDefault();
  secret = byId("token").value.trim();
  byId("token").value = "";
  byId("refusal").textContent = "";
  if (!/^[\x21-\x7e]+$/.test(secret)) return shut("That is not the token.");
  store.setItem("baton.admin", secret);
  generation += 1;
  ask(generation);
});
byId("leave").addEventListener("click", () => shut(""));
byId("pause").addEventListener("click", () => {
  isPaused = !isPaused;
  byId("pause").textContent = isPaused ? "Go on" : "Pause";
});
byId("span").addEventListener("change", drawAll);

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const setTheme = () => {
  const chosen = store.getItem("baton.theme") ?? (dark.matches ? "dark" : "light");
  document.documentElement.classList.toggle("dark", chosen === "dark");
  drawAll();
};
byId("theme").addEventListener("click", () => {
  store.setItem("baton.theme", document.documentElement.classList.contains("dark") ? "light" : "dark");
  setTheme();
});
dark.addEventListener("change", setTheme);

build();
setTheme();
if (secret) ask(generation); else shut("");
