// Timeline: a day of sessions as bars. Agents below them, tool calls as ticks, compactions, commits and alerts as marks.

import { h, svg } from "../dom.js";
import { clean, clock, grouped, moment, money, plural } from "../format.js";
import { ask, live } from "../live.js";
import { address, sessionAt } from "../links.js";
import { table } from "../table.js";

const LEFT = 250;
const LEFT_NARROW = 116; // on a phone: the name above the cost
const NARROW = 640;
const TOP = 46;
const ROW = 40;
const STEPS = [60, 300, 900, 1800, 3600, 7200, 10800, 21600, 43200]; // seconds between two lines of the grid
const LINES = 14;
const LINE_WIDE = 56; // a time has room between two lines
const SHORTEST = 600; // seconds of the closest view

export const timeline = { name: "timeline", title: "Timeline", open };

function open({ query, go }) {
  const node = h("div", { class: "page timeline", "aria-busy": "true" }, h("h1", { class: "sr" }, "Timeline"));
  const stop = new AbortController();
  const place = h("div", { class: "stackplace" });
  node.append(place);
  let data = null;
  let commits = [];
  let width = 0;
  const box = h("div", { class: "lanes", "data-own": "" });
  const unread = h("ul", { class: "notes", "aria-label": "Folders without commits" }); // git could not say theirs
  const view = () => {
    const from = Number(query.from) || data.span[0];
    const to = Number(query.to) || data.span[1];
    return to - from >= 1 ? [Math.max(from, data.span[0]), Math.min(to, data.span[1])] : data.span;
  };
  const zoom = (from, to) => {
    const whole = data.span[1] - data.span[0];
    const wide = Math.min(whole, Math.max(SHORTEST, to - from));
    const start = Math.min(Math.max(data.span[0], (from + to - wide) / 2), data.span[1] - wide);
    query = { ...query, from: wide < whole ? Math.round(start) : null, to: wide < whole ? Math.round(start + wide) : null };
    history.replaceState(null, "", address("timeline", query));
    draw();
  };
  const draw = () => {
    if (!data || box.clientWidth < 240) return;
    width = box.clientWidth;
    box.replaceChildren(lanes(data, commits, view(), width, zoom));
  };
  const resized = new ResizeObserver(() => box.clientWidth !== width && draw());
  resized.observe(box);
  const load = () => ask("timeline", { day: query.day ?? "today" }, stop.signal).then((found) => {
    data = found;
    place.replaceChildren(controls(data, () => view(), zoom, go), h("figure", { class: "panel" }, h("figcaption", {}, h("span", {}, `${plural(data.count, "session")} on ${data.day}`, data.count > data.sessions.length ? h("span", { class: "quiet" }, `, the dearest ${data.sessions.length} are shown`) : null), key()),
      data.sessions.length ? box : h("p", { class: "empty" }, "No session was active on this day."), unread),
      h("section", { class: "panel" }, h("h2", {}, "Alerts", h("span", { class: "quiet" }, plural(data.alerts.length, "alert"))), alertTable(data)));
    node.removeAttribute("aria-busy");
    draw();
  });
  load().then(() => ask("commits", { day: query.day ?? "today" }, stop.signal)).then((found) => {
    commits = found.commits;
    unread.replaceChildren(...found.git_errors.map((error) => h("li", { class: "warning" }, `Commits are missing: ${clean(error, 300)}`)));
    draw();
  }).catch((error) => {
    if (error.name !== "AbortError") place.append(h("p", { class: "empty", role: "alert" }, error.message));
  });
  let seen = live.received;
  return {
    node,
    tick: () => {
      if (!data || data.day !== data.today || live.received === seen || live.received % 10) return;
      seen = live.received;
      load().catch(() => null);
    },
    close: () => { stop.abort(); resized.disconnect(); },
  };
}

function key() {
  const one = (kind, word) => h("span", {}, h("i", { class: `mark ${kind}`, "aria-hidden": "true" }), word);
  return h("span", { class: "legend lanekey" }, one("run", "session"), one("agent", "agent"), one("tool", "tool calls"), h("span", { class: "warning" }, "▼ compaction"), h("span", { class: "commitmark" }, "◆ commit"), h("span", { class: "critical" }, "! alert"));
}

