// The live numbers in this tab: the last state, its age, and whether it may be taken for the present.

const RECONNECT_MS = 1500;

export const live = { state: null, why: "connecting", writtenAt: null, received: 0 };
const watchers = new Set();
let source = null;

export function watch(watcher) {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

function tell() {
  for (const watcher of [...watchers]) watcher(live);
}

// A browser opens six connections to one server at most, so a tab that cannot be seen gives its own up.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") {
    source?.close();
    source = null;
  } else if (source === null) {
    live.why ||= "connecting";
    tell();
    connect();
  }
});

export function connect() {
  if (source !== null && source.readyState !== EventSource.CLOSED) return;
  source = null;
  if (document.visibilityState === "hidden") return;
  source = new EventSource("/events");
  source.addEventListener("state", (event) => {
    live.state = JSON.parse(event.data);
    live.writtenAt = live.state.written_at ?? null;
    live.why = "";
    live.received += 1;
    tell();
  });
  const trouble = (event) => {
    const told = JSON.parse(event.data);
    live.why = told.why;
    if (told.written_at !== null) live.writtenAt = told.written_at;
    tell();
  };
  source.addEventListener("stale", trouble);
  source.addEventListener("fresh", trouble);
  source.onopen = () => {
    if (live.why === "lost" || live.why === "connecting") live.why = live.state ? "" : "none";
    tell();
  };
  source.onerror = () => {
    live.why = "lost";
    tell();
    if (source?.readyState === EventSource.CLOSED) setTimeout(connect, RECONNECT_MS);
  };
}

export function ageOf(now = Date.now() / 1000) {
  return live.writtenAt === null ? null : Math.max(0, now - live.writtenAt);
}

// The currency of the published state; money stays in USD until it is written.
export function currency(state) {
  const display = state?.display ?? {};
  return {
    symbol: display.symbol || "$",
    rate: typeof display.rate === "number" ? display.rate : 1,
    subscription: display.billing === "subscription",
  };
}

export async function ask(name, query, signal) {
  const answer = await fetch(`/api/${name}?${new URLSearchParams(query)}`, { signal });
  let body = null;
  try {
    body = await answer.json();
  } catch {
    body = null;
  }
  if (!answer.ok || body === null) throw new Error(body?.problem || `The server answered ${answer.status}.`);
  return body;
}
