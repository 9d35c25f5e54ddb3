// One row of the wall: made once, then only what changed is touched.

import { chip } from "./card-view.js";
import { moodLine } from "./charts.js";
import { h, setAttribute, setText } from "./dom.js";
import { careWords, channelWords, duration, intentCare, intentWords, moodWords, promptStateWords, riskWords } from "./words.js";

const RISK_MOST = 2;

/** The wall's columns, in the order of a row's cells. */
export const COLUMNS = ["customer", "wants", "mood", "may leave", "prompt", "agent"];

const two = (name, cell = "div.cell") => h(cell, { role: "gridcell", "data-cell": name }, h("span", { dir: "auto" }), h("span.small.muted", { dir: "auto" }));

export function makeRow({ conversation_id }) {
  return h(
    "div.row",
    { role: "row", tabindex: "-1", "data-conversation": conversation_id },
    two("customer"),
    h("div.cell", { role: "gridcell", "data-cell": "wants" }, h("span.chips"), h("span.small.need", { dir: "auto" })),
    h("div.cell", { role: "gridcell", "data-cell": "mood" }, h("span.chart-box"), h("span.small.muted")),
    h("div.cell", { role: "gridcell", "data-cell": "risk" }, h("span.meter", { role: "meter", "aria-label": "May leave", "aria-valuemin": "0", "aria-valuemax": String(RISK_MOST) }, h("span")), h("span.small")),
    two("prompt"),
    two("agent"),
  ); // prettier-ignore
}

/** @param {{now: number, place: number, top: number, watched: boolean}} where the row stands */
export function updateRow(element, row, { now, place, top, watched }) {
  const [customer, wants, mood, risk, prompt, agent] = element.children;
  element.style.transform = `translateY(${top}px)`;
  setAttribute(element, "aria-rowindex", String(place + 2)); // the header is the first
  setAttribute(element, "aria-selected", String(watched));
  setAttribute(element, "data-ended", row.ended);
  setAttribute(element, "data-care", careWords(row.need) || null);
  const since = row.ended ? "ended" : duration(now - Date.parse(row.started_at));
  lines(customer, row.customer_name ?? "Unknown customer", `${channelWords(row.channel)} · ${since}`);
  drawIntents(wants.firstElementChild, row.intents);
  setText(wants.lastElementChild, row.need_why);
  drawMood(mood, row.sentiment);
  drawRisk(risk, row.churn_risk);
  lines(prompt, row.prompt?.title ?? "–", row.prompt ? promptStateWords(row.prompt) : "");
  prompt.firstElementChild.title = row.prompt?.words ?? "";
  lines(agent, row.agent_id ?? "nobody yet", row.team ?? "");
}

function lines(cell, first, second) {
  setText(cell.firstElementChild, first);
  setText(cell.lastElementChild, second);
}

function drawIntents(element, labels) {
  const drawn = labels.join(" ");
  if (element.dataset.labels === drawn) return;
  element.dataset.labels = drawn;
  element.replaceChildren(...labels.map((label) => chip(intentWords(label), intentCare(label))));
}

function drawMood(cell, values) {
  const [box, words] = cell.children;
  const drawn = values.join(" ");
  if (box.dataset.drawn === drawn) return;
  box.dataset.drawn = drawn;
  box.replaceChildren(...(values.length > 1 ? [moodLine(values)] : []));
  setText(words, moodWords(values));
}

function drawRisk(cell, risk) {
  const [meter, words] = cell.children;
  setAttribute(meter, "hidden", risk === null);
  setText(words, risk === null ? "unknown" : riskWords(risk));
  if (risk === null) return;
  setAttribute(meter, "aria-valuenow", risk.toFixed(1));
  setAttribute(meter, "aria-valuetext", riskWords(risk));
  setAttribute(meter, "data-risk", riskWords(risk));
  meter.firstElementChild.style.width = `${((risk / RISK_MOST) * 100).toFixed(0)}%`;
}
