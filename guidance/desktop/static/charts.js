// Small charts as inline SVG, made of values alone. They carry no numbers to read: each has its table beside it.

import { svg } from "./dom.js";

/** A sparkline starts no higher than this part of its top: less would make mountains of noise. */
const LEAST_SPAN = 0.75;

/** Pure: an SVG path through `points` (oldest first, null: nothing measured) in a `width` × `height` box; null breaks the line. */
export function linePath(points, width, height, [low, high]) {
  const span = high - low || 1;
  const step = points.length > 1 ? width / (points.length - 1) : 0;
  let path = "";
  let drawing = false;
  points.forEach((value, i) => {
    if (value === null) {
      drawing = false;
      return;
    }
    const x = (i * step).toFixed(1);
    const y = (height - ((Math.min(high, Math.max(low, value)) - low) / span) * height).toFixed(1);
    // A point with nothing beside it would be a line of no length: the move draws nothing, so it gets a dot's width.
    path += drawing ? `L${x} ${y}` : `M${x} ${y}h.01`;
    drawing = true;
  });
  return path;
}

/** A figure's line over the range it has had; one that hardly changes stays flat. */
export function sparkline(points, { width = 128, height = 24 } = {}) {
  const measured = points.filter((value) => value !== null);
  const high = Math.max(...measured, 0) || 1;
  const low = Math.min(...measured, high * LEAST_SPAN);
  return chart(width, height, svg("path", { class: "line", d: linePath(points, width, height, [low, high]) }));
}

/** How the mood went, -1 to 1, around a line at 0. */
export function moodLine(points, { width = 72, height = 20 } = {}) {
  const zero = svg("path", { class: "zero", d: `M0 ${height / 2}H${width}` });
  return chart(width, height, zero, svg("path", { class: "line", d: linePath(points, width, height, [-1, 1]) }));
}

/** Counts as bars; the last `marked` of them stand out. */
export function bars(counts, { marked = 0, width = 128, height = 28 } = {}) {
  const high = Math.max(...counts, 1);
  const step = width / Math.max(counts.length, 1);
  const bar = (i) => {
    const tall = (counts[i] / high) * height;
    return counts[i] ? `M${(i * step).toFixed(2)} ${height}v-${tall.toFixed(1)}h${(step * 0.75).toFixed(2)}v${tall.toFixed(1)}z` : "";
  };
  const from = counts.length - marked;
  const path = (start, end) => counts.slice(start, end).map((_, i) => bar(start + i)).join("");
  const ground = svg("path", { class: "zero", d: `M0 ${height}H${width}` });
  return chart(width, height, ground, svg("path", { class: "bar", d: path(0, from) }), svg("path", { class: "bar marked", d: path(from) }));
}

const STEPS = { all_well: 0.3, rules_only: 0.65, compliance_only: 1 };

/** Service levels over time: the worse, the taller, so that it needs no colour to be read. */
export function levels(values, { width = 128, height = 24 } = {}) {
  const step = width / Math.max(values.length, 1);
  const path = (level) =>
    values
      .map((value, i) => (value === level ? `M${(i * step).toFixed(2)} ${height}v-${STEPS[level] * height}h${step.toFixed(2)}v${STEPS[level] * height}z` : ""))
      .join("");
  return chart(width, height, ...Object.keys(STEPS).map((level) => svg("path", { class: `level ${level}`, d: path(level) })));
}

function chart(width, height, ...children) {
  const attributes = { class: "chart", viewBox: `0 0 ${width} ${height}`, width, height, preserveAspectRatio: "none", "aria-hidden": "true" };
  return svg("svg", attributes, ...children);
}
