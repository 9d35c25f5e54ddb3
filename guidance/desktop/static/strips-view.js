// The two lines under the card: what must be said, and the customer's journey. Each opens downwards.

import { h, setAttribute } from "./dom.js";

const SAID = new Set(["fulfilled", "accepted"]);

/** The compliance list: every line that must be said, ticked off when it was heard. */
export class MustSayView {
  #root;
  #onSaid;
  #open = false;
  #drawn = "";

  /** @param {(promptId: string) => void} onSaid the agent says that they have said it */
  constructor(root, onSaid) {
    this.#root = root;
    this.#onSaid = onSaid;
  }

  show(conversation) {
    const pinned = conversation?.pinned ?? [];
    setAttribute(this.#root, "hidden", pinned.length === 0);
    const drawn = JSON.stringify([conversation?.id, this.#open, pinned.map(({ prompt, state }) => [prompt.prompt_id, state])]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const open = pinned.filter(({ state }) => state === "live");
    const line = open.length
      ? h("span.items", {}, ...pinned.map(item))
      : h("span.items.muted", {}, pinned.every(({ state }) => SAID.has(state)) ? "all said ✓" : "time is up");
    const more = h("ul.more", { hidden: !this.#open || !open.length }, ...open.map((one) => this.#words(one)));
    replaceStrip(this.#root, "must say", line, open.length > 0, this.#open, more, () => {
      this.#open = !this.#open;
      this.show(conversation);
    });
  }

  #words({ prompt }) {
    const said = () => this.#onSaid(prompt.prompt_id);
    return h(
      "li",
      {},
      h("p", { dir: "auto", lang: prompt.language }, `“${prompt.words}”`),
      h("button.button", { type: "button", onclick: said, "data-action": `said-${prompt.prompt_id}` }, "I have said it"),
    );
  }
}

/** What matters of the customer's earlier contacts. */
export class JourneyView {
  #root;
  #open = false;
  #drawn = "";

  constructor(root) {
    this.#root = root;
  }

  show(conversation) {
    const journey = conversation?.journey ?? [];
    setAttribute(this.#root, "hidden", journey.length === 0);
    const drawn = JSON.stringify([conversation?.id, this.#open, journey]);
    if (drawn === this.#drawn || !journey.length) return;
    this.#drawn = drawn;
    const [latest, ...earlier] = journey;
    const rest = earlier.length && !this.#open ? `and ${earlier.length} more` : "";
    const line = h("span.items", {}, h("span", { dir: "auto" }, latest), h("span.muted", {}, rest));
    const more = h("ul.more", { hidden: !this.#open }, ...earlier.map((contact) => h("li", { dir: "auto" }, contact)));
    replaceStrip(this.#root, "journey", line, earlier.length > 0, this.#open, more, () => {
      this.#open = !this.#open;
      this.show(conversation);
    });
  }
}

function item({ prompt, state }) {
  const mark = SAID.has(state) ? " ✓" : state === "expired" ? ", time is up" : "";
  return h("span.item", { "data-state": state, dir: "auto" }, `${prompt.title}${mark}`);
}

function replaceStrip(root, name, line, opens, open, more, toggle) {
  const hadFocus = root.contains(document.activeElement);
  const arrow = h("span.muted", { "aria-hidden": "true" }, open ? "▾" : "▸");
  const head = opens
    ? h("button.line", { type: "button", "aria-expanded": String(open), onclick: toggle }, h("span", {}, name), line, arrow)
    : h("div.line", {}, h("span", {}, name), line);
  root.replaceChildren(head, more);
  if (hadFocus) head.focus();
}
