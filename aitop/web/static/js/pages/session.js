// Session: cost by turn, context over time with compactions, tools with latency, agents, the untracked part.

import { h } from "../dom.js";
import { clean, clock, count, credits, day, grouped, moment, money, number, percent, plural, share, shortModel, size, spent, took } from "../format.js";
import { lines, stacked } from "../charts.js";
import { ask, live } from "../live.js";
import { address, rowsAt } from "../links.js";
import { bar, table } from "../table.js";

const BARS_MAX = 160; // more turns are gathered, so that each bar can be seen

export const session = { name: "session", title: "Session", open };

function open({ path, go }) {
  const [, , provider, ...rest] = path.split("/").map(decodeURIComponent);
  const id = rest.join("/");
  const node = h("div", { class: "page session", "aria-busy": "true" }, h("h1", {}, "Session"));
  const stop = new AbortController();
  const charts = [];
  let requests = null;
  const load = () => ask("session", { provider, session: id }, stop.signal).then((data) => {
    charts.splice(0).forEach((chart) => chart.close());
    node.replaceChildren(...draw(data, { provider, session: id }, charts, go));
    node.removeAttribute("aria-busy");
    requests = current()?.requests ?? null;
  }).catch((error) => {
    if (error.name === "AbortError") return;
    node.removeAttribute("aria-busy");
    node.replaceChildren(h("h1", {}, "Session"), h("p", { class: "empty", role: "alert" }, error.message));
  });
  const current = () => live.state?.sessions?.find((one) => one.provider === provider && one.id === id);
  load();
  return {
    node,
    title: `Session ${id.slice(0, 8)}`,
    update: () => {
      const known = current();
      if (known && requests !== null && known.requests !== requests) {
        requests = known.requests;
        load();
      }
    },
    close: () => { stop.abort(); charts.forEach((chart) => chart.close()); },
  };
}

function draw(data, part, charts, go) {
  const how = data.money;
  const row = data.session;
  const now = live.state?.sessions?.find((one) => one.provider === part.provider && one.id === part.session);
  return [
    h("div", { class: "title" },
      h("h1", {}, clean(data.project, 60), row.branch ? h("span", { class: "branch" }, clean(row.branch, 40)) : null, now ? h("span", { class: `status ${clean(now.status)}` }, clean(now.status)) : null),
      h("p", { class: "quiet" }, h("code", {}, clean(part.session)), ` ${clean(part.provider)} · ${shortModel(row.model)} · ${moment(row.started_at)} to ${moment(row.last_activity_at)}`)),
    facts(data, row, now, how, part),
    h("div", { class: "columns even" }, turns(data, how, part, charts, go), context(data, now, charts)),
    h("div", { class: "columns even" },
      h("section", { class: "panel" }, h("h2", {}, "Tools"), tools(data, part)),
      h("section", { class: "panel" }, h("h2", {}, "Main thread and agents"), agents(data, how, part))),
    h("div", { class: "columns even" },
      h("section", { class: "panel" }, h("h2", {}, "Models"), models(data, how, part)),
      h("section", { class: "panel" }, h("h2", {}, "Newest tool calls", h("a", { class: "num", href: rowsAt({ ...part, of: "calls" }) }, "all of them")), calls(data))),
  ];
}

