// Rows: the responses, tool calls, errors or side calls that a number was added from, with their sum above them.

import { h } from "../dom.js";
import { clean, grouped, moment, money, number, plural, shortModel, spent, took } from "../format.js";
import { ask } from "../live.js";
import { address, sessionAt } from "../links.js";
import { table } from "../table.js";

const KINDS = { responses: "Responses", calls: "Tool calls", errors: "Errors", untracked: "Untracked" };
const WORDS = { since: "From", until: "To", from: "From", to: "To", last: "Last seconds", provider: "Client", model: "Model", project: "Folder", branch: "Branch", session: "Session", tool: "Tool", named: "Project", budget: "Budget", agent: "Agent" };

export const rows = { name: "rows", title: "Rows", open };

function open({ query }) {
  const node = h("div", { class: "page rows", "aria-busy": "true" }, h("h1", {}, KINDS[query.of] ?? KINDS.responses));
  const stop = new AbortController();
  const place = h("div");
  node.append(parts(query), place);
  ask("rows", query, stop.signal).then((data) => {
    place.replaceChildren(tabs(data, query), list(data), more(data, query));
    node.removeAttribute("aria-busy");
  }).catch((error) => error.name !== "AbortError" && place.replaceChildren(h("p", { class: "empty", role: "alert" }, error.message)));
  return { node, close: () => stop.abort() };
}

function parts(query) {
  const known = Object.entries(query).filter(([key]) => WORDS[key]);
  const shown = (key, value) => (key === "from" || key === "to" ? moment(Number(value)) : key === "agent" ? clean(value || "main thread", 40) : clean(value || "(none)", 80));
  return h("div", { class: "chips" }, known.length ? known.map(([key, value]) =>
    h("a", { class: "chip", href: address("rows", { ...query, [key]: null, before: null }), "aria-label": `${WORDS[key]} ${shown(key, value)}: remove` }, h("span", {}, WORDS[key]), shown(key, value), h("b", { "aria-hidden": "true" }, "×"))) : h("span", { class: "quiet" }, "Everything in the history"));
}

function tabs(data, query) {
  const sum = data.total;
  const how = data.money;
  const counts = { responses: grouped(sum.requests), calls: sum.tool_calls === null ? "-" : grouped(sum.tool_calls), errors: grouped(sum.errors), untracked: number(sum.untracked_usd) ? money(sum.untracked_usd, how) : "none" };
  return h("div", { class: "sums" },
    h("nav", { class: "choices", "aria-label": "Rows of" }, Object.entries(KINDS).map(([kind, word]) =>
      h("a", { href: address("rows", { ...query, of: kind === "responses" ? null : kind, before: null }), "aria-current": kind === data.kind ? "page" : null }, word, h("b", {}, counts[kind])))),
    h("p", { class: "sumline" },
      h("span", {}, "Spent ", h("b", { class: "money" }, money(spent(sum), how, sum, true))), h("span", {}, "counted ", h("b", {}, money(sum.cost_usd, how, sum, true))),
      number(sum.untracked_usd) ? h("span", {}, "untracked ", h("b", {}, money(sum.untracked_usd, how, null, true))) : null,
      h("span", {}, "input ", h("b", {}, grouped(sum.input_tokens))), h("span", {}, "output ", h("b", {}, grouped(sum.output_tokens))),
      h("span", {}, "cache read ", h("b", {}, grouped(sum.cache_read_tokens))), h("span", {}, "cache write ", h("b", {}, grouped(sum.cache_write_tokens)))));
}

const when = { key: "at", head: "When", class: "when", value: (row) => row.at, cell: (row) => moment(row.at) };
const owner = {
  key: "session", head: "Session", class: "name", value: (row) => row.project ?? "",
  cell: (row) => [h("a", { href: sessionAt(row), title: clean(row.session) }, clean(row.project ?? row.session, 40)), row.branch ? h("span", { class: "branch" }, clean(row.branch, 30)) : null, row.agent ? h("span", { class: "tag" }, `agent ${clean(row.agent, 12)}`) : null],
};
const tokens = (key, head) => ({ key, head, numeric: true, value: (row) => row[key], cell: (row) => grouped(row[key]) });

function list(data) {
  const how = data.money;
  const cost = (row) => ({ estimated_requests: row.price === "family" ? 1 : 0 });
  const columns = {
    responses: [when, owner, { key: "model", head: "Model", value: (row) => row.model, cell: (row) => h("span", { class: "model" }, shortModel(row.model)) },
      tokens("uncached_input_tokens", "New input"), tokens("cache_write_tokens", "Cache write"), tokens("cache_read_tokens", "Cache read"), tokens("output_tokens", "Output"),
      { key: "cost", head: "Cost", numeric: true, value: (row) => row.cost_usd, cell: (row) => row.cost_usd === null ? h("span", { class: "warning" }, "no price") : money(row.cost_usd, how, cost(row), true) },
      { key: "took", head: "Took", numeric: true, value: (row) => row.duration_ms, cell: (row) => took(row.duration_ms) },
      { key: "stop", head: "Stop", value: (row) => row.stop_reason, cell: (row) => h("span", { class: row.stop_reason === "max_tokens" ? "warning" : "quiet" }, clean(row.stop_reason ?? "-", 20)) }],
    calls: [when, owner, { key: "tool", head: "Tool", value: (row) => row.tool, cell: (row) => clean(row.tool, 60) },
      { key: "took", head: "Took", numeric: true, value: (row) => row.took_ms, cell: (row) => took(row.took_ms) },
      { key: "failed", head: "Result", value: (row) => row.failed, cell: (row) => row.failed ? h("span", { class: "warning" }, "failed") : "ok" }],
    errors: [when, owner, { key: "what", head: "Error", value: (row) => row.what, cell: (row) => clean(row.what, 80) }],
    untracked: [when, owner, { key: "model", head: "Model", value: (row) => row.model, cell: (row) => h("span", { class: "model" }, row.model ? shortModel(row.model) : "not said") },
      { key: "cost", head: "Reported beyond the records", numeric: true, value: (row) => row.cost_usd, cell: (row) => money(row.cost_usd, how, null, true) }],
  }[data.kind];
  return h("section", { class: "panel" }, table({ columns, rows: data.rows, caption: KINDS[data.kind], empty: `No ${KINDS[data.kind].toLowerCase()} here.`, rowKey: (row) => row.key ?? null }));
}

function more(data, query) {
  return h("p", { class: "pager" }, query.before ? h("a", { href: address("rows", { ...query, before: null }) }, "Newest") : null, data.next ? h("a", { href: address("rows", { ...query, before: data.next }) }, "Older") : h("span", { class: "quiet" }, `${plural(data.rows.length, "row")} to the end`));
}

