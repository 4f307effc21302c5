// Limits and budgets: used against elapsed, and forecasts with their band and how well each method did on the own past.

import { h, fill } from "../dom.js";
import { age, atLeast, clean, clock, day, duration, money, moment, number, percent, plural } from "../format.js";
import { ask, currency, live } from "../live.js";
import { budgetRows, firstDay, limitRows, rowsAt } from "../links.js";
import { table } from "../table.js";

const NAMES = { day: "Today", block: "This five-hour block", month: "This month" };

export const limits = { name: "limits", title: "Limits", open };

function open() {
  const node = h("div", { class: "page limits" }, h("h1", { class: "sr" }, "Limits and budgets"));
  const stop = new AbortController();
  let tested = null;
  let problem = null;
  const draw = () => {
    const state = live.state;
    if (!state) {
      fill(node, h("h1", { class: "sr" }, "Limits and budgets"), h("p", { class: "empty big" }, live.why === "connecting" ? "Connecting …" : "No numbers yet. The listener starts with `aitop start`."));
      return;
    }
    const how = currency(state);
    fill(node, h("h1", { class: "sr" }, "Limits and budgets"),
      h("section", { class: "panel", "data-key": "limits" }, h("h2", {}, "Limits", h("span", { class: "quiet" }, "used against the time that has passed")), known(state)),
      h("section", { class: "panel", "data-key": "budgets" }, h("h2", {}, "Budgets"), budgets(state, how)),
      state.plan ? h("section", { class: "panel", "data-key": "plan" }, h("h2", {}, "What the plan gives"), planned(state.plan, how)) : null,
      h("section", { class: "panel", "data-key": "forecast" }, h("h2", {}, "Forecast", h("span", { class: "quiet" }, "eight of ten similar moments of your past ended within the band")), forecasts(state, how, tested)),
      h("section", { class: "panel", id: "tested", "data-key": "backtest" }, h("h2", {}, "How well each method did on your own past", h("span", { class: "quiet" }, "all misses as a share of what was spent; the best one is used")), problem ? h("p", { class: "empty", role: "alert" }, problem) : tested ? backtest(tested) : h("p", { class: "empty" }, "Testing …")));
  };
  draw();
  ask("backtest", {}, stop.signal).then((found) => { tested = found.scores; draw(); }).catch((error) => {
    if (error.name === "AbortError") return;
    problem = error.message;
    draw();
  });
  return { node, update: draw, tick: draw, close: () => stop.abort() };
}

function known(state) {
  const rows = state.limits ?? [];
  if (!rows.length) return h("p", { class: "empty" }, "No client has reported a limit. Subscriptions do, with each answer.");
  const now = Date.now() / 1000;
  return h("ul", { class: "gauges big" }, rows.map((one) => {
    const used = number(one.used_percent) ?? 0;
    const elapsed = number(one.elapsed_percent);
    const kind = used >= 90 ? "critical" : used >= 75 || (number(one.pace_points) ?? 0) > 15 ? "warning" : "";
    const ends = number(one.exhausts_at) === null ? "At this rate it lasts until its reset." : `At this rate it is used up ${when(one.exhausts_at, now)}, ${duration(one.resets_at - one.exhausts_at)} before its reset.`;
    return h("li", { "data-row": "", "data-key": `${one.provider} ${one.account} ${one.name}` },
      h("div", { class: "line" }, h("span", {}, h("b", {}, clean(one.name, 30).replaceAll("_", " ")), ` ${clean(one.provider, 20)}${one.account ? `, ${clean(one.account, 40)}` : ""}`), h("b", { class: kind }, h("a", { class: "num", href: limitRows(one) }, `${one.estimated ? "~" : ""}${percent(used)} used`))),
      h("span", { class: `gauge ${kind}`, role: "img", "aria-label": `${percent(used)} used, ${percent(elapsed)} of the time has passed` }, h("span", { style: { width: `${Math.min(100, used)}%` } }), elapsed === null ? null : h("em", { style: { left: `${Math.min(100, elapsed)}%` } })),
      h("p", { class: "note" }, elapsed === null ? "" : `${percent(elapsed)} of its ${duration(one.window_minutes * 60)} has passed. `, `Resets ${when(one.resets_at, now)}. ${one.used_percent >= 100 ? "" : ends} Reported ${age(one.age_seconds)} ago${one.estimated ? ", estimated" : ""}.`));
  }));
}

function when(at, now) {
  const seconds = at - now;
  return seconds < 86400 ? `at ${clock(at)}, in ${duration(seconds)}` : `on ${moment(at).slice(0, 16)}, in ${duration(seconds)}`;
}

