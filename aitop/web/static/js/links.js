// Addresses: every view has one that can be kept, and every number leads to the rows it was added from.

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
