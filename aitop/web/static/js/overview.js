// A stretch of the history: totals, stacked periods, groups, sessions. Shared by the page History and the report file.

import { h } from "./dom.js";
import { clean, count, credits, grouped, money, share, shortModel, spent, moment, number, plural } from "./format.js";
import { calendar, stacked, swatch } from "./charts.js";
import { bar, table } from "./table.js";

export const WORDS = { model: "Model", project: "Project", provider: "Client", branch: "Branch", day: "Day", week: "Week", month: "Month", named: "Project", budget: "Budget" };

export function nameOf(row, by) {
  if (by === "branch") return `${clean(row.project)}: ${clean(row.branch ?? "(none)")}`;
  return clean(row[by] || `(no ${WORDS[by].toLowerCase()})`);
}

// The exact part of the history behind one group, as the address says it.
export function partOf(row, by) {
  if (by === "model") return { model: row.model, provider: row.provider };
  if (by === "project") return { project: row.cwd ?? "" };
  if (by === "branch") return { project: row.cwd ?? "", branch: row.branch ?? "" };
  return { provider: row.provider };
}

function linked(link, part, text, of) {
  return link ? h("a", { class: "num", href: link({ ...part, ...(of ? { of } : {}) }) }, text) : text;
}

export function figureColumns(how, whole, link, part) {
  const tokens = (key, head, title) => ({
    key, head, title, numeric: true, value: (row) => row[key],
    cell: (row) => linked(link, part(row), count(row[key])),
  });
  const all = spent(whole) || 0;
  return [
    tokens("requests", "Requests"),
    tokens("input_tokens", "Input", "all input, cached included"),
    tokens("cache_write_tokens", "Cache write"),
    tokens("cache_read_tokens", "Cache read"),
    tokens("output_tokens", "Output"),
    {
      key: "spent_usd", head: "Spent", numeric: true, value: spent,
      cell: (row) => linked(link, part(row), money(spent(row), how, row), number(row.untracked_usd) && !row.requests ? "untracked" : null),
    },
    { key: "share", name: "share of all", class: "sharecell", cell: (row) => all ? [bar(spent(row) / all), h("span", { class: "part" }, share(spent(row) / all))] : "", total: () => "" },
  ];
}

// Beside the dollars where a row has some. They belong to one client each, so no total adds them.
function creditsColumn(rows, link, part) {
  if (!rows.some((row) => number(row.credits) !== null)) return [];
  return [{
    key: "credits", head: "Credits", title: "of the row's own client, as its maker bills; never added to dollars or to another client's", numeric: true,
    value: (row) => row.credits, cell: (row) => number(row.credits) === null ? "" : linked(link, part(row), credits(row.credits)), total: () => "",
  }];
}

// The columns of a table with credits before the share of all.
function withCredits(columns, rows, link, part) {
  return [...columns.slice(0, -1), ...creditsColumn(rows, link, part), columns[columns.length - 1]];
}

export function groupTable(data, how, { link, narrow }) {
  const part = (row) => (row === data.group_total ? {} : partOf(row, data.by));
  const columns = [
    {
      key: "name", head: WORDS[data.by], value: (row) => nameOf(row, data.by), class: "name",
      cell: (row) => {
        const at = data.stack.names.findIndex((layer) => sameGroup(layer, row, data.by));
        const text = nameOf(row, data.by);
        return [at >= 0 ? swatch(at) : h("i", { class: "swatch none", "aria-hidden": "true" }), narrow ? h("a", { href: narrow(partOf(row, data.by)), title: row.cwd ? clean(row.cwd, 300) : null }, text) : text];
      },
    },
    ...withCredits(figureColumns(how, data.group_total, link, part), data.groups, link, part),
  ];
  const more = data.group_count - data.groups.length;
  return [
    table({ columns, rows: data.groups, total: data.group_total, caption: `By ${WORDS[data.by].toLowerCase()}`, empty: "Nothing was spent in these days." }),
    more > 0 ? h("p", { class: "quiet" }, `${plural(more, "more row")}; the total is of all of them.`) : null,
  ];
}

function sameGroup(layer, row, by) {
  if (by === "model") return layer.model === row.model;
  if (by === "provider") return layer.provider === row.provider;
  return (layer.cwd ?? null) === (row.cwd ?? null) && (by !== "branch" || (layer.branch ?? null) === (row.branch ?? null));
}

export function periodTable(data, how, { link }) {
  const rows = data.periods.filter((row) => row.requests !== undefined).reverse();
  const part = (row) => (row === data.total ? {} : { since: row.since, until: row.until });
  const columns = [
    { key: "label", head: WORDS[data.unit], value: (row) => row.label, cell: (row) => row.label, class: "name" },
    ...figureColumns(how, data.total, link, part),
  ];
  return table({ columns, rows, total: data.total, caption: `By ${data.unit}`, empty: "Nothing was spent in these days." });
}

