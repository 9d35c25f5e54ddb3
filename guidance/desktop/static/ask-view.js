// What came of it: a small question under the card once a conversation is over. It can be left alone; it goes by itself.

import { h, setAttribute } from "./dom.js";
import { callName } from "./words.js";

const STAYS_MS = 60_000;
const RESULTS = [
  ["accepted", "Yes"],
  ["declined", "No"],
  ["open", "Open"],
];
const DISPOSITIONS = [
  ["solved", "Solved"],
  ["unsolved", "Not solved"],
  ["follow_up", "To follow up"],
];
const OVERALL = "overall";

export class AskView {
  #root;
  #onAnswer;
  #ask = null;
  #answers = new Map(); // prompt id, or OVERALL → what was chosen
  #left = 0;
  #at = 0;

  /**
   * @param {Element} root
   * @param {(ask: object, answer: {offers: {prompt_id: string, result: string}[], disposition: string|null}) => void}
   *   onAnswer the question is done with; an empty answer: it was waved away, or nobody looked at it in time
   */
  constructor(root, onAnswer) {
    this.#root = root;
    this.#onAnswer = onAnswer;
  }

  /** Draw the first of the open questions as of `now`; true: it was not there before. */
  show([ask = null], now) {
    const isNew = ask?.record_id !== this.#ask?.record_id;
    if (isNew) this.#begin(ask, now);
    if (ask) this.#age(now);
    return isNew && ask !== null;
  }

  /** Go to the question by key; false where there is none. */
  focus() {
    if (!this.#ask) return false;
    this.#root.querySelector("button").focus();
    return true;
  }

  /** Wave it away; false where the focus is elsewhere. */
  skip() {
    if (!this.#ask || !this.#root.contains(document.activeElement)) return false;
    this.#answers.clear();
    this.#done();
    return true;
  }

  #begin(ask, now) {
    this.#ask = ask;
    this.#answers.clear();
    this.#left = STAYS_MS;
    this.#at = now;
    setAttribute(this.#root, "hidden", ask === null);
    this.#draw();
  }

  /** Its time runs while nobody is at it. */
  #age(now) {
    const busy = this.#root.contains(document.activeElement) || this.#root.matches(":hover");
    if (!busy) this.#left -= now - this.#at;
    this.#at = now;
    this.#root.querySelector(".time-left span").style.width = `${Math.max(0, (this.#left / STAYS_MS) * 100).toFixed(1)}%`;
    if (this.#left <= 0) this.#done();
  }

  #draw() {
    if (!this.#ask) return this.#root.replaceChildren();
    const { offers, ask_disposition, customer_name } = this.#ask;
    const rows = offers.map(({ prompt_id, title }) => this.#row(prompt_id, title, RESULTS));
    if (ask_disposition) rows.push(this.#row(OVERALL, "All in all", DISPOSITIONS));
    const skip = h("button.button.plain", { type: "button", "data-action": "skip-ask", onclick: () => this.#wave() }, "Skip");
    const done = h("button.button", { type: "button", "data-action": "done-ask", onclick: () => this.#done() }, "Done");
    const asks = `Did ${callName(customer_name)} say yes?`;
    this.#root.replaceChildren(
      h("h2", { dir: "auto" }, asks),
      ...rows,
      h("div.ask-foot", {}, skip, done),
      h("div.time-left", { "aria-hidden": "true" }, h("span")),
    );
  }

  #row(key, title, choices) {
    const id = `ask-${key}`;
    const buttons = choices.map(([value, label]) => {
      const chosen = this.#answers.get(key) === value;
      const properties = { type: "button", "aria-pressed": String(chosen), "data-choice": `${key}/${value}` };
      return h("button.button", { ...properties, onclick: () => this.#choose(key, value) }, label);
    });
    return h("div.ask-row", { role: "group", "aria-labelledby": id }, h("span", { id, dir: "auto" }, title), h("span.choices", {}, ...buttons));
  }

  #choose(key, value) {
    this.#answers.set(key, value);
    const asked = this.#ask.offers.length + (this.#ask.ask_disposition ? 1 : 0);
    if (this.#answers.size === asked) return this.#done();
    this.#draw();
    this.#root.querySelector(`[data-choice="${key}/${value}"]`).focus();
  }

  #wave() {
    this.#answers.clear();
    this.#done();
  }

  #done() {
    const { [OVERALL]: disposition = null, ...results } = Object.fromEntries(this.#answers);
    const offers = Object.entries(results).map(([prompt_id, result]) => ({ prompt_id, result }));
    this.#onAnswer(this.#ask, { offers, disposition });
  }
}
