// The live numbers in this tab: the last state, its age, and whether it may be taken for the present.

const RECONNECT_MS = 1500;
const QUIET_MS = 5000; // a stream that said nothing for so long may be dead: the page asks
const ANSWER_MS = 3000;
const NO_ANSWER = "The page's server does not answer. The page goes on as soon as it does.";

// `missed`: a question got no answer, so the page that asked is opened again when the server is back.
export const live = { state: null, why: "connecting", writtenAt: null, received: 0, missed: false };
const watchers = new Set();
let source = null;
let change = ""; // the number of the last change that was sent
let heard = { clock: 0, running: 0 }; // when the server was heard last, by two clocks: one jumps, one may stop in sleep
let asking = false;

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

function hear() {
  heard = { clock: Date.now(), running: performance.now() };
}

function isQuiet() {
  return Math.abs(Date.now() - heard.clock) > QUIET_MS || performance.now() - heard.running > QUIET_MS;
}

// Called each second. After a sleep, on a connection that is half dead, or beside a server that hangs, nothing says so.
export async function ensure() {
  if (source === null || asking || !isQuiet()) return;
  asking = true;
  try {
    const answer = await fetch("/present", { signal: AbortSignal.timeout(ANSWER_MS) });
    if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
    const present = await answer.json();
    hear();
    if (live.why === "lost" || live.why === "connecting" || String(present.number) !== change) renew();
    else if (present.written_at !== null) live.writtenAt = present.written_at;
  } catch {
    if (live.why !== "lost") renew();
    live.why = "lost";
  } finally {
    asking = false;
  }
  tell();
}

function renew() {
  if (source === null) return; // the tab was hidden meanwhile
  source.close();
  connect();
}

export function connect() {
  if (source !== null && source.readyState !== EventSource.CLOSED) return;
  source = null;
  if (document.visibilityState === "hidden") return;
  source = new EventSource("/events");
  source.addEventListener("state", (event) => {
    hear();
    change = event.lastEventId;
    live.state = JSON.parse(event.data);
    live.writtenAt = live.state.written_at ?? null;
    live.why = "";
    live.received += 1;
    tell();
  });
  const trouble = (event) => {
    hear();
    change = event.lastEventId;
    const present = JSON.parse(event.data);
    live.why = present.why;
    if (present.written_at !== null) live.writtenAt = present.written_at;
    tell();
  };
  source.addEventListener("stale", trouble);
  source.addEventListener("fresh", trouble);
  source.onopen = () => {
    hear();
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
  let answer = null;
  try {
    answer = await fetch(`/api/${name}?${new URLSearchParams(query)}`, { signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    live.missed = true;
    throw new Error(NO_ANSWER);
  }
  let body = null;
  try {
    body = await answer.json();
  } catch {
    body = null;
  }
  if (answer.ok && body === null) live.missed = true; // the server ended amid its answer
  if (!answer.ok || body === null) throw new Error(body?.problem || (live.missed ? NO_ANSWER : `The server answered ${answer.status}.`));
  return body;
}
