// The top row: six figures, each with its last 15 minutes.

import { levels, sparkline } from "./charts.js";
import { h, setAttribute, setText } from "./dom.js";
import { levelWords, milliseconds, timeOfDay } from "./words.js";

const NOTHING = "–";
const number = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

/**
 * What a figure is called, how it is written, and when it is worth a warning: from `risk` on, and from `grave` on.
 * @type {Array<{key: string, label: string, write: (value: number) => string, risk?: number, grave?: number, warning?: string}>}
 */
const FIGURES = [
  { key: "live_conversations", label: "live conversations", write: (value) => number.format(value) },
  { key: "prompts_per_minute", label: "prompts a minute", write: (value) => number.format(value) },
  { key: "accepted_share", label: "accepted", write: (value) => `${Math.round(value * 100)} %` },
  { key: "turn_to_desktop_p95_ms", label: "turn to desktop, p95", write: milliseconds, risk: 1_000, grave: 3_000, warning: "prompts come late" },
  { key: "lag_s", label: "lag", write: (value) => milliseconds(value * 1000), risk: 2, grave: 10, warning: "decisions fall behind" },
]; // prettier-ignore
const LEVEL_CARE = { rules_only: "risk", compliance_only: "grave" };

export class FiguresView {
  #cells = new Map();
  #drawn = null;

  constructor(root) {
    for (const { key, label } of [...FIGURES, { key: "service_level", label: "service level" }]) {
      const cell = h("div.figure", { "data-figure": key }, h("dt", {}, label), h("dd.value", {}, NOTHING), h("dd.note.small"), h("dd.chart-box"));
      this.#cells.set(key, cell);
      root.append(cell);
    }
  }

  /** @param {object|null} figures Figures of schemas/supervisor_frames.py; null: none came yet */
  show(figures) {
    if (figures === this.#drawn || !figures) return;
    this.#drawn = figures;
    for (const { key, write, risk, grave, warning } of FIGURES) {
      const { now, points } = figures[key];
      const care = now === null || now < (risk ?? Infinity) ? "" : now < grave ? "risk" : "grave";
      this.#fill(key, now === null ? NOTHING : write(now), sparkline(points), care, care && warning);
    }
    const level = figures.service_level;
    const words = level === null ? NOTHING : levelWords(level);
    this.#fill("service_level", words, levels(figures.service_levels), LEVEL_CARE[level] ?? "", "");
  }

  #fill(key, value, chart, care, note) {
    const cell = this.#cells.get(key);
    const [, shown, noted, box] = cell.children;
    setAttribute(cell, "data-care", care || null);
    setText(shown, value);
    setText(noted, note);
    box.replaceChildren(chart);
  }
}

/** The charts' numbers, a row a step, newest first. */
export function figuresTable(figures, at) {
  const steps = figures.service_levels.length;
  const rows = Array.from({ length: steps }, (_, back) => {
    const i = steps - 1 - back;
    const values = FIGURES.map(({ key, write }) => {
      const { points } = figures[key];
      const value = points[points.length - 1 - back] ?? null;
      return value === null ? NOTHING : write(value);
    });
    const level = figures.service_levels[i];
    return [timeOfDay(at - back * figures.step_s * 1000), ...values, level === null ? NOTHING : levelWords(level)];
  });
  return {
    caption: "The last 15 minutes",
    columns: ["at", ...FIGURES.map(({ label }) => label), "service level"],
    rows,
  };
}
