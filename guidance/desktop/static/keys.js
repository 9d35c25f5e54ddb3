// Single-key shortcuts. Off while somebody types, and while a modifier is held: those belong to the browser.

const TYPING = "input:not([type=checkbox]), textarea, select, [contenteditable]";

/**
 * @param {Object<string, () => boolean|void>} shortcuts by key, lower case; one that returns false did nothing
 */
export function listenForKeys(shortcuts) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
    if (event.target instanceof Element && event.target.closest(TYPING) && event.key !== "Escape") return;
    if (document.querySelector("dialog:modal")) return;
    const shortcut = shortcuts[event.key.toLowerCase()];
    if (shortcut && shortcut() !== false) event.preventDefault();
  });
}
