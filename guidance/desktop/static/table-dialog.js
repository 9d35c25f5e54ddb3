// A chart's numbers, as a table in a dialog: a still picture of when it was opened.

import { h } from "./dom.js";

/**
 * @param {HTMLDialogElement} dialog
 * @param {{caption: string, columns: string[], rows: string[][]}} table a row's first cell names it
 */
export function showTable(dialog, { caption, columns, rows }) {
  const head = h("tr", {}, ...columns.map((column) => h("th", { scope: "col" }, column)));
  const lines = rows.map(([name, ...values]) =>
    h("tr", {}, h("th", { scope: "row", dir: "auto" }, name), ...values.map((value) => h("td", {}, value))),
  );
  dialog.setAttribute("aria-label", caption);
  dialog.replaceChildren(
    h("div.dialog-head", {}, h("h2", {}, caption), h("button.button", { type: "button", onclick: () => dialog.close() }, "Close")),
    h("div.table-box", { tabindex: "0" }, h("table", {}, h("caption.unseen", {}, caption), h("thead", {}, head), h("tbody", {}, ...lines))),
  );
  dialog.showModal();
}
