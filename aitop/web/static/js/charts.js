// Charts: uPlot for what has a scale, plain SVG for the calendar. Each layer has a colour and a pattern of its own.

import { h, svg } from "./dom.js";

const PATTERNS = 8;
const GAP = 0.82; // of a bar's room that it fills

function look() {
  const style = getComputedStyle(document.documentElement);
  const get = (name) => style.getPropertyValue(name).trim();
  return {
    get,
    text: get("--quiet"),
    grid: get("--line"),
    ground: get("--panel"),
    font: `11px ${get("--sans")}`,
    layer: (number) => get(`--layer-${number % PATTERNS}`),
  };
}

// A colour with lines or dots on it, so that layers are told apart without colour too.
function pattern(context, colour, ground, number) {
  if (number % PATTERNS === 0) return colour;
  const side = 8;
  const tile = document.createElement("canvas");
  tile.width = tile.height = side;
  const draw = tile.getContext("2d");
  draw.fillStyle = colour;
  draw.fillRect(0, 0, side, side);
  draw.strokeStyle = draw.fillStyle = ground;
  draw.globalAlpha = 0.5;
  draw.lineWidth = 1.5;
  const line = (...points) => {
    draw.beginPath();
    for (let at = 0; at < points.length; at += 4) {
      draw.moveTo(points[at], points[at + 1]);
      draw.lineTo(points[at + 2], points[at + 3]);
    }
    draw.stroke();
  };
  const marks = {
    1: () => line(-1, 9, 9, -1, -1, 1, 1, -1, 7, 9, 9, 7),
    2: () => [[2, 2], [6, 6]].forEach(([x, y]) => draw.fillRect(x - 1, y - 1, 2, 2)),
    3: () => line(-1, -1, 9, 9, -1, 7, 1, 9, 7, -1, 9, 1),
    4: () => line(0, 4, 8, 4),
    5: () => line(4, 0, 4, 8, 0, 4, 8, 4),
    6: () => line(4, 0, 4, 8),
    7: () => line(0, 2, 8, 2, 0, 6, 8, 6),
  };
  marks[number % PATTERNS]();
  return context.createPattern(tile, "repeat");
}

export function swatch(number) {
  return h("i", { class: `swatch p${number % PATTERNS}`, "aria-hidden": "true" });
}

// The width inside a box.
function room(box) {
  const style = getComputedStyle(box);
  return Math.floor(box.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight));
}

// A box that holds one chart, draws it again when its width or the theme changes, and lets go of it.
function chart(box, options, data) {
  let drawn = null;
  let current = data;
  const draw = () => {
    drawn?.destroy();
    const width = room(box);
    if (width < 40) return;
    drawn = new globalThis.uPlot({ width, legend: { show: false }, ...options(look()) }, current, box);
  };
  let width = 0;
  const resized = new ResizeObserver(() => {
    const now = room(box);
    if (now === width || now < 40) return;
    width = now;
    if (drawn) drawn.setSize({ width, height: drawn.height });
    else draw();
  });
  resized.observe(box);
  document.addEventListener("aitop-theme", draw);
  return {
    update(fresh) {
      current = fresh;
      if (drawn) drawn.setData(fresh);
    },
    redraw(fresh) {
      current = fresh;
      draw();
    },
    close() {
      resized.disconnect();
      document.removeEventListener("aitop-theme", draw);
      drawn?.destroy();
      drawn = null;
    },
  };
}

function axes(style, { label, value, spread = 64 }) {
  return [
    {
      stroke: style.text, font: style.font, grid: { show: false }, ticks: { stroke: style.grid, size: 4 }, gap: 4, size: 26,
      space: spread,
      values: (_, splits) => splits.map((split) => (Number.isInteger(split) || !label.whole ? label(split) : "")),
    },
    {
      stroke: style.text, font: style.font, grid: { stroke: style.grid, width: 1 }, ticks: { show: false }, gap: 6, size: 58,
      values: (_, splits) => splits.map((split) => value(split)),
    },
  ];
}

// What stands under the cursor, as text.
function tip(lines) {
  let shown = null;
  return {
    hooks: {
      init: (plot) => {
        shown = h("div", { class: "tip", hidden: true, "aria-hidden": "true" });
        plot.over.append(shown);
      },
      setCursor: (plot) => {
        const { idx, left } = plot.cursor;
        const wanted = idx === null || idx === undefined || left < 0 ? null : lines(idx);
        shown.hidden = !wanted;
        if (!wanted) return;
        shown.replaceChildren(
          ...wanted.map(([name, value, number]) =>
            h("p", {}, number === undefined ? null : swatch(number), h("span", {}, name), h("b", {}, value)),
          ),
        );
        const room = plot.over.clientWidth;
        const wide = shown.offsetWidth;
        shown.style.left = `${Math.max(0, left + 14 + wide > room ? left - wide - 14 : left + 14)}px`;
      },
    },
  };
}

