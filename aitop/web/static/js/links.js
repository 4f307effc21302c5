// Addresses: every view has one that can be kept, and every number leads to the rows it was added from.

import { day } from "./format.js";

export function address(page, query) {
  const kept = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== false);
  const text = new URLSearchParams(kept.map(([name, value]) => [name, String(value)])).toString();
  return `/${page}${text ? `?${text}` : ""}`;
}

export function sessionAt(row) {
  return `/session/${encodeURIComponent(row.provider)}/${encodeURIComponent(row.session ?? row.id)}`;
}

export function rowsAt(query) {
  return address("rows", query);
}

// The first day of a period of the published state, as an address says it.
export function firstDay(state, period) {
  if (period === "day") return "today";
  const first = new Date(state.written_at * 1000);
  const sunday = state.display?.week_start === "sunday";
  if (period === "month") first.setDate(1);
  else first.setDate(first.getDate() - ((first.getDay() + (sunday ? 0 : 6)) % 7));
  return day(first.getTime() / 1000);
}

// What was done under a limit since its last reset.
export function limitRows(limit) {
  return rowsAt({ provider: limit.provider, from: Math.round(limit.resets_at - limit.window_minutes * 60), to: Math.round(limit.resets_at) });
}

// What a budget counts in its running period; for a budget of sessions, its dearest.
export function budgetRows(state, budget) {
  const dearest = budget.session && (state.sessions ?? []).find((session) => session.id === budget.session);
  if (budget.period === "session") return dearest ? rowsAt({ provider: dearest.provider, session: dearest.id }) : null;
  return rowsAt({ since: firstDay(state, budget.period), budget: budget.scope === "all" ? null : budget.name });
}
