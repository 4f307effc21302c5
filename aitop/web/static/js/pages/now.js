// Now: what `aitop top` shows. Sessions first, those that wait marked; then the last hour, the windows, limits, tools.

import { h, fill } from "../dom.js";
import { age, amount, atLeast, clean, count, credits, duration, money, number, percent, rate, share, shortModel, size, spent, took, grouped, clock, marks, exactAmount } from "../format.js";
import { stacked } from "../charts.js";
import { bar, table } from "../table.js";
import { currency, live } from "../live.js";
import { address, budgetRows, firstDay, limitRows, rowsAt, sessionAt } from "../links.js";

const MINUTES = 60;
const ENDED_SHOWN = 5; // the others are behind a button
const WINDOWS = { "1m": 60, "5m": 300, "15m": 900 };
const ORDER = { waiting: 0, working: 1, idle: 2, ended: 3 };
const SIGNS = { waiting: "◆", working: "●", idle: "○", ended: "·" };
const METRICS = [
  ["requests", "Requests", count, "responses"],
  ["requests_per_minute", "Requests a minute", rate, "responses"],
  ["errors", "Errors", count, "errors"],
  ["error_rate", "Error rate", share, "errors"],
  ["input_tokens", "Input", count, "responses"],
  ["output_tokens", "Output", count, "responses"],
  ["tokens_per_minute", "Tokens a minute", count, "responses"],
  ["cache_read_tokens", "Cache read", count, "responses"],
  ["cache_write_tokens", "Cache write", count, "responses"],
  ["cache_hit_rate", "Cache hits", share, "responses"],
  ["spent_usd", "Spent", null, "responses"],
  ["spent_usd_per_hour", "Spent an hour", null, "responses"],
  ["tool_calls", "Tool calls", count, "calls"],
  ["tool_failures", "Failed tools", count, "calls"],
  ["duration_p50_ms", "Latency, median", took, "responses"],
  ["duration_p95_ms", "Latency, slowest 5%", took, "responses"],
  ["ttft_p50_ms", "First token, median", took, "responses"],
  ["output_tokens_per_second_p50", "Tokens a second", rate, "responses"],
];

export const now = { name: "now", title: "Now", open };

function open() {
  const node = h("div", { class: "page now" }, h("h1", { class: "sr" }, "Now"));
  const box = h("div", { class: "plot", "data-own": "" });
  let chart = null;
  let all = false;
  const unfold = () => {
    all = !all;
    draw();
  };
  const draw = () => {
    const state = live.state;
    if (!state) {
      fill(node, h("h1", { class: "sr" }, "Now"), h("p", { class: "empty big" }, live.why === "connecting" ? "Connecting …" : "No numbers yet. The listener starts with `aitop start`."));
      return;
    }
    const how = currency(state);
    const at = state.written_at;
    fill(node,
      h("h1", { class: "sr" }, "Now"),
      tiles(state, how),
      alerts(state),
      h("section", { class: "panel" }, h("h2", {}, "Sessions", h("span", { class: "quiet" }, sessionsWords(state))), sessions(state, how, at, all), fold(state, all, unfold)),
      h("div", { class: "columns" },
        h("div", { class: "wide" }, hour(state, how, box), h("section", { class: "panel" }, h("h2", {}, "Tools today"), tools(state))),
        h("div", { class: "narrow" }, limits(state, at), h("section", { class: "panel" }, h("h2", {}, "Windows"), windows(state, how)), billed(state), projects(state, how))),
      notes(state));
    const values = minutes(state);
    const layers = [{ label: "spent", values }];
    if (chart) chart.update({ layers, labels: labels(at) });
    else chart = stacked(box, { labels: labels(at), layers, value: (usd) => amount(usd, how.symbol, how.rate), height: 132, word: (label) => label });
  };
  draw();
  return { node, update: draw, tick: draw, close: () => chart?.close() };
}

function minutes(state) {
  const known = state.sparklines?.spent_usd ?? state.sparklines?.cost_usd ?? [];
  return Array.from({ length: MINUTES }, (_, at) => number(known[at + known.length - MINUTES]) ?? 0);
}

function labels(at) {
  return Array.from({ length: MINUTES }, (_, minute) => clock(at - (MINUTES - 1 - minute) * 60));
}

