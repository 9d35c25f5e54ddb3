// Why: each of the last decisions, with every candidate, its P × C × V × L, how likely it was to be chosen, and what
// became of it, in words.

import { h, keyed, setText } from "./dom.js";
import { actionWords, fateWords, kindWords, levelWords, timeOfDay } from "./words.js";
import { weighed } from "./wall-state.js";

const QUOTE_CHARACTERS = 90;
const digits = (count) => (number) => number.toFixed(count);
const NUMBERS = [
  ["P", "propensity: how likely it is to be accepted", "propensity", digits(2)],
  ["C", "context weight: how well it fits this moment", "context_weight", digits(2)],
  ["V", "value, less its cost", "value", digits(0)],
  ["L", "lever: what the business asks for just now", "lever", digits(2)],
  ["=", "priority: P × C × V × L", "priority", digits(1)],
  ["chance", "how likely it was to be chosen, before anything was drawn", "selection_probability", percent],
];

export class WhyView {
  #list;
  #blank = h("p.muted", {}, "Nothing had to be weighed yet.");

  constructor(root) {
    this.#list = h("div.decisions");
    root.append(this.#list, this.#blank);
  }

  /** @param {object|null} view ConversationView of schemas/supervisor_frames.py; null: it has not come yet */
  show(view) {
    const decisions = view?.decisions ?? [];
    this.#blank.hidden = !view || decisions.length > 0;
    const newest = decisions[0]?.decision_id;
    keyed(
      this.#list,
      decisions,
      ({ decision_id }) => decision_id,
      (decision) => makeDecision(decision, decision.decision_id === newest),
      (element, decision) => updateHead(element, decision, view.turns),
    );
  }
}

/** A decision never changes: its table is made once, and what the reader has opened or closed stays so. */
function makeDecision(decision, open) {
  const candidates = weighed(decision);
  const inQuestion = candidates.filter(({ fate }) => fate !== "not_triggered");
  const others = candidates.filter(({ fate }) => fate === "not_triggered");
  const rest = others.length
    ? [h("details.others", {}, h("summary.muted", {}, `${others.length} more were not called for`), table(others, "not called for"))]
    : [];
  return h(
    "details.decision",
    { open },
    h("summary", {}, h("span.at"), h("span.said", { dir: "auto" })),
    table(inQuestion, "what was weighed"),
    ...rest,
    h("p.small.muted", {}, madeWith(decision)),
  );
}

function updateHead(element, { turn_id, now, winner }, turns) {
  const [at, said] = element.querySelectorAll("summary > span");
  const turn = turns.find((one) => one.turn_id === turn_id);
  setText(at, timeOfDay(now));
  const outcome = winner ? actionWords(winner) : "nothing worth saying";
  setText(said, turn ? `on “${shortened(turn.text)}”: ${outcome}` : outcome);
}

function table(candidates, caption) {
  const numbers = NUMBERS.map(([letter, meaning]) => h("th.number", { scope: "col", title: meaning, "aria-label": meaning }, letter));
  return h(
    "table.why",
    {},
    h("caption.unseen", {}, caption),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "action"), ...numbers)),
    h("tbody", {}, ...candidates.map(candidateRow)),
  );
}

function candidateRow(candidate) {
  const { action_id, kind, fate } = candidate;
  const numbers = NUMBERS.map(([, , key, words]) => h("td.number", {}, candidate[key] == null ? "–" : words(candidate[key])));
  return h(
    "tr",
    { "data-fate": fate, "data-action-id": action_id },
    h(
      "th",
      { scope: "row" },
      h("span.action", { dir: "auto", title: kindWords(kind) }, actionWords(action_id)),
      h("span.fate.small", { dir: "auto" }, fateWords(candidate)),
    ),
    ...numbers,
  );
}

function madeWith({ decision_id, service_level, versions, group }) {
  const parts = [
    levelWords(service_level),
    group === "control" && "control group: one of the eligible at random",
    `catalogue ${versions.catalog}`,
    versions.levers && `levers ${versions.levers}`,
    versions.propensities && `propensities ${versions.propensities}`,
    versions.model ? `model ${versions.model}` : "no model",
    `decision ${decision_id}`,
  ];
  return parts.filter(Boolean).join(" · ");
}

/** A probability in whole per cent; what is possible is never 0, and what is not certain never 100. */
function percent(probability) {
  const whole = Math.round(probability * 100);
  if (whole === 0 && probability > 0) return "<1 %";
  return whole === 100 && probability < 1 ? ">99 %" : `${whole} %`;
}

const shortened = (text) => (text.length > QUOTE_CHARACTERS ? `${text.slice(0, QUOTE_CHARACTERS).trimEnd()} …` : text);