// Picking a stretch by dragging, or one place by a click: calls `pick(first, last)`.
function picking(pick, many) {
  let from = null;
  return {
    hooks: {
      ready: (plot) => {
        plot.over.addEventListener("mousedown", (event) => (from = event.offsetX));
        plot.over.addEventListener("mouseup", (event) => {
          if (from === null) return;
          const ends = [from, event.offsetX].map((x) => Math.min(many() - 1, Math.max(0, Math.round(plot.posToVal(x, "x")))));
          from = null;
          plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          pick(Math.min(...ends), Math.max(...ends));
        });
      },
    },
  };
}

// Stacked bars. `labels`: one a place; `layers`: [{label, values}], the first at the bottom.
export function stacked(box, { labels, layers, value, height = 220, pick = null, word = (label) => label }) {
  const state = { labels, layers };
  const sums = () => {
    const rising = [];
    state.layers.forEach((layer, number) =>
      rising.push(layer.values.map((one, at) => one + (number ? rising[number - 1][at] : 0))),
    );
    return [state.labels.map((_, at) => at), ...rising.reverse()];
  };
  const options = (style) => {
    const many = state.layers.length;
    const bars = globalThis.uPlot.paths.bars({ size: [GAP, 48], gap: state.labels.length > 80 ? 1 : 0, align: 0 });
    const label = (at) => word(state.labels[at] ?? "");
    label.whole = true;
    const lines = (at) => [
      [state.labels[at], value(state.layers.reduce((sum, layer) => sum + layer.values[at], 0))],
      ...state.layers.map((layer, number) => [layer.label, layer.values[at], number]).filter((row) => row[1])
        .map(([name, sum, number]) => [name, value(sum), number]),
    ];
    return {
      height,
      padding: [8, 20, 0, 0],
      scales: { x: { time: false, range: () => [-0.5, Math.max(1, state.labels.length) - 0.5] }, y: { range: (_, __, top) => [0, top || 1] } },
      axes: axes(style, { label, value }),
      series: [
        {},
        ...state.layers.map((_, at) => {
          const number = many - 1 - at;
          return { paths: bars, points: { show: false }, width: 0, fill: (plot) => pattern(plot.ctx, style.layer(number), style.ground, number) };
        }),
      ],
      cursor: { y: false, points: { show: false }, drag: { x: Boolean(pick), y: false, setScale: false } },
      plugins: [tip(lines), ...(pick ? [picking(pick, () => state.labels.length)] : [])],
    };
  };
  const made = chart(box, options, sums());
  return {
    ...made,
    update(fresh) {
      const same = fresh.layers.length === state.layers.length && fresh.labels.length === state.labels.length;
      Object.assign(state, fresh);
      if (same) made.update(sums());
      else made.redraw(sums());
    },
  };
}

// Lines over a common x. `lines`: [{label, values}]; `marks`: [{at, label}] are drawn as dashed uprights.
export function lines(box, { xs, lines: given, value, label, height = 180, marks = [], area = false, top = null }) {
  const state = { xs, given, marks };
  const options = (style) => ({
    height,
    padding: [10, 20, 0, 0],
    scales: { x: { time: false }, y: { range: (_, __, most) => [0, Math.max(top ?? 0, (most || 1) * 1.05)] } },
    axes: axes(style, { label, value, spread: 90 }),
    series: [
      {},
      ...state.given.map((_, number) => ({
        stroke: style.layer(number), width: 1.75, dash: number ? [6, 4] : undefined, points: { show: false },
        fill: area && !number ? `color-mix(in srgb, ${style.layer(0)} 16%, transparent)` : undefined,
      })),
    ],
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
    plugins: [
      tip((at) => [[label(state.xs[at]), ""], ...state.given.map((line, number) => [line.label, value(line.values[at]), number])]),
      { hooks: { draw: (plot) => uprights(plot, state.marks, style) } },
    ],
  });
  return chart(box, options, [xs, ...given.map((line) => line.values)]);
}

function uprights(plot, marks, style) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = style.get("--warning");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const { at } of marks) {
    const x = plot.valToPos(at, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.beginPath();
    const size = 4 * devicePixelRatio;
    ctx.moveTo(x - size, bbox.top);
    ctx.lineTo(x + size, bbox.top);
    ctx.lineTo(x, bbox.top + size * 1.6);
    ctx.fill();
  }
  ctx.restore();
}

