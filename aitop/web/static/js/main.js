// The frame of every page: its head, the address, the theme, how old the numbers are.

import { h, fill } from "./dom.js";
import { age, plural } from "./format.js";
import { applyFilter, clearFilter, help, keys } from "./keys.js";
import { ageOf, connect, ensure, live, watch } from "./live.js";
import { now } from "./pages/now.js";
import { history as past } from "./pages/history.js";
import { advice } from "./pages/advice.js";
import { compare } from "./pages/compare.js";
import { limits } from "./pages/limits.js";
import { rows } from "./pages/rows.js";
import { session } from "./pages/session.js";
import { timeline } from "./pages/timeline.js";

const PAGES = { now, timeline, history: past, limits, compare, advice, rows, session };
const IN_HEAD = ["now", "timeline", "history", "limits", "compare", "advice"];
const THEMES = { auto: "light", light: "dark", dark: "auto" };
const OLD_SECONDS = 10;

let shown = null;
let address = null; // of the page that is shown

// A page: {name, title, open({query, path, go}) → {node, update?, close?}}.
function show() {
  address = location.pathname + location.search;
  const name = location.pathname.split("/")[1] || "now";
  const page = PAGES[name] ?? now;
  shown?.close?.();
  clearFilter();
  const query = Object.fromEntries(new URLSearchParams(location.search));
  shown = page.open({ query, path: location.pathname, go });
  shown.page = page;
  document.title = `${shown.title ?? page.title} · aitop`;
  document.getElementById("main").replaceChildren(shown.node);
  head();
}

export function go(to, { replace = false } = {}) {
  if (to === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"](null, "", to);
  show();
  if (!replace) window.scrollTo(0, 0);
}

function theme() {
  const root = document.documentElement;
  root.dataset.theme = THEMES[root.dataset.theme] ?? "auto";
  try {
    localStorage.setItem("aitop-theme", root.dataset.theme);
  } catch {
    // It holds for this page alone.
  }
  document.dispatchEvent(new Event("aitop-theme"));
  head();
}

const WHY = {
  none: "No numbers yet. Start the listener: aitop start",
  lost: "The page's server does not answer. Start it again: aitop web",
  connecting: "Connecting",
  future: "The numbers are from the future. Was the clock set back?",
  undated: "The numbers have no date",
  version: "The listener is newer than this page. Restart aitop web",
};

// [kind, short text, whole sentence]
function condition() {
  const seconds = ageOf();
  if (live.why === "stopped") {
    return ["old", `${age(seconds)} old`, `These numbers are ${age(seconds)} old: the listener has stopped. Start it: aitop start`];
  }
  if (!live.why && seconds > OLD_SECONDS) return ["wait", `${age(seconds)} old`, `These numbers are ${age(seconds)} old. The page asks for newer ones`];
  if (!live.why) return ["live", "live", "The numbers are live"];
  const old = live.state && seconds !== null ? ` The numbers shown are ${age(seconds)} old.` : "";
  return [live.why === "connecting" ? "wait" : "old", live.why === "connecting" ? "connecting" : live.state ? `${age(seconds)} old` : "no numbers", `${WHY[live.why]}.${old}`];
}

function head() {
  const [kind, short, whole] = condition();
  const current = shown?.page;
  const chosen = document.documentElement.dataset.theme || "auto";
  const waiting = live.state?.waiting_sessions || 0;
  fill(document.getElementById("top"),
    h("div", { class: "head" },
      h("a", { class: "brand", href: "/now", "aria-label": "aitop, now" }, h("img", { src: "/static/icon.svg", alt: "", width: "20", height: "20" }), "aitop"),
      h("nav", { "aria-label": "Pages" }, IN_HEAD.map((name) =>
        h("a", { href: `/${name}`, "aria-current": PAGES[name] === current ? "page" : null }, PAGES[name].title,
          name === "now" && waiting ? h("span", { class: "badge", title: `${plural(waiting, "session")} waiting for you` }, String(waiting)) : null))),
      h("div", { class: "tools" },
        h("span", { class: `condition ${kind}`, role: "status", title: whole }, h("i", { "aria-hidden": "true" }), short),
        h("button", { type: "button", onclick: theme, title: "Theme (t)", "aria-label": `Theme: ${chosen}. Change it` }, { auto: "◐", light: "☀", dark: "☾" }[chosen]),
        h("button", { type: "button", onclick: help, title: "Keys (?)", "aria-label": "Keys" }, "?"))),
    h("div", { id: "findbox", class: "find", hidden: document.getElementById("findbox")?.hidden ?? true, "data-own": "" },
      h("label", { for: "find" }, "Show rows with"), h("input", { id: "find", type: "search", autocomplete: "off", spellcheck: "false" })),
    kind === "old" ? h("p", { class: "stale", role: "alert" }, whole) : null);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || link.hasAttribute("download")) return;
  const href = link.getAttribute("href");
  if (!href.startsWith("/")) return;
  event.preventDefault();
  go(href);
});
addEventListener("popstate", () => {
  if (location.pathname + location.search !== address) show(); // else a link went to a place on this page
});

for (const query of ["print", "(prefers-color-scheme: dark)"]) {
  matchMedia(query).addEventListener("change", () => document.dispatchEvent(new Event("aitop-theme")));
}

keys({ pages: () => IN_HEAD, go: (name) => go(`/${name}`), theme });
watch((state) => {
  if (live.missed && !live.why) {
    live.missed = false;
    show();
    return;
  }
  head();
  shown?.update?.(state);
  applyFilter();
});
setInterval(() => {
  head();
  shown?.tick?.();
  ensure();
}, 1000);
addEventListener("online", () => ensure());
show();
connect();
