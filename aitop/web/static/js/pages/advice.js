// Advice: what could have cost less, with its evidence, its saving, and how to check it.

import { h } from "../dom.js";
import { clean, grouped, money, moment, plural } from "../format.js";
import { ask } from "../live.js";
import { address, sessionAt } from "../links.js";
import { table } from "../table.js";

const SPANS = { "7d": "7 days", "30d": "30 days", "90d": "90 days" };

export const advice = { name: "advice", title: "Advice", open };

function open({ query }) {
  const chosen = query.since ?? "30d";
  const node = h("div", { class: "page advice", "aria-busy": "true" }, h("h1", { class: "sr" }, "Advice"));
  const stop = new AbortController();
  const place = h("div", { class: "stackplace" }, h("p", { class: "empty big" }, "Reading the sessions …"));
  node.append(h("div", { class: "bar-of-choices" }, h("div", { class: "choices", role: "group", "aria-label": "Days" }, Object.entries(SPANS).map(([since, word]) => h("a", { href: address("advice", { since }), "aria-current": since === chosen ? "true" : null }, word)))), place);
  ask("advice", { since: chosen }, stop.signal).then((data) => {
    place.replaceChildren(...(data.findings.length ? data.findings.map((one) => finding(one, data.money)) : [h("p", { class: "empty big" }, `Nothing to save was found in the requests since ${data.since}.`)]),
      data.findings.length ? h("p", { class: "quiet" }, "Two rules may count the same requests: do not add their savings up. ", h("code", {}, "advise.disable"), " in the configuration switches a rule off.") : "");
    node.removeAttribute("aria-busy");
  }).catch((error) => {
    if (error.name === "AbortError") return;
    node.removeAttribute("aria-busy");
    place.replaceChildren(h("p", { class: "empty", role: "alert" }, error.message));
  });
  return { node, close: () => stop.abort() };
}

function finding(one, how) {
  const example = (row) => ({ provider: row.provider, session: row.session });
  const columns = [
    { key: "saving", head: "Saving", numeric: true, value: (row) => row.saving_usd, cell: (row) => money(row.saving_usd, how, null, Math.abs(row.saving_usd) < 0.1) },
    { key: "at", head: "When", class: "when", value: (row) => row.at, cell: (row) => moment(row.at) },
    { key: "session", head: "Session", class: "name", value: (row) => row.project, cell: (row) => row.provider ? h("a", { href: sessionAt(example(row)) }, clean(row.project, 40)) : clean(row.project, 40) },
    { key: "tokens", head: "Tokens", numeric: true, value: (row) => row.tokens, cell: (row) => row.tokens ? grouped(row.tokens) : "" },
    { key: "about", head: "", name: "about", cell: (row) => clean(row.about ?? "", 80) },
  ];
  return h("section", { class: "panel finding", "data-row": one.rule },
    h("h2", {}, h("span", {}, clean(one.about)), h("b", { class: "money" }, `${one.judgement ? "up to " : ""}${money(one.saving_usd, how)}`)),
    h("dl", {}, h("dt", {}, "Seen"), h("dd", {}, coded(one.evidence)), h("dt", {}, "Do"), h("dd", {}, coded(one.advice)), h("dt", {}, "Check"), h("dd", {}, coded(one.check))),
    one.examples.length ? h("details", {}, h("summary", {}, `${plural(one.count, "case")}, rule ${clean(one.rule)}`), table({ columns, rows: one.examples, caption: `Cases of ${clean(one.rule)}` })) : null);
}

// A text with `code` in it, as the rules write it.
function coded(text) {
  return clean(text, 600).split("`").map((part, at) => (at % 2 ? h("code", {}, part) : part));
}