function facts(data, row, now, how, part) {
  const tile = (label, value, of, note) => h("div", { class: "tile" }, h("span", { class: "label" }, label), h("span", { class: "value" }, of === undefined ? value : h("a", { class: "num", href: rowsAt({ ...part, of }) }, value)), note ? h("span", { class: "note" }, note) : null);
  const hits = row.input_tokens ? row.cache_read_tokens / row.input_tokens : null;
  const to = (text, of = null) => h("a", { class: "num", href: rowsAt({ ...part, of }) }, text);
  return h("div", { class: "tiles" },
    tile("Spent", money(spent(row), how, row, true), null, ["counted ", to(money(row.cost_usd, how, row))]),
    tile("Untracked", row.client_cost_usd === null || row.client_cost_usd === undefined ? "-" : money(row.untracked_usd, how, null, true), "untracked", number(row.client_cost_usd) === null ? "the client reports no total" : `the client says ${money(row.client_cost_usd, how)}`),
    number(row.credits) === null ? null : tile("Credits", credits(row.credits), null, `as ${clean(part.provider, 20)} is billed, beside the dollars`),
    tile("Requests", grouped(row.requests), null, to(plural(row.errors ?? 0, "error"), "errors")),
    tile("Input", count(row.input_tokens), null, [to(share(hits)), " from the cache"]),
    tile("Output", count(row.output_tokens), null),
    tile("Tool calls", grouped(row.tool_calls), "calls", [to(grouped(row.tool_failures), "calls"), " failed"]),
    tile("Context", now ? percent(now.context_percent) : size(data.context.at(-1)?.[1]), null, now ? `${size(now.context_tokens)} of ${size(now.context_limit)}` : "at the end"),
    tile("Compactions", data.compactions.length ? h("a", { class: "num", href: address("timeline", { day: day(data.compactions.at(-1)[0]) }) }, grouped(data.compactions.length)) : "0", undefined, data.agents.length > 1 ? plural(data.agents.length - 1, "agent") : "no agents"));
}

// Turns, gathered where there are many: [[first, last, main, agents]], costs in USD.
function gathered(turns) {
  const each = Math.max(1, Math.ceil(turns.length / BARS_MAX));
  const found = [];
  turns.forEach((turn, at) => {
    if (at % each === 0) found.push([turn[0], turn[0], 0, 0]);
    const group = found[found.length - 1];
    group[1] = turn[0];
    group[turn[4] ? 3 : 2] += turn[1];
  });
  return [found, each];
}

function turns(data, how, part, charts, go) {
  const [groups, each] = gathered(data.turns);
  const box = h("div", { class: "plot", "data-own": "" });
  const layers = [{ label: "main thread", values: groups.map((group) => group[2]) }];
  if (groups.some((group) => group[3])) layers.push({ label: "agents", values: groups.map((group) => group[3]) });
  const most = Math.max(0, ...groups.map((group) => group[2] + group[3]));
  const words = each === 1 ? "one bar a response" : `one bar for ${each} responses`;
  if (groups.length) {
    charts.push(stacked(box, {
      labels: groups.map((group) => `${moment(group[0]).slice(5)}`), layers, height: 190, value: (usd) => money(usd, how, null, usd < 0.1), word: (label) => label.slice(6, 11),
      pick: (first, last) => go(address("rows", { ...part, from: groups[first][0], to: groups[last][1] + 0.001 })),
    }));
  }
  return h("figure", { class: "panel" }, h("figcaption", {}, h("span", {}, "Cost by turn"), h("span", { class: "quiet" }, `${words}${data.turns.length >= data.turns_max ? `, the newest ${grouped(data.turns_max)}` : ""}; a click shows its rows`)),
    groups.length ? h("div", { role: "img", "aria-label": `Cost of ${plural(data.turns.length, "response")}, at most ${money(most, how, null, true)} in one bar.` }, box) : h("p", { class: "empty" }, "No response is known."));
}

function context(data, now, charts) {
  const points = data.context;
  const box = h("div", { class: "plot", "data-own": "" });
  const most = Math.max(0, ...points.map((point) => point[1]));
  if (points.length > 1) {
    const label = (at) => clock(at);
    const limit = now?.context_limit ?? 0;
    charts.push(lines(box, {
      xs: points.map((point) => point[0]), lines: [{ label: "context", values: points.map((point) => point[1]) }], area: true, height: 190,
      value: size, label, marks: data.compactions.map(([at]) => ({ at })), top: most > limit / 2 ? limit : null,
    }));
  }
  return h("figure", { class: "panel" }, h("figcaption", {}, h("span", {}, "Context"), h("span", { class: "quiet" }, data.compactions.length ? `▼ ${plural(data.compactions.length, "compaction")}` : "no compaction")),
    points.length > 1 ? h("div", { role: "img", "aria-label": `Tokens of context over time, at most ${size(most)}; ${plural(data.compactions.length, "compaction")}.` }, box) : h("p", { class: "empty" }, "Not enough responses to draw."));
}

