// Compare: two models, months, projects or branches side by side, with the difference and both lines.

import { h } from "../dom.js";
import { amount, clean, count, grouped, money, number, percent, share, shortModel, spent } from "../format.js";
import { lines, swatch } from "../charts.js";
import { ask } from "../live.js";
import { address, rowsAt } from "../links.js";
import { nameOf, partOf } from "../overview.js";

const KINDS = { model: "Models", month: "Months", project: "Projects", branch: "Branches" };
const SPANS = { "30d": "30 days", "90d": "90 days", "365d": "A year" };

export const compare = { name: "compare", title: "Compare", open };

function open({ query, go }) {
  const kind = KINDS[query.kind] ? query.kind : "model";
  const since = SPANS[query.since] ? query.since : "90d";
  const node = h("div", { class: "page compare", "aria-busy": "true" }, h("h1", { class: "sr" }, "Compare"));
  const stop = new AbortController();
  const charts = [];
  const at = (changes) => address("compare", { kind, since: kind === "month" ? null : since, a: query.a, b: query.b, ...changes });
  const place = h("div", { class: "stackplace" });
  const bar = h("div", { class: "bar-of-choices" },
    h("div", { class: "choices", role: "group", "aria-label": "Compare" }, Object.entries(KINDS).map(([name, word]) => h("a", { href: address("compare", { kind: name, since: name === "month" ? null : since }), "aria-current": name === kind ? "true" : null }, word))),
    kind === "month" ? null : h("div", { class: "choices", role: "group", "aria-label": "Days" }, Object.entries(SPANS).map(([name, word]) => h("a", { href: at({ since: name }), "aria-current": name === since ? "true" : null }, word))));
  node.append(bar, place);
  run().catch((error) => {
    if (error.name === "AbortError") return;
    node.removeAttribute("aria-busy");
    place.replaceChildren(h("p", { class: "empty", role: "alert" }, error.message));
  });
  return { node, close: () => { stop.abort(); charts.forEach((chart) => chart.close()); } };

  async function run() {
    const known = await options(kind, since, stop.signal);
    if (known.length < 2) {
      node.removeAttribute("aria-busy");
      place.replaceChildren(h("p", { class: "empty big" }, `There are not two ${KINDS[kind].toLowerCase()} to compare in these days.`));
      return;
    }
    const find = (id, other) => known.find((one) => one.id === id) ?? known.find((one) => one.id !== other);
    const a = find(query.a, query.b);
    const b = find(query.b === a.id ? null : query.b, a.id);
    const choose = (name, chosen) => h("label", {}, swatch(name === "a" ? 0 : 1), h("select", { "aria-label": name === "a" ? "First" : "Second", onchange: (event) => go(at({ a: a.id, b: b.id, [name]: event.target.value })) }, known.map((one) => h("option", { value: one.id, selected: one.id === chosen.id }, one.label))));
    const sums = await Promise.all([a, b].map((one) => ask("history", { ...one.query, unit: "day", by: "model" }, stop.signal)));
    const how = sums[0].money;
    const box = h("div", { class: "plot", "data-own": "" });
    place.replaceChildren(h("div", { class: "bar-of-choices sides" }, choose("a", a), h("span", { class: "quiet" }, "and"), choose("b", b)),
      h("section", { class: "panel" }, h("h2", {}, "Side by side", h("span", { class: "quiet" }, "a number shows its rows")), figures([a, b], sums, how)),
      h("figure", { class: "panel" }, h("figcaption", {}, h("span", {}, kind === "month" ? "Spent so far, by day of the month" : "Spent so far, by day"), h("span", { class: "legend" }, [a, b].map((one, side) => h("span", {}, swatch(side), one.label)))),
        h("div", { role: "img", "aria-label": `Spending added up by day: ${a.label} reaches ${money(spent(sums[0].total), how)}, ${b.label} ${money(spent(sums[1].total), how)}.` }, box)));
    node.removeAttribute("aria-busy");
    draw(box, [a, b], sums, how);
  }

  function draw(box, sides, sums, how) {
    const labels = sums.map((one) => one.periods).reduce((longest, periods) => (periods.length > longest.length ? periods : longest));
    const rising = sums.map((one) => {
      let sum = 0;
      return labels.map((_, day) => (day < one.periods.length ? (sum += spent(one.periods[day]) ?? 0) : null));
    });
    const label = (day) => (kind === "month" ? `day ${Math.round(day) + 1}` : (labels[Math.round(day)]?.label ?? "").slice(5));
    label.whole = true;
    charts.push(lines(box, { xs: labels.map((_, day) => day), lines: sides.map((one, side) => ({ label: one.label, values: rising[side] })), value: (usd) => amount(usd, how.symbol, how.rate), label, height: 240 }));
  }
}

