// The supervisor page, put together: what the gateway says goes into the state, the state is drawn.

import { setAttribute, setText } from "./dom.js";
import { DrawerView, moodTable } from "./drawer-view.js";
import { FiguresView, figuresTable } from "./figures-view.js";
import { listenForKeys } from "./keys.js";
import { settings } from "./settings.js";
import { showTable } from "./table-dialog.js";
import { TrendsView, trendsTable } from "./trends-view.js";
import { WallClient } from "./wall-client.js";
import { EMPTY, reduce } from "./wall-state.js";
import { WallView } from "./wall-view.js";
import { duration, plural, secondOfDay } from "./words.js";

/** A wall older than this is said to be old, even while the connection stands. */
const OLD_MS = 15_000;
const CONNECTION = { connecting: "connecting", live: "live", reconnecting: "reconnecting", refused: "not connected" };
const LEVELS = {
  rules_only: "Rules only: the model does not answer in time, so agents are cued by plain rules until it does.",
  compliance_only: "Compliance only: too much comes at once, so agents are told what they must say, and nothing else, until it is less.",
};
const $ = (id) => document.getElementById(id);

class SupervisorPage {
  #state = EMPTY;
  #client;
  #figures = new FiguresView($("figures"));
  #wall = new WallView($("wall"), (conversationId) => this.#watch(conversationId));
  #trends = new TrendsView($("trends"));
  #drawer = new DrawerView($("drawer"), { onClose: () => this.#unwatch(), onMoodTable: () => this.#moodTable() });
  #frame = null;

  constructor({ websocket, token }) {
    this.#client = new WallClient({ url: websocket, token, onEvent: (event) => this.#apply(event) });
    listenForKeys({ escape: () => this.#unwatch(), t: () => this.#figuresTable() });
    $("figures-table").addEventListener("click", () => this.#figuresTable());
    $("trends-table").addEventListener("click", () => this.#trendsTable());
    setInterval(() => this.#apply({ type: "tick" }), 1_000);
    this.#client.open();
  }

  #apply(event) {
    this.#state = reduce(this.#state, { ...event, now: this.#client.now(), held: this.#wall.held() });
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.#draw();
    });
  }

  #watch(conversationId) {
    this.#client.watch(conversationId);
    this.#apply({ type: "watch", conversationId });
    requestAnimationFrame(() => this.#drawer.focus()); // after the frame that draws it
  }

  #unwatch() {
    const { watched } = this.#state;
    if (watched === null) return false;
    this.#client.watch(null);
    this.#apply({ type: "watch", conversationId: null });
    this.#wall.focus(watched);
    return true;
  }

  #figuresTable() {
    const { figures, at } = this.#state;
    if (figures) showTable($("table"), figuresTable(figures, at));
  }

  #trendsTable() {
    const { trends, trendsAt } = this.#state;
    if (trends) showTable($("table"), trendsTable(trends, trendsAt));
  }

  #moodTable() {
    if (this.#state.view) showTable($("table"), moodTable(this.#state.view));
  }

  #draw() {
    const state = this.#state;
    this.#drawBar(state);
    this.#figures.show(state.figures);
    this.#wall.show(state, blankWall(state));
    this.#trends.show(state.trends);
    this.#drawer.show(state);
    setAttribute($("intents"), "hidden", state.watched !== null);
  }

  #drawBar(state) {
    $("connection").dataset.state = state.connection.state;
    setText($("connection"), CONNECTION[state.connection.state]);
    setText($("count"), countWords(state));
    const notice = noticeWords(state);
    setAttribute($("notice"), "hidden", !notice);
    setText($("notice"), notice);
    setAttribute(document.body, "data-old", state.at !== null && isOld(state));
  }
}

const isOld = ({ connection, at, now }) => connection.state !== "live" || now - at > OLD_MS;

function countWords({ live, order, at, rows }) {
  if (at === null) return "";
  const shown = order.filter((id) => !rows.get(id).ended).length;
  return shown < live ? `the ${shown.toLocaleString()} that need somebody most, of ${live.toLocaleString()} live` : `${plural(live, "conversation")} live`;
}

/** In words: what happened, what it means. The time is when the wall was made, so that nothing old passes for new. */
function noticeWords(state) {
  const { connection, trouble, at, now } = state;
  if (connection.state === "refused") return connection.message;
  const asOf = at === null ? "" : ` What you see is from ${secondOfDay(at)}.`;
  if (connection.state === "reconnecting") {
    return `Reconnecting.${asOf || " The gateway does not answer yet; this page keeps trying."} Agents have connections of their own.`;
  }
  if (trouble) return trouble;
  if (at !== null && isOld(state)) return `Nothing new for ${duration(now - at)}.${asOf}`;
  return LEVELS[state.figures?.service_level] ?? "";
}

function blankWall({ connection, at }) {
  if (connection.state === "refused") return "No conversations can be shown here now.";
  if (at === null) return connection.state === "live" ? "Counting. The first figures come within seconds." : "Connecting …";
  return "No live conversations. Each appears here with its first words.";
}

function refuse(message) {
  $("connection").dataset.state = "refused";
  setText($("connection"), CONNECTION.refused);
  setText($("notice"), message);
  $("notice").hidden = false;
}

try {
  const { websocket, token } = await settings();
  if (token) new SupervisorPage({ websocket, token });
  else refuse("This address has no token, so nothing can be shown. Open the link you were given; it ends in #token=…");
} catch (error) {
  refuse(`The page could not be started (${error.message}). Load it again; if that does not help, the gateway is down.`);
}
