// The card: the one prompt worth saying now, its answers, or what is understood while there is none.

import { h, setText } from "./dom.js";
import { isHeard } from "./hearing.js";
import { REASONS, callName, duration, endingWords, intentCare, intentWords, kindWords, riskWords } from "./words.js";

const LONG_WORDS = 170; // characters; more would push the answers out of a glance
/** A press this soon after another prompt took the card was meant for the one before. */
const SETTLING_MS = 400;
const ANSWERABLE = new Set(["accepted", "dismissed"]);

export class CardView {
  #root;
  #onAnswer;
  #mode = "actions"; // or "reasons", "note"
  #drawn = ""; // what the card's elements were made for
  #conversation = null;
  #replacedAt = -Infinity;
  #ticked = new Set(); // "prompt id/step number": ticked by hand or by hearing

  /**
   * @param {Element} root
   * @param {(answer: {conversationId: string, promptId: string, answer: "accepted"|"dismissed", reason: string|null,
   *   note: string|null}) => void} onAnswer
   */
  constructor(root, onAnswer) {
    this.#root = root;
    this.#onAnswer = onAnswer;
  }

  /** Draw the conversation's card as of `now`; null: there is no conversation. */
  show(conversation, { now, blank }) {
    const live = conversation?.prompt ?? null;
    const before = this.#live?.prompt.prompt_id;
    if (live?.prompt.prompt_id !== before) {
      this.#mode = "actions";
      if (before && live) this.#replacedAt = performance.now();
    }
    this.#conversation = conversation;
    const drawn = JSON.stringify([conversation?.id, live?.prompt.prompt_id, live?.ending, live?.shownAt, this.#mode]);
    if (live && drawn !== this.#drawn) this.#draw(live);
    if (!live) this.#drawBlank(conversation, blank);
    this.#drawn = live ? drawn : "";
    if (live) this.#refresh(live, now);
  }

  accept() {
    return this.#answer("accepted", null);
  }

  notNow() {
    return this.#answer("dismissed", "not_now");
  }

  /** Ask what was wrong with the prompt; again: never mind. */
  toggleReasons() {
    if (!this.#answerable) return false;
    this.#setMode(this.#mode === "actions" ? "reasons" : "actions");
    return true;
  }

  /** Answer with the `i`th reason, from 0; false while none is asked for. */
  chooseReason(i) {
    if (this.#mode !== "reasons" || !this.#answerable) return false;
    const [reason] = REASONS[i];
    if (reason !== "other") return this.#answer("dismissed", reason);
    this.#setMode("note");
    return true;
  }

  /** Leave the reasons; false where they are not open. */
  cancel() {
    if (this.#mode === "actions") return false;
    this.#setMode("actions");
    return true;
  }

  get #live() {
    return this.#conversation?.prompt ?? null;
  }

  get #answerable() {
    return this.#live !== null && this.#live.ending === null;
  }

  #answer(answer, reason, note = null) {
    if (!this.#answerable) return false;
    if (performance.now() - this.#replacedAt < SETTLING_MS) return true;
    const promptId = this.#live.prompt.prompt_id;
    this.#onAnswer({ conversationId: this.#conversation.id, promptId, answer, reason, note });
    return true;
  }

  #setMode(mode) {
    this.#mode = mode;
    this.#draw(this.#live);
    const focus = { reasons: ".reasons .button", note: ".note input", actions: "[data-action=reasons]" }[mode];
    this.#root.querySelector(focus)?.focus();
  }

  #draw(live) {
    const { prompt, ending } = live;
    const focused = this.#root.contains(document.activeElement) ? document.activeElement.dataset.action : null;
    const asking = this.#mode !== "actions" && !ending;
    this.#root.dataset.state = ending ? "ending" : "live";
    this.#root.toggleAttribute("data-ending", ending !== null);
    this.#root.dataset.prompt = prompt.prompt_id;
    this.#root.replaceChildren(
      h(
        "div.card-top",
        {},
        h("h2.kind", {}, kindWords(prompt.kind)),
        h("p.small.muted", { "data-cued": true }, cued(live, this.#conversation)),
      ),
      words(prompt, ending),
      ...(asking ? [] : [this.#steps(prompt), why(prompt)]),
      h("div.foot", {}, ending ? endingLine(ending) : this.#answers()),
      h("div.time-left", { "aria-hidden": "true", hidden: ending !== null }, h("span")),
    );
    if (focused) this.#root.querySelector(`[data-action="${focused}"]`)?.focus();
  }

  #answers() {
    if (this.#mode === "reasons") return this.#reasons();
    if (this.#mode === "note") return this.#note();
    return h(
      "div.actions",
      {},
      button("Accept", "A", "accept", () => this.accept(), ".main"),
      button("Not now", "N", "not-now", () => this.notNow()),
      button("…", "W", "reasons", () => this.toggleReasons(), "", "What was wrong?"),
    );
  }

  #reasons() {
    const choices = REASONS.map(([reason, label], i) =>
      button(label, String(i + 1), `reason-${reason}`, () => this.chooseReason(i)),
    );
    const back = button("Back", "Esc", "back", () => this.cancel(), ".plain");
    return h("div.reasons", { role: "group", "aria-label": "What was wrong?" }, h("p", {}, "What was wrong?"), ...choices, back);
  }

  #note() {
    const input = h("input", { id: "note", type: "text", maxlength: "500", autocomplete: "off", dir: "auto" });
    const send = (event) => {
      event.preventDefault();
      this.#answer("dismissed", "other", input.value.trim() || null);
    };
    return h(
      "form.note",
      { onsubmit: send },
      h("label", { for: "note" }, "What was wrong? In your words, or nothing."),
      input,
      h("button.button.main", { type: "submit" }, "Send"),
      h("button.button.plain", { type: "button", onclick: () => this.cancel() }, "Back"),
    );
  }

  #steps(prompt) {
    const steps = prompt.steps.map((step, i) => {
      const input = h("input", { type: "checkbox", "data-action": `step-${i}` });
      input.addEventListener("change", () => this.#tick(prompt, i, input.checked));
      return h("li", {}, h("label", {}, input, h("span", { dir: "auto" }, step)));
    });
    return h("ul.steps", { "aria-label": "Steps", hidden: !steps.length }, ...steps);
  }

  #tick(prompt, i, on) {
    if (on) this.#ticked.add(`${prompt.prompt_id}/${i}`);
    else this.#ticked.delete(`${prompt.prompt_id}/${i}`);
  }

  /** What changes while the card stays: time left, steps that were heard. */
  #refresh({ prompt }, now) {
    const [from, until] = [Date.parse(prompt.created_at), Date.parse(prompt.expires_at)];
    const left = Math.min(1, Math.max(0, (until - now) / (until - from)));
    this.#root.querySelector(".time-left span").style.width = `${(left * 100).toFixed(1)}%`;
    const heard = this.#heard(prompt);
    this.#root.querySelectorAll(".steps input").forEach((input, i) => {
      if (heard[i] && !input.dataset.heard) {
        input.dataset.heard = "yes"; // once: the agent may untick what was misheard
        this.#tick(prompt, i, true);
      }
      input.checked = this.#ticked.has(`${prompt.prompt_id}/${i}`);
    });
  }

  #heard(prompt) {
    const { entries } = this.#conversation;
    const since = entries.findIndex(({ kind, id }) => kind === "prompt" && id === prompt.prompt_id);
    const said = entries.slice(since).filter(({ kind, speaker }) => kind === "turn" && speaker === "agent");
    const utterances = said.map(({ text }) => text);
    return prompt.steps.map((step) => isHeard(step, utterances));
  }

  #drawBlank(conversation, blank) {
    this.#root.dataset.state = "idle";
    this.#root.removeAttribute("data-ending");
    delete this.#root.dataset.prompt;
    const { understood = [], sentiment = null, churnRisk = null } = conversation ?? {};
    const facts = [
      understood.length && ["understood", ...understood.map((label) => chip(intentWords(label), intentCare(label)))],
      sentiment && ["mood", { negative: "unhappy", neutral: "calm", positive: "content" }[sentiment]],
      churnRisk !== null && ["may leave", riskWords(churnRisk)],
    ].filter(Boolean);
    const heading = facts.length ? "Nothing needs saying now." : blank;
    const drawn = JSON.stringify([heading, understood, sentiment, churnRisk && riskWords(churnRisk)]);
    if (this.#root.dataset.blank === drawn && this.#root.querySelector(".understood")) return;
    this.#root.dataset.blank = drawn;
    const lines = facts.flatMap(([name, ...values]) => [h("dt", {}, name), h("dd", {}, ...values)]);
    const list = facts.length ? [h("dl", {}, ...lines)] : [];
    this.#root.replaceChildren(h("div.understood", {}, h("h2", {}, heading), ...list));
  }
}

export const chip = (label, care) => h(`span.chip${care && `.${care}`}`, { dir: "auto" }, label);

function button(label, key, action, onclick, look = "", name = null) {
  const properties = { type: "button", "data-action": action, "aria-keyshortcuts": key, "aria-label": name, title: name, onclick };
  return h(`button.button${look}`, properties, label, h("kbd", { "aria-hidden": "true" }, key));
}

function words(prompt, ending) {
  const gone = ending !== null && !ANSWERABLE.has(ending.state) && ending.state !== "fulfilled";
  const long = prompt.words.length > LONG_WORDS;
  return h("p.words", { dir: "auto", lang: prompt.language, "data-long": long, "data-gone": gone }, `“${prompt.words}”`);
}

function why(prompt) {
  return h("p.why.muted", { dir: "auto", hidden: !prompt.why.length }, `why: ${prompt.why.join(" · ")}`);
}

function endingLine({ state, reason }) {
  const line = reason && !ANSWERABLE.has(state) ? `${endingWords(state)}: ${reason}` : endingWords(state);
  return h("p.ending", { role: "status" }, line);
}

/** How fast it came, where that reassures: not for one that waited for a reconnection. */
function cued({ prompt, shownAt, missed }, { customerName }) {
  const ms = shownAt - Date.parse(prompt.turn_ended_at);
  if (shownAt === null || missed || ms < 0 || ms > 60_000) return "";
  const took = ms < 10_000 ? `${Math.max(0.1, ms / 1000).toFixed(1)} s` : duration(ms);
  return `cued ${took} after ${callName(customerName)} spoke`;
}
