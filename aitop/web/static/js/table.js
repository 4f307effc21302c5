// Tables: heads that sort, rows that keys walk through, numbers set to the right, a total below.

import { h } from "./dom.js";

// columns: [{key, head, cell(row), value(row), numeric, title}]; `rows` come in the order they are first shown in.
export function table({ columns, rows, total = null, caption, empty = "Nothing here.", rowKey = null, rowClass = null }) {
  if (!rows.length) return h("p", { class: "empty" }, empty);
  const body = h("tbody");
  const heads = columns.map((column) => head(column));
  const line = (row, at) =>
    h("tr", { "data-row": String(at), "data-key": rowKey ? rowKey(row) : null, class: rowClass ? rowClass(row) : null },
      columns.map((column, number) =>
        h(number ? "td" : "th", { class: column.numeric ? "n" : column.class || null, scope: number ? null : "row" }, column.cell(row)),
      ));
  const show = (ordered) => body.replaceChildren(...ordered.map(line));
  let sorted = null;
  columns.forEach((column, number) => {
    const button = heads[number].querySelector("button");
    if (!button) return;
    button.onclick = () => {
      const down = sorted?.column === column ? !sorted.down : Boolean(column.numeric);
      sorted = { column, down };
      heads.forEach((one) => one.removeAttribute("aria-sort"));
      heads[number].setAttribute("aria-sort", down ? "descending" : "ascending");
      show([...rows].sort((one, other) => (down ? -1 : 1) * compare(column.value(one), column.value(other))));
    };
  });
  show(rows);
  const foot = total && h("tfoot", {}, h("tr", {}, columns.map((column, number) =>
    h(number ? "td" : "th", { class: column.numeric ? "n" : column.class || null, scope: number ? null : "row" }, number ? (column.total ?? column.cell)(total) : "total"))));
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h("table", {}, h("caption", { class: "sr" }, caption), h("thead", {}, h("tr", {}, heads)), body, foot));
}

function head(column) {
  const text = column.value && column.head ? h("button", { type: "button", title: column.title || null }, column.head) : column.head || h("span", { class: "sr" }, column.name || "share");
  return h("th", { class: column.numeric ? "n" : column.class || null, scope: "col" }, text);
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