function budgets(state, how) {
  const rows = state.budgets ?? [];
  if (!rows.length) return h("p", { class: "empty" }, "No budget is set. ", h("code", {}, "[budgets.NAME]"), " in the configuration sets one; ", h("code", {}, "aitop config --defaults"), " shows how.");
  const now = Date.now() / 1000;
  return h("ul", { class: "gauges big" }, rows.map((one) => {
    const kind = one.level === "ok" ? "" : one.level;
    const scope = { all: "everything", project: `project ${clean(one.match, 60)}`, tag: `tag ${clean(one.match, 60)}`, session: "each session" }[one.scope] ?? "";
    const href = budgetRows(state, one);
    const text = money(one.used_usd, how, one);
    const used = atLeast(one) + percent(one.percent);
    return h("li", { "data-row": "", "data-key": `budget ${one.name}` },
      h("div", { class: "line" }, h("span", {}, h("b", {}, clean(one.name, 40)), ` ${scope}, a ${one.period}`), h("b", { class: kind }, href ? h("a", { class: "num", href }, text) : text, ` of ${money(one.limit_usd, how)}`)),
      h("span", { class: `gauge ${kind}`, role: "img", "aria-label": `${used} used` }, h("span", { style: { width: `${Math.min(100, one.percent)}%` } })),
      h("p", { class: "note" }, `${used} used, ${one.over ? "it is spent" : `${atLeast(one) && "≤"}${money(one.left_usd, how)} left`}${number(one.resets_at) === null ? "" : `. Begins anew ${when(one.resets_at, now)}`}.`));
  }));
}

// What a subscription gave. Its days end before today, which is not over.
function planned(plan, how) {
  const [year, month, last] = plan.until.split("-").map(Number);
  const first = day(new Date(year, month - 1, last - plan.days + 1, 12) / 1000);
  const value = h("a", { class: "num", href: rowsAt({ provider: "claude-code", since: first, until: plan.until }) }, money(plan.value_usd, how, plan));
  return h("p", { class: "given", "data-row": "" }, `Claude Code in ${plural(plan.days, "day")} until ${clean(plan.until, 10)}: `, h("b", {}, value), " at API prices",
    number(plan.factor) === null ? ". " : `, ${plan.factor.toFixed(1)} times what ${clean(plan.name, 20)} costs. `, h("code", {}, "aitop plan"), " says which plan would have sufficed.");
}

function forecasts(state, how, tested) {
  const rows = Object.entries(NAMES).map(([name, label]) => [name, label, state.forecast?.[name]]).filter((row) => row[2]);
  if (!rows.length) return h("p", { class: "empty" }, "The past has not been read yet.");
  const spent = { day: state.today?.spent_usd, month: state.month?.spent_usd, block: state.block?.spent_usd };
  const links = { day: rowsAt({ since: "today" }), month: rowsAt({ since: firstDay(state, "month") }), block: state.block ? rowsAt({ provider: state.block.provider, from: state.block.started_at, to: state.block.ends_at }) : null };
  return h("ul", { class: "gauges big" }, rows.map(([name, label, one]) => {
    const banded = number(one.low_usd) !== null;
    const most = Math.max(one.usd, one.high_usd ?? 0, spent[name] ?? 0, 1e-9) * 1.08;
    const at = (usd) => `${((Math.max(0, usd) / most) * 100).toFixed(2)}%`;
    const sofar = money(spent[name], how);
    const method = tested?.[name]?.find((score) => score.method === one.method)?.words ?? one.method.replaceAll("_", " ");
    return h("li", { "data-row": "", "data-key": `forecast ${name}` },
      h("div", { class: "line" }, h("span", {}, h("b", {}, label), ` until ${one.ends_at - Date.now() / 1000 < 86400 ? clock(one.ends_at) : moment(one.ends_at).slice(0, 10)}`), h("b", {}, h("a", { class: "num", href: "#tested" }, money(one.usd, how)))),
      h("span", { class: "gauge banded", role: "img", "aria-label": `Spent ${sofar}, forecast ${money(one.usd, how)}${banded ? `, between ${money(one.low_usd, how)} and ${money(one.high_usd, how)}` : ""}` },
        h("span", { style: { width: at(spent[name] ?? 0) } }), banded ? h("s", { style: { left: at(one.low_usd), width: `calc(${at(one.high_usd)} - ${at(one.low_usd)})` } }) : null, h("em", { style: { left: at(one.usd) } })),
      h("p", { class: "note" }, "Spent so far ", links[name] ? h("a", { class: "num", href: links[name] }, sofar) : sofar, banded ? `. Between ${money(one.low_usd, how)} and ${money(one.high_usd, how)}` : "", `. Method: ${clean(method, 60)}, ${number(one.error_percent) === null ? "not tested yet" : `off by ${percent(one.error_percent)} in ${plural(one.tested, "test")}`}.`));
  }));
}

function backtest(scores) {
  const rows = Object.entries(scores).flatMap(([of, methods]) => methods.map((one) => ({ of, ...one })));
  return table({ caption: "Methods of the forecasts", rows, empty: "There is no past to test on yet.", columns: [
    { key: "of", head: "Forecast of", class: "name", value: (row) => row.of, cell: (row) => ({ day: "a day", block: "a five-hour block", month: "a month" })[row.of] ?? row.of },
    { key: "method", head: "Method", value: (row) => row.words, cell: (row) => clean(row.words, 80) },
    { key: "error", head: "Off by", numeric: true, value: (row) => row.error_percent, cell: (row) => row.tested ? `${row.error_percent.toFixed(1)}%` : "-" },
    { key: "tested", head: "Tests", numeric: true, value: (row) => row.tested, cell: (row) => String(row.tested) },
    { key: "used", head: "Used", value: (row) => row.used, cell: (row) => (row.used ? "✓ used" : "") },
  ] });
}

