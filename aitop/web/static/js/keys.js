// The keyboard: j and k walk through rows, / finds, ? explains, digits choose a page.

import { h } from "./dom.js";

const KEYS = [
  ["1 … 9", "choose a page"],
  ["j  k", "next row, row before"],
  ["Enter", "open the row"],
  ["/", "show only rows that contain a word"],
  ["Esc", "show all rows again, close this"],
  ["t", "dark, light, or as the system"],
  ["?", "these keys"],
];

let filter = "";

export function keys({ pages, go, theme }) {
  document.addEventListener("keydown", (event) => {
    if (event.metaKey || event.ctrlKey || event.altKey) return;
    const typing = event.target.closest("input, select, textarea");
    if (event.key === "Escape") {
      if (typing?.id === "find") closeFind();
      return;
    }
    if (typing) return;
    const page = pages()[Number(event.key) - 1];
    const actions = { j: () => step(1), k: () => step(-1), "/": openFind, "?": help, t: theme };
    const action = page && event.key !== "0" ? () => go(page) : actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}

function rows() {
  return [...document.querySelectorAll("#main [data-row]")].filter((row) => row.offsetParent !== null || row instanceof SVGElement);
}

function step(by) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => row.contains(document.activeElement));
  const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))];
  const link = next.querySelector("a") ?? next;
  if (link === next && !next.hasAttribute("tabindex")) next.setAttribute("tabindex", "-1");
  link.focus();
  next.scrollIntoView({ block: "nearest" });
}

export function help() {
  if (document.querySelector("dialog")) return;
  const dialog = h("dialog", { "aria-labelledby": "keys" },
    h("h2", { id: "keys" }, "Keys"),
    h("dl", {}, KEYS.map(([key, what]) => [h("dt", {}, key.split("  ").map((one) => h("kbd", {}, one))), h("dd", {}, what)])),
    h("form", { method: "dialog" }, h("button", {}, "Close")));
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
}

function openFind() {
  const box = document.getElementById("findbox");
  box.hidden = false;
  const input = document.getElementById("find");
  input.oninput = () => {
    filter = input.value.toLowerCase();
    applyFilter();
  };
  input.focus();
  input.select();
}

function closeFind() {
  filter = "";
  document.getElementById("find").value = "";
  document.getElementById("findbox").hidden = true;
  applyFilter();
}

export function applyFilter() {
  for (const row of document.querySelectorAll("#main [data-row]")) {
    row.classList.toggle("hidden", Boolean(filter) && !row.textContent.toLowerCase().includes(filter));
  }
}

export function clearFilter() {
  if (filter) closeFind();
}
