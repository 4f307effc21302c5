// Numbers as short text, as the displays in the terminal write them (aitop/segments/humanize.py, money.py).
// A test compares the two. A value that is no finite number is "-", never a guess.

export const UNKNOWN = "-";

export function number(value) {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

export function count(value) {
  const found = number(value);
  if (found === null) return UNKNOWN;
  if (found < 0) return "-" + count(-found);
  const whole = Math.floor(found + 0.5);
  if (whole < 1000) return String(whole);
  let size = 1;
  for (const unit of "kMBT") {
    size *= 1000;
    const tenths = Math.floor((whole * 10 + size / 2) / size);
    if (tenths < 10000) return `${Math.floor(tenths / 10)}.${tenths % 10}${unit}`;
  }
  return ">999T";
}

export function grouped(value) {
  const found = number(value);
  if (found === null) return UNKNOWN;
  return String(Math.round(found)).replace(/\B(?=(\d{3})+$)/g, ",");
}

export function size(value) {
  const found = number(value);
  if (found === null) return UNKNOWN;
  const whole = Math.max(0, Math.floor(found + 0.5));
  if (whole < 1000) return String(whole);
  if (whole < 999500) return `${Math.floor((whole + 500) / 1000)}K`;
  const tenths = Math.floor((whole * 10 + 500000) / 1000000);
  return tenths % 10 === 0 ? `${tenths / 10}M` : `${Math.floor(tenths / 10)}.${tenths % 10}M`;
}

// Credits of one client, in which its maker bills; they are no dollars.
export function credits(value) {
  const given = number(value);
  if (given === null) return UNKNOWN;
  const size = Math.abs(given);
  const [whole, rest] = (size % 1 === 0.25 ? size - 0.05 : size).toFixed(1).split("."); // an exact half goes to the even tenth
  return `${given <= -0.05 ? "-" : ""}${whole.replace(/\B(?=(\d{3})+$)/g, ",")}.${rest}`;
}

export function rate(value) {
  const found = number(value);
  if (found === null) return UNKNOWN;
  const tenths = Math.floor(Math.max(0, found) * 10 + 0.5);
  return tenths < 100 ? `${Math.floor(tenths / 10)}.${tenths % 10}` : count(found);
}

export function percent(value) {
  const found = number(value);
  if (found === null) return UNKNOWN;
  const whole = Math.floor(Math.max(0, found) + 0.5);
  return `${found < 100 ? Math.min(whole, 99) : Math.min(whole, 9999)}%`;
}

export function share(value) {
  const found = number(value);
  return found === null ? UNKNOWN : percent(found * 100);
}

export function amount(usd, symbol = "$", factor = 1) {
  const given = number(usd);
  let found = given === null ? null : number(given * factor);
  if (found === null) return UNKNOWN;
  let sign = found < 0 ? "-" : "";
  found = Math.abs(found);
  const cents = Math.floor(found * 100 + 0.5);
  let text;
  if (cents < 100000) {
    text = `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, "0")}`;
    if (!cents) sign = "";
  } else if (found < 99999.5) text = grouped(Math.floor(found + 0.5));
  else text = count(found);
  return sign + symbol + text;
}

export function exactAmount(usd, symbol = "$", factor = 1) {
  const given = number(usd);
  const found = given === null ? null : number(given * factor);
  if (found === null) return UNKNOWN;
  const [whole, rest] = Math.abs(found).toFixed(4).split(".");
  return `${found < -0.00005 ? "-" : ""}${symbol}${whole.replace(/\B(?=(\d{3})+$)/g, ",")}.${rest}`;
}

const counted = (counts, key) => (number(counts?.[key]) || 0) > 0;

// ≥ where a sum is a lower bound, also before its share of something.
export function atLeast(counts) {
  return ["unpriced_requests", "understated_requests", "uncounted_sessions"].some((key) => counted(counts, key)) ? "≥" : "";
}

// Marks of how sure an amount is: ≥ a lower bound, ~ priced as its family, ≈ a subscription's equivalent.
export function marks(counts, money) {
  return atLeast(counts) + (counted(counts, "estimated_requests") ? "~" : "") + (money.subscription ? "≈" : "");
}

export function money(usd, how, counts = null, exact = false) {
  const shown = (exact ? exactAmount : amount)(usd, how.symbol, how.rate);
  return shown === UNKNOWN ? shown : marks(counts, how) + shown;
}

export function spent(sums) {
  const known = number(sums?.spent_usd);
  return known === null ? number(sums?.cost_usd) : known;
}

export function duration(seconds) {
  const found = number(seconds);
  if (found === null) return UNKNOWN;
  const minutes = Math.floor(Math.max(0, Math.floor(found)) / 60);
  if (minutes < 1) return "<1m";
  if (minutes < 60) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (minutes < 1440) return `${hours}h${String(minutes % 60).padStart(2, "0")}`;
  return hours < 24000 ? `${Math.floor(hours / 24)}d${hours % 24}h` : ">999d";
}

export function took(milliseconds) {
  const found = number(milliseconds);
  if (found === null) return UNKNOWN;
  const whole = Math.floor(Math.max(0, found) + 0.5);
  if (whole < 1000) return `${whole}ms`;
  if (whole < 9950) return `${Math.floor((whole + 50) / 1000)}.${Math.floor(((whole + 50) % 1000) / 100)}s`;
  const seconds = Math.floor((whole + 500) / 1000);
  if (seconds < 60) return `${seconds}s`;
  return seconds < 3600 ? `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, "0")}` : duration(seconds);
}

export function age(seconds) {
  const found = number(seconds);
  if (found === null) return UNKNOWN;
  const whole = Math.max(0, Math.floor(found));
  for (const [unit, length] of [["d", 86400], ["h", 3600], ["m", 60]]) {
    if (whole >= length) return `${Math.floor(whole / length)}${unit}`;
  }
  return `${whole}s`;
}

// A name that comes from a file: what cannot be seen is shown as a mark, and it never reorders the text around it.
export function clean(value, most = 120) {
  const text = String(value ?? "").replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "\ufffd");
  return text.length > most ? text.slice(0, most - 1) + "…" : text;
}

export function shortModel(name) {
  return clean(name, 60).replace(/^claude-/, "").replace(/-\d{8}$/, "");
}

const two = (value) => String(value).padStart(2, "0");

export function clock(at, seconds = false) {
  const when = new Date(at * 1000);
  return `${two(when.getHours())}:${two(when.getMinutes())}${seconds ? ":" + two(when.getSeconds()) : ""}`;
}

export function day(at) {
  const when = new Date(at * 1000);
  return `${when.getFullYear()}-${two(when.getMonth() + 1)}-${two(when.getDate())}`;
}

export function moment(at) {
  return number(at) === null ? UNKNOWN : `${day(at)} ${clock(at, true)}`;
}

export function plural(many, noun) {
  return `${grouped(many)} ${noun}${many === 1 ? "" : "s"}`;
}
