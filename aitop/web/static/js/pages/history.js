// History: the year as a heat map, and below it everything of the days that were picked.

import { h } from "../dom.js";
import { clean, shortModel } from "../format.js";
import { ask } from "../live.js";
import { address, rowsAt, sessionAt } from "../links.js";
import { groupTable, heatFigure, notes, periodTable, sessionTable, stackFigure, totals, WORDS } from "../overview.js";

const BY = ["model", "project", "provider", "branch"];
const UNITS = ["day", "week", "month"];
const SPANS = [["today", "Today", 0], ["7 days", "7 days", 6], ["30 days", "30 days", 29], ["90 days", "90 days", 89], ["a year", "A year", 364]];
const NARROWED = ["provider", "model", "project", "branch", "named", "budget"];

export const history = { name: "history", title: "History", open };

function open({ query, go }) {
  const node = h("div", { class: "page history", "aria-busy": "true" }, h("h1", { class: "sr" }, "History"));
  const stop = new AbortController();
  const parts = [];
  const at = (changes) => address("history", { ...query, ...changes });
  const narrowed = Object.fromEntries(NARROWED.filter((key) => query[key] !== undefined).map((key) => [key, query[key]]));
  const place = { heat: h("div"), main: h("div", { class: "stackplace" }), sessions: h("div") };
  node.append(place.heat, place.main, place.sessions);
  const failed = (box) => (error) => error.name !== "AbortError" && box.replaceChildren(h("p", { class: "empty", role: "alert" }, error.message));
  ask("history", query, stop.signal).then((data) => {
    const how = data.money;
    const pick = (since, until) => go(at({ since, until, unit: unitFor(since, until, query.unit) }));
    const drawnHeat = heatFigure({ days: data.heat, today: data.today }, how, { since: data.since, until: data.until, pick, href: (since, until) => at({ since, until }) });
    const span = { since: data.since, until: data.until, ...narrowed };
    const link = (part) => rowsAt({ ...span, ...part });
    const stack = stackFigure(data, how, { link, pick: (first, last) => pick(data.periods[first].since, data.periods[last].until) });
    parts.push(stack);
    const none = !data.known;
    place.heat.replaceChildren(controls(data, query, narrowed, at, go), drawnHeat);
    place.main.replaceChildren(
      none ? h("p", { class: "empty big" }, "The history holds nothing yet.") : totals(data, how, { link }),
      h("div", { class: "bar-of-choices" }, choices("Stacked by", BY, data.by, (by) => at({ by }), WORDS), choices("In", UNITS, data.unit, (unit) => at({ unit }), { day: "Days", week: "Weeks", month: "Months" })),
      stack.figure,
      h("section", { class: "panel" }, h("h2", {}, `By ${WORDS[data.by].toLowerCase()}`, h("span", { class: "quiet" }, "a name narrows the page to it, a number shows its rows")), groupTable(data, how, { link, narrow: (part) => at({ ...part, by: nextBy(data.by, part) }) })),
      h("section", { class: "panel" }, h("h2", {}, `By ${data.unit}`), periodTable(data, how, { link })),
      notes(data) ?? "");
    node.removeAttribute("aria-busy");
    return ask("sessions", query, stop.signal).then((found) =>
      place.sessions.replaceChildren(h("section", { class: "panel" }, h("h2", {}, "Dearest sessions"), sessionTable(found, how, { href: sessionAt, link: (part) => rowsAt({ ...span, ...part }) }))));
  }).catch(failed(place.main));
  return { node, close: () => { stop.abort(); parts.forEach((part) => part.close()); } };
}

function nextBy(by, part) {
  if (part.branch !== undefined) return "model";
  return by === "model" ? "project" : by === "project" ? "branch" : "model";
}

function unitFor(since, until, unit) {
  const days = (Date.parse(until) - Date.parse(since)) / 86400000 + 1;
  if (unit === "month" && days < 62) return "day";
  return unit === "week" && days < 14 ? "day" : unit;
}

function back(day, days) {
  return new Date(Date.parse(`${day}T00:00:00Z`) - days * 86400000).toISOString().slice(0, 10);
}

function choices(label, options, chosen, href, words) {
  return h("div", { class: "choices", role: "group", "aria-label": label }, h("span", { class: "label" }, label),
    options.map((option) => h("a", { href: href(option), "aria-current": option === chosen ? "true" : null }, words[option])));
}

function controls(data, query, narrowed, at, go) {
  const input = (name, value) => h("input", { type: "date", value, name, "aria-label": name === "since" ? "First day" : "Last day", max: data.today });
  const form = h("form", { class: "dates" }, input("since", data.since), h("span", { "aria-hidden": "true" }, "–"), input("until", data.until), h("button", {}, "Show"));
  form.onsubmit = (event) => {
    event.preventDefault();
    const [since, until] = [form.elements.since.value, form.elements.until.value].sort();
    if (since && until) go(at({ since, until }));
  };
  const presets = SPANS.map(([, word, days]) => [word, back(data.today, days), data.today]);
  if (data.known) presets.push(["Everything", data.known[0], data.today]);
  const chips = Object.entries(narrowed).map(([key, value]) => h("a", { class: "chip", href: at({ [key]: null, ...(key === "project" ? { branch: null } : {}) }), "aria-label": `${WORDS[key]} ${clean(value)}: remove` },
    h("span", {}, WORDS[key]), key === "model" ? shortModel(value) : clean(value || "(none)", 60), h("b", { "aria-hidden": "true" }, "×")));
  return h("div", { class: "bar-of-choices" },
    h("div", { class: "choices", role: "group", "aria-label": "Days" }, presets.map(([word, since, until]) => h("a", { href: at({ since, until, unit: word === "A year" || word === "Everything" ? "week" : "day" }), "aria-current": data.since === since && data.until === until ? "true" : null }, word))),
    form, chips.length ? h("div", { class: "chips" }, chips) : null);
}
