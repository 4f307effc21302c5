// The report file: the same charts and tables as the pages, over the rows that stand in the file itself.

import { h } from "./dom.js";
import { clean } from "./format.js";
import { groupTable, heatFigure, notes, periodTable, sessionTable, stackFigure, totals, WORDS } from "./overview.js";

const inside = JSON.parse(document.getElementById("data").textContent);
const page = document.getElementById("main");
let drawing = null;
let grouping = inside.first;

function download(name, text) {
  const link = h("a", { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: `aitop-${name}.csv` });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function render() {
  drawing?.close();
  const view = { ...inside, ...inside.views[grouping], by: grouping };
  const how = inside.money;
  drawing = stackFigure(view, how, { pick: null });
  const used = inside.days ? `${inside.days[0]} to ${inside.days[1]}` : inside.title;
  page.replaceChildren(h("div", { class: "page report" },
    h("div", { class: "title" }, h("h1", {}, "What AI coding cost"), h("p", { class: "quiet" }, `${used}${inside.filters.length ? ` · ${inside.filters.map((one) => clean(one)).join(" · ")}` : ""} · made ${inside.made_at} by aitop ${inside.version}`)),
    inside.days ? totals(view, how, { link: null }) : h("p", { class: "empty big" }, "Nothing was spent in these days."),
    inside.heat.length ? heatFigure({ days: inside.heat, today: inside.last_day }, how, { since: null, until: null, pick: null, href: null }) : null,
    h("div", { class: "bar-of-choices" }, h("div", { class: "choices", role: "group", "aria-label": "Stacked by" }, h("span", { class: "label" }, "Stacked by"),
      Object.keys(inside.views).map((by) => h("button", { type: "button", "aria-pressed": String(by === grouping), onclick: () => { grouping = by; render(); } }, WORDS[by])))),
    drawing.figure,
    h("section", { class: "panel" }, h("h2", {}, `By ${WORDS[grouping].toLowerCase()}`), groupTable(view, how, { link: null, narrow: null })),
    h("section", { class: "panel" }, h("h2", {}, `By ${inside.unit}`), periodTable(view, how, { link: null })),
    h("section", { class: "panel" }, h("h2", {}, "Dearest sessions"), sessionTable(inside.sessions, how, { href: null, link: null })),
    h("section", { class: "panel" }, h("h2", {}, "Rows for a spreadsheet"), h("div", { class: "downloads" }, Object.entries(inside.csv).filter(([, text]) => text).map(([name, text]) => h("button", { type: "button", onclick: () => download(name, text) }, `${name}.csv`)))),
    notes(view), inside.coverage.length ? h("ul", { class: "notes" }, inside.coverage.map((line) => h("li", {}, clean(line, 400)))) : null));
}

render();
