// The transcript: turns with what was understood of them, prompts where they came, and what is being said now.
// It follows the end unless the agent has scrolled up to read.

import { chip } from "./card-view.js";
import { h, keyed, setText } from "./dom.js";
import { callName, endingWords, intentCare, intentWords, plural } from "./words.js";

const AT_END_PX = 24;
const REDACTED = /(\[[A-Z][A-Z_ ]*\])/;

export class TranscriptView {
  #reader;
  #scroll;
  #finals = h("ol", { role: "log", "aria-label": "What was said" });
  #partials = h("ol", { "aria-hidden": "true" }); // half words are not read aloud; the final is
  #toEnd;
  #blank = h("p.blank");
  #follows = true;
  #seen = 0;
  #conversationId = null;

  /**
   * @param {object} [reader] for whom: `agent`, what to call the agent; `fate`, a prompt entry's fate in words;
   *   `pinned`, whether compliance prompts stand in the transcript too; `early`, whether to show what is understood of
   *   a turn that is still being said, which may change
   */
  constructor(root, { agent = "you", fate = cueFate, pinned = false, early = false } = {}) {
    this.#reader = { agent, fate, pinned, early };
    this.#scroll = h("div.scroll", { tabindex: "0", role: "group", "aria-label": "Transcript" }, this.#finals, this.#partials, this.#blank);
    this.#toEnd = h("button.button.to-end", { type: "button", hidden: true, onclick: () => this.#follow() });
    this.#scroll.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    root.append(this.#scroll, this.#toEnd);
  }

  /** @param {string} blank what to say while there is nothing */
  show(conversation, blank) {
    const changed = conversation?.id !== this.#conversationId;
    this.#conversationId = conversation?.id ?? null;
    const entries = withMarks(conversation?.entries ?? [], this.#reader.pinned);
    const reader = { ...this.#reader, customer: callName(conversation?.customerName) };
    keyed(this.#finals, entries, entryKey, makeEntry, (element, entry) => updateEntry(element, entry, reader));
    const partials = conversation?.partials ?? [];
    keyed(this.#partials, partials, entryKey, makeEntry, (element, entry) => updateEntry(element, { ...entry, first: true, partial: true }, reader));
    this.#blank.hidden = entries.length + partials.length > 0;
    setText(this.#blank, blank);
    if (changed) this.#follow();
    else if (this.#follows) this.#scroll.scrollTop = this.#scroll.scrollHeight;
    if (this.#follows) this.#seen = entries.length;
    const fresh = entries.length - this.#seen;
    this.#toEnd.hidden = this.#follows;
    setText(this.#toEnd, fresh > 0 ? `${plural(fresh, "new line")} ↓` : "Latest ↓");
  }

  #follow() {
    this.#follows = true;
    this.#seen = this.#finals.childElementCount;
    this.#toEnd.hidden = true;
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroll;
    const atEnd = scrollHeight - scrollTop - clientHeight < AT_END_PX;
    if (atEnd) this.#follow();
    else if (this.#follows) {
      this.#follows = false;
      this.#seen = this.#finals.childElementCount;
      this.#toEnd.hidden = false;
      setText(this.#toEnd, "Latest ↓");
    }
  }
}

const entryKey = ({ kind, id }) => `${kind}:${id}`;

/** Who speaks is said once a run of turns; what came late is said where it begins. */
function withMarks(entries, pinned) {
  const marked = [];
  let speaker = null;
  let missed = false;
  for (const entry of entries) {
    if (entry.kind === "prompt" && entry.prompt.pinned && !pinned) continue; // it has its own place
    if (entry.missed && !missed) marked.push({ kind: "gap", id: entry.id, text: "while you were reconnecting" });
    if (!entry.missed && missed) marked.push({ kind: "gap", id: entry.id, text: "live again" });
    const broken = entry.missed !== missed;
    missed = entry.missed;
    marked.push(entry.kind === "turn" ? { ...entry, first: broken || entry.speaker !== speaker } : entry);
    if (entry.kind === "turn") speaker = entry.speaker;
  }
  return marked;
}

function makeEntry({ kind, speaker }) {
  if (kind === "gap") return h("li.gap");
  if (kind === "prompt") return h("li.cue", {}, h("span.words-said", { dir: "auto" }), h("span.fate.small"));
  const who = h("span.who", { dir: "auto" });
  return h("li.turn", { "data-speaker": speaker }, who, h("span.said", { dir: "auto" }), h("span.chips"));
}

function updateEntry(element, entry, { agent, customer, fate, early }) {
  if (entry.kind === "gap") return setText(element, entry.text);
  if (entry.kind === "prompt") return updateCue(element, entry, fate);
  const [who, said, chips] = element.children;
  element.toggleAttribute("data-first", entry.first);
  element.classList.toggle("partial", entry.partial === true);
  setText(who, entry.first ? (entry.speaker === "agent" ? agent : customer) : "");
  const text = entry.partial ? `${entry.text} …` : entry.text;
  if (said.textContent !== text) said.replaceChildren(...redactedText(text));
  const labels = entry.partial && !early ? "" : entry.intents.join(" ");
  if (chips.dataset.labels === labels) return undefined;
  chips.dataset.labels = labels;
  return chips.replaceChildren(...(labels ? entry.intents.map((label) => chip(intentWords(label), intentCare(label))) : []));
}

function updateCue(element, entry, fate) {
  const { prompt, state } = entry;
  element.toggleAttribute("data-over", state !== "live");
  const [words, fateOf] = element.children;
  setText(words, `“${prompt.words}”`);
  words.title = prompt.words;
  setText(fateOf, fate(entry));
}

function cueFate({ state, reason, missed }) {
  if (state === "live") return "cued now";
  const words = missed && state === "expired" ? "came too late" : endingWords(state).toLowerCase();
  return reason && state === "retracted" ? `${words}: ${reason}` : words;
}

/** `[CARD]` and the like set apart from the words around them. */
function redactedText(text) {
  return text.split(REDACTED).map((part) => (REDACTED.test(part) ? h("span.redacted", { title: "hidden" }, part) : part));
}
