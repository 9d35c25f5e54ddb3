// Intents over the last hour: one small chart each, all of one kind, so that a change stands out.

import { bars } from "./charts.js";
import { h, keyed, setAttribute, setText } from "./dom.js";
import { intentWords, timeOfDay } from "./words.js";

const SPIKE_MINUTES = 5; // full ones; after them comes the minute that is still being counted
const TABLE_STEP = 5;

const sum = (counts) => counts.reduce((total, count) => total + count, 0);

export class TrendsView {
  #list;
  #blank;
  #drawn = null;

  constructor(root) {
    this.#list = h("ul.multiples");
    this.#blank = h("p.muted", {}, "Once customers have said what they want, it is counted here.");
    root.append(this.#list, this.#blank);
  }

  /** @param {object[]|null} trends Trend of schemas/supervisor_frames.py, most frequent first; null: none came yet */
  show(trends) {
    if (trends === this.#drawn || !trends) return;
    this.#drawn = trends;
    this.#blank.hidden = trends.length > 0;
    keyed(this.#list, trends, ({ intent }) => intent, makeMultiple, updateMultiple);
  }
}

function makeMultiple() {
  return h("li.multiple", {}, h("div", {}, h("p.name", { dir: "auto" }), h("p.mark.small")), h("div.chart-box"), h("p.count"));
}

function updateMultiple(element, { intent, counts, spike }) {
  const [{ children: [name, mark] }, box, count] = element.children;
  setAttribute(element, "data-spike", spike);
  setText(name, intentWords(intent));
  name.title = intentWords(intent);
  setText(count, String(sum(counts)));
  setText(mark, spike ? `spike, ${sum(counts.slice(-SPIKE_MINUTES - 1, -1))} in 5 min` : "");
  box.replaceChildren(bars(counts, { marked: spike ? SPIKE_MINUTES + 1 : 0 }));
}

/** The charts' numbers: a row an intent, a column five minutes. */
export function trendsTable(trends, at) {
  const minutes = Math.max(...trends.map(({ counts }) => counts.length), 0);
  const starts = Array.from({ length: Math.ceil(minutes / TABLE_STEP) }, (_, i) => i * TABLE_STEP);
  const startOf = (i) => timeOfDay(at - (minutes - 1 - i) * 60_000);
  const rows = trends.map(({ intent, counts, spike }) => {
    const aligned = [...Array(minutes - counts.length).fill(0), ...counts];
    const sums = starts.map((i) => String(sum(aligned.slice(i, i + TABLE_STEP))));
    return [intentWords(intent), String(sum(counts)), spike ? "spike" : "", ...sums];
  });
  return { caption: "Intents over the last hour, each five minutes", columns: ["intent", "in all", "", ...starts.map(startOf)], rows };
}