function tools(data, part) {
  const most = Math.max(1, ...data.tools.map((row) => row.calls));
  const at = (row) => rowsAt({ ...part, of: "calls", tool: row.tool });
  return table({ caption: "Tools", rows: data.tools, empty: "No tool was called.", columns: [
    { key: "tool", head: "Tool", class: "name", value: (row) => row.tool, cell: (row) => h("a", { href: at(row) }, clean(row.tool, 50)) },
    { key: "calls", head: "Calls", numeric: true, value: (row) => row.calls, cell: (row) => h("a", { class: "num", href: at(row) }, grouped(row.calls)) },
    { key: "bar", name: "share", class: "sharecell", cell: (row) => bar(row.calls / most) },
    { key: "failures", head: "Failed", numeric: true, value: (row) => row.failures, cell: (row) => h("a", { class: `num ${row.failures ? "warning" : "quiet"}`, href: at(row) }, grouped(row.failures)) },
    { key: "p50", head: "Median", numeric: true, value: (row) => row.p50_ms, cell: (row) => h("a", { class: "num", href: at(row) }, took(row.p50_ms)) },
    { key: "p95", head: "Slowest 5%", numeric: true, value: (row) => row.p95_ms, cell: (row) => h("a", { class: "num", href: at(row) }, took(row.p95_ms)) },
  ] });
}

function agents(data, how, part) {
  const num = (row, text) => h("a", { class: "num", href: rowsAt({ ...part, agent: row.agent ?? "" }) }, text);
  const most = Math.max(1e-12, ...data.agents.map(spent));
  return table({ caption: "Main thread and agents", rows: data.agents, empty: "No response is known.", columns: [
    { key: "agent", head: "Thread", class: "name", value: (row) => row.agent, cell: (row) => row.agent ? clean(row.agent, 24) : "main thread" },
    { key: "models", head: "Models", value: (row) => row.models.join(), cell: (row) => h("span", { class: "model" }, row.models.map(shortModel).join(", ")) },
    { key: "started", head: "From", value: (row) => row.started_at, cell: (row) => clock(row.started_at), class: "when" },
    { key: "requests", head: "Requests", numeric: true, value: (row) => row.requests, cell: (row) => num(row, grouped(row.requests)) },
    { key: "spent", head: "Counted", numeric: true, value: spent, cell: (row) => num(row, money(row.cost_usd, how, row, true)) },
    { key: "bar", name: "share", class: "sharecell", cell: (row) => bar(spent(row) / most) },
  ] });
}

function models(data, how, part) {
  const at = (row) => rowsAt(row.model ? { ...part, model: row.model } : { ...part, of: "untracked" });
  // It is not known which requests and tokens are behind what a client reports beyond its records.
  const num = (key, head, write) => ({ key, head, numeric: true, value: (row) => (row.model ? row[key] : null), cell: (row) => h("a", { class: "num", href: at(row) }, write(row.model ? row[key] : null)) });
  return table({ caption: "Models", rows: data.models, empty: "No response is known.", columns: [
    { key: "model", head: "Model", class: "name", value: (row) => row.model, cell: (row) => row.model ? h("a", { href: at(row) }, clean(row.model, 50)) : "untracked" },
    num("requests", "Requests", grouped), num("input_tokens", "Input", count), num("output_tokens", "Output", count),
    { key: "spent", head: "Spent", numeric: true, value: spent, cell: (row) => h("a", { class: "num", href: at(row) }, money(spent(row), how, row, true)) },
  ] });
}

function calls(data) {
  return table({ caption: "Newest tool calls", rows: data.calls.slice(0, 15), empty: "No tool was called.", columns: [
    { key: "at", head: "When", class: "when", value: (row) => row.at, cell: (row) => clock(row.at, true) },
    { key: "tool", head: "Tool", value: (row) => row.tool, cell: (row) => clean(row.tool, 50) },
    { key: "took", head: "Took", numeric: true, value: (row) => row.took_ms, cell: (row) => took(row.took_ms) },
    { key: "failed", head: "Result", value: (row) => row.failed, cell: (row) => row.failed ? h("span", { class: "warning" }, "failed") : "ok" },
  ] });
}