const CELL = 13;
const STEP = 16;
const DAY_MS = 86400000;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const utc = (text) => Date.parse(`${text}T00:00:00Z`);
const iso = (ms) => new Date(ms).toISOString().slice(0, 10);

// The last 53 weeks, a column each, Monday on top. `days`: [[day, USD, requests]]; a day is a link, a drag picks more.
export function calendar({ days, today, since, until, value, href, pick }) {
  const known = new Map(days.map(([day, usd, requests]) => [day, { usd, requests }]));
  const used = days.map((row) => row[1]).filter((usd) => usd > 0).sort((one, other) => one - other);
  const steps = [0.25, 0.5, 0.75].map((part) => used[Math.floor(used.length * part)] ?? Infinity);
  const shade = (usd) => (usd > 0 ? 1 + steps.filter((step) => usd >= step).length : 0);
  const end = utc(today);
  const weekday = (new Date(end).getUTCDay() + 6) % 7;
  const first = end - (52 * 7 + weekday) * DAY_MS;
  const parts = [];
  for (let week = 0; week < 53; week += 1) {
    const monday = new Date(first + week * 7 * DAY_MS);
    if (monday.getUTCDate() <= 7) parts.push(svg("text", { x: 34 + week * STEP, y: 11, class: "label" }, MONTHS[monday.getUTCMonth()]));
  }
  ["Mon", "Wed", "Fri", "Sun"].forEach((name, at) => parts.push(svg("text", { x: 0, y: 28 + at * 2 * STEP, class: "label" }, name)));
  const total = Math.round((end - first) / DAY_MS) + 1;
  for (let at = 0; at < total; at += 1) {
    const day = iso(first + at * DAY_MS);
    const found = known.get(day);
    const inside = !since || (day >= since && day <= until);
    const says = `${day}: ${found ? `${value(found.usd)}, ${found.requests} requests` : "nothing"}`;
    const rect = svg("rect", { x: 34 + Math.floor(at / 7) * STEP, y: 18 + (at % 7) * STEP, width: CELL, height: CELL, rx: 3,
      class: `heat h${shade(found?.usd ?? 0)}${inside ? "" : " outside"}` });
    if (!href) {
      rect.append(svg("title", {}, says));
      parts.push(rect);
      continue;
    }
    parts.push(
      svg("a", { href: href(day, day), "data-day": day, tabindex: at === total - 1 ? "0" : "-1",
        "aria-label": says }, rect),
    );
  }
  const drawn = svg("svg", { class: "calendar", viewBox: `0 0 ${34 + 53 * STEP} ${18 + 7 * STEP}`, role: href ? "group" : "img",
    "aria-label": `Spent by day, the last 53 weeks.${href ? " Arrow keys move, Enter picks a day." : ""}` }, parts);
  calendarKeys(drawn, pick);
  return { drawn, bounds: used.length ? [used[0], ...steps.filter(Number.isFinite)] : [] };
}

function calendarKeys(drawn, pick) {
  const links = [...drawn.querySelectorAll("a")];
  const moves = { ArrowUp: -1, ArrowDown: 1, ArrowLeft: -7, ArrowRight: 7, Home: -1e4, End: 1e4 };
  drawn.addEventListener("keydown", (event) => {
    const at = links.indexOf(document.activeElement);
    if (at < 0 || moves[event.key] === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const next = links[Math.min(links.length - 1, Math.max(0, at + moves[event.key]))];
    links[at].setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  });
  if (!pick) return;
  let from = null;
  const dayAt = (event) => event.target.closest?.("a")?.dataset.day;
  drawn.addEventListener("dragstart", (event) => event.preventDefault());
  drawn.addEventListener("pointerdown", (event) => (from = dayAt(event) ?? null));
  drawn.addEventListener("pointerover", (event) => {
    const to = dayAt(event);
    if (!from || !to || !event.buttons) return;
    const [low, high] = [from, to].sort();
    for (const link of links) link.firstChild.classList.toggle("outside", link.dataset.day < low || link.dataset.day > high);
  });
  drawn.addEventListener("pointerup", (event) => {
    const to = dayAt(event);
    if (from && to && to !== from) {
      event.preventDefault();
      drawn.addEventListener("click", (click) => { click.preventDefault(); click.stopImmediatePropagation(); }, { once: true, capture: true });
      pick(...[from, to].sort());
    }
    from = null;
  });
}
