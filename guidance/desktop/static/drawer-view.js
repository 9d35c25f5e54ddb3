// The drawer: one conversation from close by. What is said and cued, what came before, and why.

import { h, setAttribute, setText } from "./dom.js";
import { TranscriptView } from "./transcript-view.js";
import { transcriptOf } from "./wall-state.js";
import { WhyView } from "./why-view.js";
import { channelWords, duration, moodOf, promptFateWords, riskWords, timeOfDay } from "./words.js";

export class DrawerView {
  #root;
  #title = h("h2", { dir: "auto", tabindex: "-1" });
  #standing = h("p.muted");
  #need = h("p.need", { dir: "auto" });
  #journey = h("ul.journey");
  #transcript;
  #why;

  /**
   * @param {() => void} onClose
   * @param {() => void} onMoodTable
   */
  constructor(root, { onClose, onMoodTable }) {
    this.#root = root;
    const close = h("button.button", { type: "button", onclick: onClose }, "Close", h("kbd", {}, "Esc"));
    const mood = h("button.button.plain", { type: "button", onclick: onMoodTable }, "Mood as a table");
    const said = h("section.transcript", { "aria-label": "Transcript" });
    const why = h("section.reasons-why", { "aria-label": "Why", tabindex: "0" }, h("h3", {}, "Why"));
    root.append(
      h("header.drawer-head", {}, this.#title, close, this.#standing, mood, this.#need),
      h("section.journey-box", { "aria-label": "Journey" }, this.#journey),
      said,
      why,
    );
    this.#transcript = new TranscriptView(said, { agent: "agent", fate: promptFateWords, pinned: true, early: true });
    this.#why = new WhyView(why);
  }

  show({ watched, view, viewTrouble, rows, now }) {
    setAttribute(this.#root, "hidden", watched === null);
    if (watched === null) return;
    const row = view?.row ?? rows.get(watched) ?? null;
    setText(this.#title, row?.customer_name ?? "Unknown customer");
    setText(this.#standing, row ? standing(row, view?.ended ?? row.ended ?? false, now) : "");
    setText(this.#need, row?.need_why ?? "");
    const journey = view?.journey ?? [];
    const drawn = journey.join("\n");
    if (this.#journey.dataset.drawn !== drawn) {
      this.#journey.dataset.drawn = drawn;
      this.#journey.replaceChildren(...journey.map((contact) => h("li", { dir: "auto" }, contact)));
    }
    this.#journey.parentElement.hidden = journey.length === 0;
    const blank = viewTrouble ?? (view ? "Nothing has been said yet." : "Opening …");
    this.#transcript.show(view ? transcriptOf(view) : { id: watched, customerName: null, entries: [], partials: [] }, blank);
    this.#why.show(view);
  }

  /** Put the focus where a reader starts. */
  focus() {
    this.#title.focus({ preventScroll: true });
  }
}

function standing({ channel, started_at, agent_id, churn_risk }, ended, now) {
  const facts = [
    ended ? "ended" : `${channelWords(channel)} for ${duration(now - Date.parse(started_at))}`,
    agent_id ? `with ${agent_id}` : "nobody has taken it yet",
    churn_risk === null ? null : `may leave: ${riskWords(churn_risk)}`,
  ];
  return facts.filter(Boolean).join(" · ");
}

/** The mood line's numbers: a row a turn that says, newest first. */
export function moodTable({ turns }) {
  const said = turns.filter(({ sentiment }) => sentiment !== null).reverse();
  const rows = said.map(({ ended_at, sentiment, text }) => [timeOfDay(ended_at), sentiment.toFixed(2), moodOf(sentiment), text]);
  return { caption: "Mood, from -1 to 1", columns: ["at", "mood", "", "said"], rows };
}
