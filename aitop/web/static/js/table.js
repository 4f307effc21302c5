// Tables: heads that sort, rows that keys walk through, numbers set to the right, a total below.

import { h } from "./dom.js";

const sorts = new Map(); // caption → {key, down}: the order that a reader chose stays while the numbers move

// columns: [{key, head, cell(row), value(row), numeric, title}]; `rows` come in the order they are first shown in.
export function table({ columns, rows, total = null, caption, empty = "Nothing here.", rowKey = null, rowClass = null }) {
  if (!rows.length) return h("p", { class: "empty" }, empty);
  const line = (row, at) =>
    h("tr", { "data-row": String(at), "data-key": rowKey ? rowKey(row) : null, class: rowClass ? rowClass(row) : null },
      columns.map((column, number) =>
        h(number ? "td" : "th", { class: column.numeric ? "n" : column.class || null, scope: number ? null : "row" }, column.cell(row)),
      ));
  const lines = () => {
    const chosen = sorts.get(caption);
    const column = columns.find((one) => one.key === chosen?.key && one.value);
    if (!column) return rows.map(line);
    return [...rows].sort((one, other) => (chosen.down ? -1 : 1) * compare(column.value(one), column.value(other))).map(line);
  };
  // It works on the table that is shown, which need not be the one that was built with it (see patch in dom.js).
  const sort = (column) => (event) => {
    const before = sorts.get(caption);
    sorts.set(caption, { key: column.key, down: before?.key === column.key ? !before.down : Boolean(column.numeric) });
    const shown = event.currentTarget.closest("table");
    for (const one of shown.tHead.rows[0].cells) one.removeAttribute("aria-sort");
    event.currentTarget.closest("th").setAttribute("aria-sort", sorted(column, caption));
    shown.tBodies[0].replaceChildren(...lines());
  };
  const foot = total && h("tfoot", {}, h("tr", {}, columns.map((column, number) =>
    h(number ? "td" : "th", { class: column.numeric ? "n" : column.class || null, scope: number ? null : "row" }, number ? (column.total ?? column.cell)(total) : "total"))));
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h("table", {}, h("caption", { class: "sr" }, caption), h("thead", {}, h("tr", {}, columns.map((column) => head(column, caption, sort(column))))), h("tbody", {}, lines()), foot));
}

function sorted(column, caption) {
  const chosen = sorts.get(caption);
  return chosen?.key === column.key && column.value ? (chosen.down ? "descending" : "ascending") : null;
}

function head(column, caption, sort) {
  const text = column.value && column.head ? h("button", { type: "button", title: column.title || null, onclick: sort }, column.head) : column.head || h("span", { class: "sr" }, column.name || "share");
  return h("th", { class: column.numeric ? "n" : column.class || null, scope: "col", "aria-sort": sorted(column, caption) }, text);
}

function compare(one, other) {
  if (one === other) return 0;
  if (one === null || one === undefined) return -1;
  if (other === null || other === undefined) return 1;
  return one < other ? -1 : 1;
}

// A thin bar from 0 to 1 beside its number; the number says the same.
export function bar(part, kind = "") {
  const wide = Math.max(0, Math.min(1, part || 0)) * 100;
  return h("span", { class: `bar ${kind}`, "aria-hidden": "true" }, h("span", { style: { width: `${wide.toFixed(2)}%` } }));
}
