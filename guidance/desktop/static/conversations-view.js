// The row of conversations, for agents who hold several. It appears with the second one.

import { h, keyed, setAttribute, setText } from "./dom.js";
import { needsAnswer } from "./desk-state.js";
import { shortName } from "./words.js";

export class ConversationsView {
  #root;
  #onSelect;

  /** @param {(conversationId: string) => void} onSelect */
  constructor(root, onSelect) {
    this.#root = root;
    this.#onSelect = onSelect;
    root.addEventListener("keydown", (event) => this.#arrow(event));
  }

  /** @param {boolean} still keep the row as it is: a card under the pointer must not move */
  show({ conversations, selected }, still) {
    if (!still) setAttribute(this.#root, "hidden", conversations.length < 2);
    keyed(this.#root, conversations, ({ id }) => id, (one) => this.#tab(one), (tab, one) => update(tab, one, selected));
  }

  #tab({ id }) {
    const onclick = () => this.#onSelect(id);
    return h("button.tab", { type: "button", role: "tab", "aria-controls": "desk", onclick }, h("span", { dir: "auto" }), h("span.small.muted"));
  }

  #arrow(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const tabs = [...this.#root.children];
    const next = step && tabs.at((tabs.indexOf(document.activeElement) + step) % tabs.length);
    if (!next) return;
    event.preventDefault();
    next.focus();
    next.click();
  }
}

function update(tab, conversation, selected) {
  const [name, standing] = tab.children;
  const isSelected = conversation.id === selected;
  setAttribute(tab, "aria-selected", String(isSelected));
  setAttribute(tab, "tabindex", isSelected ? "0" : "-1");
  setAttribute(tab, "data-needs", needsAnswer(conversation));
  setText(name, shortName(conversation.customerName));
  setText(standing, conversation.closed ? "ended" : needsAnswer(conversation) ? "needs an answer" : "listening");
}
