// Elements from plain calls. Every text goes in as text, so that a hostile name stays a name.

const HANDLERS = ["onclick", "onchange", "onsubmit"];
const SVG = "http://www.w3.org/2000/svg";

export function h(kind, attributes, ...children) {
  return build(document.createElement(kind), attributes, children);
}

export function svg(kind, attributes, ...children) {
  return build(document.createElementNS(SVG, kind), attributes, children);
}

function build(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element[name] = value;
    else if (name === "style") for (const [property, to] of Object.entries(value)) element.style.setProperty(property, to);
    else element.setAttribute(name, value === true ? "" : value);
  }
  add(element, children);
  return element;
}

export function add(element, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) add(element, child);
    else element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

// Make `old` look like `fresh` and keep what is the same: focus, selection and scroll positions survive an update.
export function patch(old, fresh) {
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || keyOf(old) !== keyOf(fresh)) {
    old.replaceWith(fresh);
    return;
  }
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  if (old.dataset?.own !== undefined) return; // it draws itself
  attributes(old, fresh);
  const places = new Map([...old.childNodes].filter(keyOf).map((node) => [keyOf(node), node]));
  let at = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    const known = keyOf(child) && places.get(keyOf(child));
    if (known && known !== at) old.insertBefore(known, at);
    const here = known || at;
    if (!here) {
      old.append(child);
      continue;
    }
    at = here.nextSibling;
    if (!known && keyOf(here)) {
      old.insertBefore(child, here);
      at = here;
      continue;
    }
    patch(here, child);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function attributes(old, fresh) {
  for (const name of HANDLERS) if (old[name] !== fresh[name]) old[name] = fresh[name]; // what it does is of the new numbers too
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of [...fresh.attributes]) {
    if (name === "style" || old.getAttribute(name) !== value) {
      if (name === "style") old.style.cssText = fresh.style.cssText;
      else old.setAttribute(name, value);
    }
  }
}

function keyOf(node) {
  return node.dataset?.key;
}

export function fill(element, ...children) {
  const fresh = element.cloneNode(false);
  add(fresh, children);
  patch(element, fresh);
}