function controls(data, view, zoom, go) {
  const at = (day) => address("timeline", { day });
  const near = (days) => new Date(Date.parse(`${data.day}T00:00:00Z`) + days * 86400000).toISOString().slice(0, 10);
  const pick = h("input", { type: "date", value: data.day, max: data.today, "aria-label": "Day", onchange: (event) => event.target.value && go(at(event.target.value)) });
  const by = (factor) => () => {
    const [from, to] = view();
    const half = ((to - from) * factor) / 2;
    zoom((from + to) / 2 - half, (from + to) / 2 + half);
  };
  const move = (part) => () => {
    const [from, to] = view();
    zoom(from + (to - from) * part, to + (to - from) * part);
  };
  const button = (label, text, onclick) => h("button", { type: "button", "aria-label": label, title: label, onclick }, text);
  return h("div", { class: "bar-of-choices" },
    h("div", { class: "choices", role: "group", "aria-label": "Day" }, h("a", { href: at(near(-1)) }, "← Day before"), h("a", { href: at("today"), "aria-current": data.day === data.today ? "true" : null }, "Today"), data.day < data.today ? h("a", { href: at(near(1)) }, "Day after →") : null),
    h("div", { class: "dates" }, pick),
    h("div", { class: "dates", role: "group", "aria-label": "Zoom" }, button("Earlier", "◀", move(-0.5)), button("Zoom out", "−", by(2)), button("Zoom in", "+", by(0.5)), button("Later", "▶", move(0.5)), button("The whole day", "Whole day", () => zoom(...data.span)), h("span", { class: "quiet" }, "or drag across the hours")));
}

function lanes(data, commits, [from, to], width, zoom) {
  const left = width < NARROW ? LEFT_NARROW : LEFT;
  const wide = width - left - 16;
  const x = (at) => left + ((at - from) / (to - from)) * wide;
  const back = (pixel) => from + ((pixel - left) / wide) * (to - from);
  const rows = data.sessions.filter((one) => one.last >= from && one.first <= to);
  const height = TOP + rows.length * ROW + 10;
  const how = data.money;
  const inside = (at) => at >= from && at <= to;
  const parts = [svg("clipPath", { id: "hours" }, svg("rect", { x: left, y: 0, width: wide + 1, height }))];
  const step = STEPS.find((one) => (to - from) / one <= Math.min(LINES, wide / LINE_WIDE)) ?? STEPS[STEPS.length - 1];
  const offset = data.span[0] % step;
  for (let at = Math.ceil((from - offset) / step) * step + offset; at <= to; at += step) {
    parts.push(svg("line", { x1: x(at), x2: x(at), y1: 22, y2: height, class: "gridline" }), svg("text", { x: x(at), y: 15, class: "label", "text-anchor": at + step * 0.4 > to ? "end" : "middle" }, clock(at)));
  }
  const marks = commits.filter((one) => inside(one.at)).map((one) =>
    svg("text", { x: x(one.at), y: 37, class: "commitmark", "text-anchor": "middle" }, svg("title", {}, `${clock(one.at)} ${clean(one.project)}: ${clean(one.subject)}`), "◆"));
  const raised = data.alerts.filter((alert) => inside(alert.at));
  const placed = new Set(rows.map((one) => one.session));
  marks.push(...raised.filter((alert) => !placed.has(alert.session)).map((alert) => alertMark(alert, x(alert.at), 37)));
  parts.push(...marks);
  rows.forEach((one, number) => parts.push(lane(one, TOP + number * ROW, left, x, inside, how, raised.filter((alert) => alert.session === one.session))));
  if (inside(data.now)) parts.push(svg("line", { x1: x(data.now), x2: x(data.now), y1: 22, y2: height, class: "nowline" }));
  const drawn = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": `Sessions from ${clock(from)} to ${clock(to)}; each is a link` }, parts);
  dragging(drawn, left, back, from, to, zoom, height);
  return drawn;
}

function lane(one, y, left, x, inside, how, alerts) {
  const agents = Object.entries(one.runs).filter(([name]) => name);
  const span = ([start, end]) => [x(start), Math.max(2.5, x(end) - x(start))];
  const rect = (run, top, tall, kind) => {
    const [left, wide] = span(run);
    return svg("rect", { x: left, y: top, width: wide, height: tall, rx: Math.min(3, tall / 2), class: kind }, svg("title", {}, `${clock(run[0], true)} to ${clock(run[1], true)}: ${plural(run[3], "response")}, ${money(run[2], how, null, true)}`));
  };
  const bars = (one.runs[""] ?? []).map((run) => rect(run, y + 6, 13, "run"));
  const below = agents.flatMap(([, runs]) => runs.map((run) => rect(run, y + 21, 4, "agent")));
  const ticks = one.tools.filter(([at]) => inside(at)).map(([at, calls, failures]) =>
    svg("rect", { x: x(at), y: y + 28, width: Math.max(1.5, x(at + 60) - x(at) - 0.5), height: 4, class: failures ? "tool failed" : "tool", opacity: Math.min(1, 0.35 + calls / 12) }, svg("title", {}, `${clock(at)}: ${plural(calls, "tool call")}${failures ? `, ${failures} failed` : ""}`)));
  const compactions = one.compactions.filter(inside).map((at) => svg("text", { x: x(at), y: y + 6, class: "compaction", "text-anchor": "middle" }, svg("title", {}, `${clock(at)}: compaction`), "▼"));
  const warned = alerts.map((alert) => alertMark(alert, x(alert.at), y + 5));
  const said = `${clean(one.project, 60)}, ${clean(one.branch ?? "no branch", 40)}: ${plural(one.requests, "response")}, ${money(one.cost_usd, how)}, ${clock(one.first)} to ${clock(one.last)}${agents.length ? `, ${plural(agents.length, "agent")}` : ""}${one.compactions.length ? `, ${plural(one.compactions.length, "compaction")}` : ""}`;
  return svg("a", { href: sessionAt(one), "data-row": String(y), "aria-label": said, class: "lane" },
    svg("rect", { x: 0, y, width: "100%", height: ROW, class: "under" }),
    left === LEFT ? words(one, y, how) : [svg("text", { x: 12, y: y + 17, class: "who" }, clean(one.project, 13)), svg("text", { x: 12, y: y + 31, class: "cost" }, money(one.cost_usd, how))],
    svg("g", { "clip-path": "url(#hours)" }, bars, below, ticks, compactions, warned));
}