async function options(kind, since, signal) {
  if (kind === "month") {
    const found = await ask("history", { since: "365d", unit: "month", by: "provider" }, signal);
    return found.periods.filter((row) => row.requests !== undefined).reverse().map((row) => ({ id: row.label, label: row.label, query: { since: `${row.label}-01`, until: row.until } }));
  }
  const found = await ask("history", { since, unit: "month", by: kind }, signal);
  return found.groups.map((row) => ({ id: nameOf(row, kind) + (kind === "model" ? ` ${row.provider}` : ` ${row.cwd ?? ""}`), label: kind === "model" ? shortModel(row.model) : clean(nameOf(row, kind), 60), query: { ...partOf(row, kind), since: found.since, until: found.until } }));
}

function figures(sides, sums, how) {
  const ratio = (top, below) => (sum) => (sum[below] ? top(sum) / sum[below] : null);
  const tokens = (sum) => sum.input_tokens + sum.output_tokens;
  const used = (side) => sums[side].periods.filter((row) => row.requests).length;
  const rows = [
    ["Spent", spent, (value, sum) => money(value, how, sum), null],
    ["Days in use", (_, side) => used(side), grouped, null],
    ["Spent per day in use", (sum, side) => (used(side) ? spent(sum) / used(side) : null), (value) => money(value, how), null],
    ["Requests", (sum) => sum.requests, grouped, null],
    ["Spent per request", ratio(spent, "requests"), (value) => money(value, how, null, true), null],
    ["Input", (sum) => sum.input_tokens, count, null],
    ["Output", (sum) => sum.output_tokens, count, null],
    ["Output per request", ratio((sum) => sum.output_tokens, "requests"), count, null],
    ["Cache hits", ratio((sum) => sum.cache_read_tokens, "input_tokens"), share, null],
    ["Spent per million tokens", (sum) => (tokens(sum) ? (spent(sum) / tokens(sum)) * 1e6 : null), (value) => money(value, how), null],
    ["Tool calls", (sum) => sum.tool_calls, grouped, "calls"],
    ["Failed tool calls", (sum) => (sum.tool_calls ? sum.tool_failures / sum.tool_calls : null), share, "calls"],
    ["Errors", (sum) => sum.errors, grouped, "errors"],
  ];
  const cell = (value, write, sum, side, of) => {
    const text = number(value) === null ? "-" : write(value, sum);
    return h("td", { class: "n" }, of === undefined || number(value) === null ? text : h("a", { class: "num", href: rowsAt({ ...sides[side].query, of }) }, text));
  };
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Side by side" }, h("table", {}, h("caption", { class: "sr" }, "Side by side"),
    h("thead", {}, h("tr", {}, h("td", {}), sides.map((one, side) => h("th", { class: "n", scope: "col" }, swatch(side), one.label)), h("th", { class: "n", scope: "col" }, "Second against first"))),
    h("tbody", {}, rows.map(([label, read, write, of], at) => {
      const [one, other] = sums.map((sum, side) => read(sum.total, side));
      const change = number(one) && number(other) !== null ? other / one - 1 : null;
      return h("tr", { "data-row": String(at) }, h("th", { scope: "row" }, label), cell(one, write, sums[0].total, 0, of), cell(other, write, sums[1].total, 1, of), h("td", { class: "n quiet" }, change === null ? "-" : Math.abs(change) < 0.005 ? "the same" : `${change < 0 ? "−" : "+"}${percent(Math.abs(change) * 100)}`));
    }))));
}
