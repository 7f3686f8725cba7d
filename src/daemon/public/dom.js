/** Elements, made and kept up to date. Whatever comes from outside goes in as text, never as markup. */

/**
 * @typedef {Node | string | number | false | null | undefined} Leaf
 * @typedef {Leaf | readonly unknown[]} Child arrays of them, and of arrays
 * @typedef {Readonly<Record<string, unknown>>} Attributes `onclick` and its like take functions; `true` sets an empty
 *   attribute; false and undefined set none
 */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  dress(element, attributes);
  element.append(...leaves(children));
  return element;
}

/**
 * @template {keyof SVGElementTagNameMap} T
 * @param {T} tag
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {SVGElementTagNameMap[T]}
 */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  dress(element, attributes);
  element.append(...leaves(children));
  return element;
}

/**
 * @param {Element} element
 * @param {Attributes} attributes
 */
function dress(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, String(value));
  }
}

/**
 * @param {readonly unknown[]} children
 * @returns {(Node | string)[]}
 */
function leaves(children) {
  return children.flat(Number.POSITIVE_INFINITY).flatMap((child) => {
    if (child === null || child === undefined || child === false) return [];
    return [child instanceof Node ? child : String(child)];
  });
}

/**
 * Replaces what an element holds.
 * @param {Element} element
 * @param {...Child} children
 */
export function fill(element, ...children) {
  element.replaceChildren(...leaves(children));
}

/**
 * Changes nothing where nothing is to be changed: a screen reader would read it again, and a selection would go.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * @template T
 * @typedef {{ key: (item: T) => string, create: (item: T) => HTMLElement, update: (element: HTMLElement, item: T) => void }} Rows
 */

/** @type {WeakMap<Element, Map<string, HTMLElement>>} */
const kept = new WeakMap();

/**
 * Brings the children of an element in line with a list; those that stay are kept, with their focus.
 * @template T
 * @param {Element} parent that holds nothing else
 * @param {readonly T[]} items
 * @param {Rows<T>} rows
 */
export function keyed(parent, items, { key, create, update }) {
  const before = kept.get(parent) ?? new Map();
  /** @type {Map<string, HTMLElement>} */
  const after = new Map();
  const focused = document.activeElement;
  items.forEach((item, at) => {
    const element = before.get(key(item)) ?? create(item);
    after.set(key(item), element);
    update(element, item);
    if (parent.children[at] !== element) parent.insertBefore(element, parent.children[at] ?? null);
  });
  while (parent.children.length > items.length) parent.lastElementChild?.remove();
  kept.set(parent, after);
  // An element that is moved loses its focus.
  if (focused instanceof HTMLElement && focused.isConnected && document.activeElement !== focused) focused.focus();
}

/**
 * The part of an element with this name, for updates.
 * @param {Element} element
 * @param {string} name of its `data-part`
 */
export function part(element, name) {
  const found = element.querySelector(`[data-part="${name}"]`);
  if (!(found instanceof HTMLElement)) throw new Error(`there is no part ${name}`);
  return found;
}

/**
 * The one element of the page with this id.
 * @param {string} id
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`there is no element ${id}`);
  return found;
}

/** Something that screen readers say once, when they are done with what they say. @param {string} text */
export function announce(text) {
  setText(byId("announcer"), text);
}
