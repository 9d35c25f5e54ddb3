// The wall: a row a conversation, of which only those that are seen are in the page.

import { h, keyed, setAttribute } from "./dom.js";
import { COLUMNS, makeRow, updateRow } from "./wall-row.js";

const ROW_PX = 52; // as in supervisor.css
const BEYOND = 4; // rows kept ready above and below what is seen

export class WallView {
  #scroll;
  #space = h("div.space", { role: "rowgroup" });
  #blank = h("p.blank");
  #onOpen;
  #state = null;
  #frame = null;

  /** @param {(conversationId: string) => void} onOpen */
  constructor(root, onOpen) {
    this.#onOpen = onOpen;
    const head = h("div.row.head", { role: "row", "aria-rowindex": "1" }, ...COLUMNS.map((name) => h("div.cell", { role: "columnheader" }, name)));
    this.#scroll = h("div.scroll", { role: "grid", "aria-label": "Live conversations, who needs somebody most first" }, h("div.heads", { role: "rowgroup" }, head), this.#space);
    root.append(this.#scroll, this.#blank);
    this.#scroll.addEventListener("scroll", () => this.#drawSoon(), { passive: true });
    this.#space.addEventListener("click", (event) => this.#open(event.target));
    this.#space.addEventListener("keydown", (event) => this.#key(event));
    new ResizeObserver(() => this.#drawSoon()).observe(this.#scroll);
  }

  /** The conversations whose rows are under the pointer or have the focus: those must not move. */
  held() {
    const rows = [this.#space.querySelector(".row:hover"), this.#focused()];
    return rows.filter(Boolean).map((row) => row.dataset.conversation);
  }

  /** @param {string} blank what to say while there are no rows */
  show(state, blank) {
    this.#state = state;
    this.#blank.hidden = state.order.length > 0;
    this.#blank.textContent = blank;
    this.#scroll.hidden = state.order.length === 0;
    this.#draw();
  }

  /** Put the focus on a conversation's row; false where it has none. */
  focus(conversationId) {
    const place = this.#state.order.indexOf(conversationId);
    if (place >= 0) this.#focusPlace(place);
    return place >= 0;
  }

  #focused() {
    return this.#space.contains(document.activeElement) ? document.activeElement.closest(".row") : null;
  }

  #drawSoon() {
    this.#frame ??= requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#frame = null;
    if (!this.#state) return;
    const { order, rows, watched, now } = this.#state;
    this.#space.style.height = `${order.length * ROW_PX}px`;
    setAttribute(this.#scroll, "aria-rowcount", String(order.length + 1));
    const focused = this.#focused();
    const places = this.#places(order, focused?.dataset.conversation);
    keyed(
      this.#space,
      places,
      (place) => order[place],
      (place) => makeRow(rows.get(order[place])),
      (element, place) =>
        updateRow(element, rows.get(order[place]), { now, place, top: place * ROW_PX, watched: order[place] === watched }),
    );
    // Putting the rows in their order may have moved the focused one in the page's tree, which takes its focus.
    if (focused?.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
    this.#letTabIn(focused);
  }

  /** The places that are drawn: those in sight, and that of the focused row, wherever it is. */
  #places(order, focusedId) {
    const first = Math.max(0, Math.floor(this.#scroll.scrollTop / ROW_PX) - BEYOND);
    const count = Math.ceil(this.#scroll.clientHeight / ROW_PX) + 2 * BEYOND;
    const places = new Set(order.slice(first, first + count).map((_, i) => first + i));
    const focused = focusedId === undefined ? -1 : order.indexOf(focusedId);
    if (focused >= 0) places.add(focused);
    return [...places].sort((one, other) => one - other);
  }

  /** One row takes part in the order of Tab: the focused one, or else the first. */
  #letTabIn(focused) {
    const stop = focused ?? this.#space.firstElementChild;
    for (const row of this.#space.children) setAttribute(row, "tabindex", row === stop ? "0" : "-1");
  }

  #open(target) {
    const row = target.closest(".row");
    if (row) this.#onOpen(row.dataset.conversation);
  }

  #key(event) {
    const row = this.#focused();
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const { order } = this.#state;
    const place = order.indexOf(row.dataset.conversation);
    const page = Math.max(1, Math.floor(this.#scroll.clientHeight / ROW_PX) - 2);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -place, End: order.length - 1 - place };
    if (event.key in steps) this.#focusPlace(Math.min(order.length - 1, Math.max(0, place + steps[event.key])));
    else if (event.key === "Enter" || event.key === " ") this.#open(row);
    else return;
    event.preventDefault();
  }

  #focusPlace(place) {
    const [top, seen] = [place * ROW_PX, this.#scroll.clientHeight - ROW_PX]; // less a row: the header covers it
    if (top < this.#scroll.scrollTop) this.#scroll.scrollTop = top;
    if (top + ROW_PX > this.#scroll.scrollTop + seen) this.#scroll.scrollTop = top + ROW_PX - seen;
    this.#draw();
    const id = this.#state.order[place];
    [...this.#space.children].find((row) => row.dataset.conversation === id)?.focus({ preventScroll: true });
  }
}