export function sessionTable(data, how, { href, link }) {
  const part = (row) => ({ provider: row.provider, session: row.session });
  const columns = [
    {
      key: "project", head: "Session", class: "name", value: (row) => clean(projectOf(row)),
      cell: (row) => [href ? h("a", { href: href(row) }, clean(projectOf(row))) : clean(projectOf(row)), row.branch ? h("span", { class: "branch" }, clean(row.branch, 40)) : null],
    },
    { key: "model", head: "Model", value: (row) => row.model, cell: (row) => h("span", { class: "model" }, shortModel(row.model)) },
    { key: "last", head: "Last activity", value: (row) => row.last_activity_at, cell: (row) => moment(row.last_activity_at).slice(0, 16), class: "when" },
    ...withCredits(figureColumns(how, { spent_usd: Math.max(0, ...data.rows.map(spent)) }, link, part), data.rows, link, part),
  ];
  columns[columns.length - 1].cell = (row) => bar(spent(row) / Math.max(1e-12, ...data.rows.map(spent)));
  const more = data.count - data.rows.length;
  return [
    table({ columns, rows: data.rows, caption: "Dearest sessions", empty: "No session was active in these days." }),
    more > 0 ? h("p", { class: "quiet" }, `The dearest ${data.rows.length} of ${grouped(data.count)} sessions.`) : null,
  ];
}

function projectOf(row) {
  return (row.cwd || "").replace(/[/\\]+$/, "").split(/[/\\]/).pop() || String(row.session).slice(0, 8);
}

export function totals(data, how, { link }) {
  const sum = data.total;
  const tile = (label, value, of = null, note = null) =>
    h("div", { class: "tile" }, h("span", { class: "label" }, label), h("span", { class: "value" }, linked(link, {}, value, of)), note && h("span", { class: "note" }, note));
  const hits = sum.input_tokens ? sum.cache_read_tokens / sum.input_tokens : null;
  const used = data.periods.filter((row) => row.requests !== undefined).length;
  return h("div", { class: "tiles" },
    tile("Spent", money(spent(sum), how, sum), null, used ? [linked(link, {}, money(spent(sum) / used, how)), ` a ${data.unit} in use`] : null),
    tile("Requests", grouped(sum.requests), null, linked(link, {}, plural(sum.errors, "error"), "errors")),
    tile("Input", count(sum.input_tokens), null, [linked(link, {}, share(hits)), " from the cache"]),
    tile("Output", count(sum.output_tokens)),
    sum.tool_calls === null ? null : tile("Tool calls", grouped(sum.tool_calls), "calls", [linked(link, {}, grouped(sum.tool_failures), "calls"), " failed"]),
    number(sum.untracked_usd) ? tile("Untracked", money(sum.untracked_usd, how), "untracked", "reported beyond the records") : null,
  );
}

export function stackFigure(data, how, { pick, link = null }) {
  const box = h("div", { class: "plot", "data-own": "" });
  const layers = data.stack.names.map((name, at) => ({ label: clean(name.label, 60), values: data.stack.values[at] }));
  const labels = data.periods.map((row) => row.label);
  const sums = data.periods.map((row) => [spent(row) ?? 0, row.label]);
  const dearest = sums.reduce((best, one) => (one[0] > best[0] ? one : best), [0, ""]);
  const summary = `Spent by ${data.unit}, stacked by ${WORDS[data.by].toLowerCase()}. The dearest is ${dearest[1] || "none"} with ${money(dearest[0], how)}. The numbers are in the tables below.`;
  const made = layers.length
    ? stacked(box, { labels, layers, value: (usd) => money(usd, how), pick, word: (label) => (data.unit === "month" ? label : label.slice(5)) })
    : { close() {} };
  const figure = h("figure", { class: "panel" },
    h("figcaption", {}, h("span", {}, `Spent by ${data.unit}`), h("span", { class: "quiet" }, pick ? "drag across the bars to pick days" : "")),
    layers.length ? h("div", { role: "img", "aria-label": summary }, box) : h("p", { class: "empty" }, "Nothing was spent in these days."),
    h("ul", { class: "legend" }, layers.map((layer, at) => h("li", {}, swatch(at), layer.label, h("b", {}, layerLink(link, data, at, money(layer.values.reduce((a, b) => a + b, 0), how)))))));
  return { figure, close: made.close };
}

// "Everything else" is many groups: their rows are those of the tables below.
function layerLink(link, data, at, text) {
  const row = data.groups.find((one) => sameGroup(data.stack.names[at], one, data.by));
  return row ? linked(link, partOf(row, data.by), text) : text;
}

export function heatFigure(heat, how, { since, until, href, pick }) {
  const value = (usd) => money(usd, how);
  const { drawn, bounds } = calendar({ ...heat, since, until, value, href, pick });
  return h("figure", { class: "panel" },
    h("figcaption", {}, h("span", {}, "The year"),
      h("span", { class: "legend heatkey" }, bounds.map((bound, at) => h("span", {}, h("i", { class: `heat h${at + 1}`, "aria-hidden": "true" }), `from ${value(bound)}`)))),
    h("div", { class: "calendarbox" }, drawn));
}

export function notes(data) {
  return data.notes.length ? h("ul", { class: "notes" }, data.notes.map((line) => h("li", {}, line))) : null;
}