function tiles(state, how) {
  const tile = (label, value, href, note, kind = "") =>
    h("div", { class: `tile ${kind}` }, h("span", { class: "label" }, label), h("span", { class: "value" }, href ? h("a", { class: "num", href }, value) : value), note ? h("span", { class: "note" }, note) : null);
  const period = (key, label, since) => {
    const sums = state[key] ?? {};
    const untracked = number(sums.untracked_usd);
    return tile(label, money(spent(sums), how, sums), rowsAt({ since }), [h("a", { class: "num", href: rowsAt({ since }) }, count(sums.requests)), " requests", untracked ? [", ", h("a", { class: "num", href: rowsAt({ since, of: "untracked" }) }, money(untracked, how)), " untracked"] : null]);
  };
  const burn = state.burn ?? {};
  const ends = state.forecast ?? {};
  const band = (one) => (one && number(one.low_usd) !== null ? `${money(one.low_usd, how)} to ${money(one.high_usd, how)}` : one ? "not tested yet" : null);
  return h("div", { class: "tiles" },
    period("today", "Today", "today"),
    period("week", "This week", firstDay(state, "week")),
    period("month", "This month", firstDay(state, "month")),
    tile("An hour, at this rate", money(burn.usd_per_hour, how), rowsAt({ last: WINDOWS[burn.window] ?? 300 }), `of the last ${burn.window ?? "5m"}${burn.level && burn.level !== "ok" ? `, ${burn.level}` : ""}`, burn.level),
    ends.day ? tile("Today will end at", money(ends.day.usd, how), "/limits", band(ends.day)) : null,
    ends.month ? tile("This month will end at", money(ends.month.usd, how), "/limits", band(ends.month)) : null);
}

function alerts(state) {
  const known = (state.alerts ?? []).filter((alert) => alert.text);
  if (!known.length) return null;
  return h("ul", { class: "alerts" }, known.map((alert) => {
    const session = (state.sessions ?? []).find((one) => one.id === alert.session);
    const text = clean(alert.text, 300);
    return h("li", { class: alert.level, "data-key": `alert ${alert.id}` }, h("b", {}, { ok: "Good", warning: "Warning", critical: "Critical" }[alert.level] ?? ""), session ? h("a", { href: sessionAt(session) }, text) : text, h("time", {}, `since ${clock(alert.since)}`));
  }));
}

function sessionsWords(state) {
  const active = number(state.active_sessions) ?? 0;
  const waiting = number(state.waiting_sessions) ?? 0;
  return `${active} active${waiting ? `, ${waiting} waiting for you` : ""}`;
}

function fold(state, all, unfold) {
  const ended = (state.sessions ?? []).filter((row) => row.status === "ended").length - ENDED_SHOWN;
  if (ended <= 0) return null;
  return h("button", { class: "fold", type: "button", onclick: unfold, "aria-expanded": String(all) }, all ? "Fewer" : `${ended} more that have ended`);
}

function sessions(state, how, at, all) {
  const known = [...(state.sessions ?? [])].sort((one, other) => (ORDER[one.status] ?? 4) - (ORDER[other.status] ?? 4) || other.last_activity_at - one.last_activity_at);
  const living = known.filter((row) => row.status !== "ended").length;
  const rows = all ? known : known.slice(0, living + ENDED_SHOWN);
  const sums = (row) => ({ ...row, understated_requests: row.understated ? 1 : 0 });
  const part = (row) => ({ provider: row.provider, session: row.id });
  const num = (key, head, write = count, of = null) => ({
    key, head, numeric: true, value: (row) => row[key],
    cell: (row) => h("a", { class: "num", href: rowsAt({ ...part(row), of }) }, write(row[key])),
  });
  const columns = [
    {
      key: "project", head: "Session", class: "name", value: (row) => clean(row.project),
      cell: (row) => [
        h("a", { href: sessionAt(row), title: clean(row.cwd ?? row.id, 300) }, clean(row.project, 40) || clean(row.id, 8)),
        row.branch ? h("span", { class: "branch" }, clean(row.branch, 30)) : null,
        row.tag ? h("span", { class: "tag" }, clean(row.tag, 20)) : null,
      ],
    },
    {
      key: "status", head: "Status", value: (row) => ORDER[row.status],
      cell: (row) => h("span", { class: `status ${row.status in ORDER ? row.status : ""}` }, h("i", { "aria-hidden": "true" }, SIGNS[row.status] ?? "?"), clean(row.status, 10)),
    },
    { key: "spent", head: "Spent", numeric: true, value: spent, cell: (row) => h("a", { class: "num strong", href: rowsAt(part(row)) }, marks(sums(row), how) + exactAmount(spent(row), how.symbol, how.rate)) },
    num("requests", "Requests"),
    num("input_tokens", "Input"),
    num("output_tokens", "Output"),
    {
      key: "context", head: "Context", value: (row) => row.context_percent ?? -1, class: "contextcell",
      cell: (row) => number(row.context_percent) === null ? "-" : [bar(row.context_percent / 100, row.context_percent >= 90 ? "critical" : row.context_percent >= 75 ? "warning" : ""), h("span", { class: "part", title: `${size(row.context_tokens)} of ${size(row.context_limit)}` }, h("a", { class: "num", href: sessionAt(row) }, percent(row.context_percent)))],
    },
    num("tool_calls", "Tools", count, "calls"),
    num("errors", "Errors", count, "errors"),
    { key: "subagents", head: "Agents", numeric: true, value: (row) => row.subagents, cell: (row) => row.subagents ? h("a", { class: "num", href: sessionAt(row) }, grouped(row.subagents)) : "" },
    { key: "last", head: "Last", numeric: true, value: (row) => row.last_activity_at, cell: (row) => age(at - row.last_activity_at) },
    { key: "model", head: "Model", value: (row) => row.model, cell: (row) => h("span", { class: "model", title: clean(row.model) }, shortModel(row.model)) },
  ];
  return table({ columns, rows, caption: "Sessions", empty: "No session is known. They appear with their first request.", rowKey: (row) => `${row.provider} ${row.id}`, rowClass: (row) => `is-${row.status in ORDER ? row.status : "unknown"}` });
}

