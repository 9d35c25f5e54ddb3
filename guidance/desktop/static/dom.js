// The only way the pages make elements. Data becomes text nodes and attributes, never markup.

/**
 * An element.
 * @param {string} tag its name; "p.small.muted" gives classes too
 * @param {object} properties `onX` adds a listener, others are attributes (true: bare; false, null, undefined: left out)
 * @param {...(Node|string|null)} children strings become text nodes; null is left out
 */
export function h(tag, properties = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else setAttribute(element, key, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Set, or with false, null or undefined remove, an attribute; nothing is touched that is already so. */
export function setAttribute(element, name, value) {
  const text = value === true ? "" : value;
  if (text === false || text == null) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
  } else if (element.getAttribute(name) !== String(text)) {
    element.setAttribute(name, text);
  }
}

/** Set an element's text; an equal text is left alone, so that live regions and selections stay quiet. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const SVG = "http://www.w3.org/2000/svg";

/** An SVG element with attributes and children. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/**
 * Make `parent`'s children those of `items`, in order, keeping the elements of keys that stay.
 * @param {Element} parent
 * @param {Array} items
 * @param {(item: any) => string} key of an item, unique among them
 * @param {(item: any) => Element} make
 * @param {(element: Element, item: any) => void} update called for new and kept ones
 */
export function keyed(parent, items, key, make, update) {
  const wanted = new Set(items.map((item) => String(key(item))));
  // First those that go: what stays in order is then not moved at all, which would cost a layout, and the focus.
  for (const child of [...parent.children]) if (!wanted.has(child.dataset.key)) child.remove();
  const kept = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    let element = kept.get(String(key(item)));
    if (!element) {
      element = make(item);
      element.dataset.key = key(item);
    }
    update(element, item);
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
  }
}