function words(one, y, how) {
  return [
    svg("text", { x: 16, y: y + 17, class: "who" }, clean(one.project, 26)), svg("text", { x: 16, y: y + 31, class: "label" }, clean(one.branch ?? "", 20)),
    svg("text", { x: LEFT - 16, y: y + 17, class: "cost", "text-anchor": "end" }, money(one.cost_usd, how)), svg("text", { x: LEFT - 16, y: y + 31, class: "label", "text-anchor": "end" }, plural(one.requests, "request")),
  ];
}

function alertMark(alert, x, y) {
  return svg("text", { x, y, class: `alertmark ${alert.level}`, "text-anchor": "middle" }, svg("title", {}, `${clock(alert.at)}: ${clean(alert.text, 200)}`), alert.level === "ok" ? "✓" : "!");
}

// Every alert of the day, also those of a session that is not drawn. Beginnings of other days have their date.
function alertTable(data) {
  const when = (at) => (at === null ? "still on" : at >= data.span[0] && at < data.span[1] ? clock(at) : moment(at).slice(0, 16));
  const known = new Map(data.sessions.map((one) => [one.session, one]));
  return table({ caption: "Alerts", rows: data.alerts, empty: "No alert stood on this day.", columns: [
    { key: "at", head: "From", class: "when", value: (row) => row.at, cell: (row) => when(row.at) },
    { key: "ended", head: "Until", class: "when", value: (row) => row.ended ?? Infinity, cell: (row) => when(row.ended) },
    { key: "level", head: "Level", value: (row) => row.level, cell: (row) => h("b", { class: row.level }, { ok: "Good", warning: "Warning", critical: "Critical" }[row.level] ?? clean(row.level, 20)) },
    { key: "text", head: "Alert", class: "sentence", value: (row) => row.text, cell: (row) => clean(row.text, 300) },
    { key: "session", head: "Session", value: (row) => row.session, cell: (row) => (row.session && row.provider ? h("a", { href: sessionAt(row) }, clean(known.get(row.session)?.project ?? row.session, 40)) : "") },
  ] });
}

// A drag over the hours looks closer at them; a wheel with Ctrl does too.
function dragging(drawn, left, back, from, to, zoom, height) {
  let start = null;
  let shade = null;
  drawn.addEventListener("pointerdown", (event) => {
    if (event.offsetX > left && !event.button) start = event.offsetX;
  });
  drawn.addEventListener("dragstart", (event) => event.preventDefault());
  drawn.addEventListener("pointermove", (event) => {
    if (start === null || Math.abs(event.offsetX - start) < 5) return;
    shade ??= drawn.appendChild(svg("rect", { y: 22, height: height - 22, class: "shade" }));
    shade.setAttribute("x", Math.min(start, event.offsetX));
    shade.setAttribute("width", Math.abs(event.offsetX - start));
  });
  drawn.addEventListener("click", (event) => {
    if (!shade) return;
    event.preventDefault();
    event.stopPropagation();
    const ends = [start, Math.max(left, event.offsetX)].map(back).sort((one, other) => one - other);
    shade.remove();
    start = shade = null;
    zoom(...ends);
  }, true);
  drawn.addEventListener("pointerleave", () => { shade?.remove(); start = shade = null; });
  drawn.addEventListener("pointerup", () => { if (!shade) start = null; });
  drawn.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    const at = back(event.offsetX);
    const factor = event.deltaY > 0 ? 1.3 : 1 / 1.3;
    zoom(at - (at - from) * factor, at + (to - at) * factor);
  }, { passive: false });
}