function hour(state, how, box) {
  const values = minutes(state);
  const sum = values.reduce((one, other) => one + other, 0);
  return h("figure", { class: "panel", "data-key": "hour" },
    h("figcaption", {}, h("span", {}, "Cost a minute, the last hour"), h("a", { class: "num", href: rowsAt({ last: 3600 }) }, money(sum, how))),
    h("div", { role: "img", "aria-label": `Cost of each of the last 60 minutes; ${money(sum, how)} together, at most ${money(Math.max(...values), how)} in one.` }, box));
}

function windows(state, how) {
  const known = state.windows ?? {};
  const names = Object.keys(WINDOWS).filter((name) => known[name]);
  const rows = METRICS.filter(([key, , write]) => write !== took && !key.startsWith("output_tokens_per") || names.some((name) => number(known[name][key]) !== null));
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Windows" }, h("table", { class: "metrics" },
    h("caption", { class: "sr" }, "Sums of the last 1, 5 and 15 minutes"),
    h("thead", {}, h("tr", {}, h("td", {}), names.map((name) => h("th", { class: "n", scope: "col" }, name)))),
    h("tbody", {}, rows.map(([key, label, write, of]) => h("tr", {}, h("th", { scope: "row" }, label), names.map((name) => {
      const sums = known[name];
      const text = write ? write(sums[key]) : key === "spent_usd" ? marks(sums, how) + exactAmount(spent(sums), how.symbol, how.rate) : money(sums[key], how, sums);
      return h("td", { class: "n" }, h("a", { class: "num", href: rowsAt({ last: WINDOWS[name], of: of === "responses" ? null : of }) }, text));
    }))))));
}

function limits(state, at) {
  const known = state.limits ?? [];
  const budgets = state.budgets ?? [];
  const how = currency(state);
  if (!known.length && !budgets.length) return null;
  return h("section", { class: "panel", "data-key": "limits" }, h("h2", {}, "Limits and budgets"),
    h("ul", { class: "gauges" },
      known.map((limit) => gauge(`${clean(limit.provider, 20)} ${clean(limit.name, 30).replaceAll("_", " ")}`, limit.used_percent, `${limit.estimated ? "~" : ""}${percent(limit.used_percent)}`, `resets in ${duration(limit.resets_at - at)}`, limit.elapsed_percent, null, limitRows(limit))),
      budgets.map((budget) => gauge(clean(budget.name, 40), budget.percent, atLeast(budget) + percent(budget.percent), `${money(budget.used_usd, how, budget)} of ${money(budget.limit_usd, how)} a ${budget.period}`, null, budget.level, budgetRows(state, budget)))));
}

export function gauge(name, used, text, note, elapsed = null, level = null, href = null) {
  const kind = level && level !== "ok" ? level : used >= 90 ? "critical" : used >= 75 ? "warning" : "";
  return h("li", {}, h("div", { class: "line" }, h("span", {}, name), h("b", { class: kind }, href ? h("a", { class: "num", href }, text) : text)),
    h("span", { class: `gauge ${kind}`, "aria-hidden": "true" }, h("span", { style: { width: `${Math.min(100, Math.max(0, used || 0))}%` } }), number(elapsed) === null ? null : h("em", { style: { left: `${Math.min(100, Math.max(0, elapsed))}%` } })),
    h("span", { class: "note" }, note, number(elapsed) === null ? "" : `, ${percent(elapsed)} of the time has passed`));
}

function tools(state) {
  const rows = Object.entries(state.tools ?? {}).map(([name, row]) => ({ name, ...row })).sort((one, other) => other.calls - one.calls);
  const most = Math.max(1, ...rows.map((row) => row.calls));
  const at = (row) => rowsAt({ since: "today", of: "calls", tool: row.name });
  return table({
    caption: "Tools today", rows, empty: "No tool was called today.", rowKey: (row) => row.name,
    columns: [
      { key: "name", head: "Tool", class: "name", value: (row) => row.name, cell: (row) => h("a", { href: at(row) }, clean(row.name, 50)) },
      { key: "calls", head: "Calls", numeric: true, value: (row) => row.calls, cell: (row) => h("a", { class: "num", href: at(row) }, count(row.calls)) },
      { key: "bar", name: "share", class: "sharecell", cell: (row) => bar(row.calls / most) },
      { key: "failures", head: "Failed", numeric: true, value: (row) => row.failures, cell: (row) => h("a", { class: `num ${row.failures ? "warning" : ""}`, href: at(row) }, count(row.failures)) },
      { key: "p50", head: "Median", numeric: true, value: (row) => row.p50_ms, cell: (row) => h("a", { class: "num", href: at(row) }, took(row.p50_ms)) },
      { key: "p95", head: "Slowest 5%", numeric: true, value: (row) => row.p95_ms, cell: (row) => h("a", { class: "num", href: at(row) }, took(row.p95_ms)) },
    ],
  });
}

// Clients that are billed in credits and used some; those of two clients are not the same, so no row adds them up.
function billed(state) {
  const rows = Object.entries(state.by_provider ?? {}).flatMap(([name, one]) => (one.credits ? [{ name, ...one.credits }] : []))
    .filter((row) => ["today", "week", "month"].some((period) => number(row[period])));
  if (!rows.length) return null;
  const column = (period, head) => ({
    key: period, head, numeric: true, value: (row) => row[period],
    cell: (row) => h("a", { class: "num", href: rowsAt({ since: period === "today" ? period : firstDay(state, period), provider: row.name }), title: clean(row.unit, 40) }, credits(row[period])),
  });
  return h("section", { class: "panel", "data-key": "credits" }, h("h2", {}, "Credits", h("span", { class: "quiet" }, "as each client is billed")), table({
    caption: "Credits", rows, rowKey: (row) => row.name, columns: [
      { key: "name", head: "Client", class: "name", value: (row) => row.name, cell: (row) => [clean(row.name, 30), h("span", { class: "branch" }, clean(row.unit, 30))] },
      column("today", "Today"), column("week", "Week"), column("month", "Month"),
    ],
  }));
}

function projects(state, how) {
  const rows = state.projects_today ?? [];
  if (!rows.length) return null;
  const most = Math.max(...rows.map(spent), 1e-12);
  return h("section", { class: "panel", "data-key": "projects" }, h("h2", {}, "Projects today"), h("ul", { class: "short" }, rows.slice(0, 8).map((row) =>
    h("li", {}, h("a", { href: address("history", { since: "today", by: "branch", named: row.project }) }, clean(row.project, 40)), bar(spent(row) / most), h("b", { class: "n" }, h("a", { class: "num", href: rowsAt({ since: "today", named: row.project }) }, money(spent(row), how, row)))))));
}

function notes(state) {
  const prices = state.prices ?? {};
  const found = [];
  const scan = state.scan ?? {};
  if (scan.complete === false) found.push(`The clients' files are being read: ${share(scan.total_bytes ? scan.done_bytes / scan.total_bytes : 0)}. Older sums still grow.`);
  if (prices.unpriced_models?.length) found.push(`No price is known for ${prices.unpriced_models.map((name) => clean(name, 40)).join(", ")}.`);
  if (prices.estimated_models?.length) found.push(`Priced by their family (~): ${prices.estimated_models.map((name) => clean(name, 40)).join(", ")}.`);
  if (prices.stale) found.push(`Prices are of ${clean(prices.as_of, 10)}. \`aitop prices update\` refreshes them.`);
  for (const [name, one] of Object.entries(state.coverage?.clients ?? {})) if (one.reason) found.push(`${clean(name, 30)}: ${clean(one.reason, 200)}`);
  return found.length ? h("ul", { class: "notes" }, found.map((line) => h("li", {}, line))) : null;
}
