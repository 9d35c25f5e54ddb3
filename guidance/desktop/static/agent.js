// The agent page, put together: what the gateway says goes into the state, the state is drawn, answers go out.

import { AskView } from "./ask-view.js";
import { CardView } from "./card-view.js";
import { ConversationsView } from "./conversations-view.js";
import { DeskClient } from "./desk-client.js";
import { EMPTY, needsAnswer, reduce, selected } from "./desk-state.js";
import { h, setAttribute, setText } from "./dom.js";
import { listenForKeys } from "./keys.js";
import { settings } from "./settings.js";
import { JourneyView, MustSayView } from "./strips-view.js";
import { TranscriptView } from "./transcript-view.js";
import { clock, conversationTitle, plural } from "./words.js";

const MISSED_STAYS_MS = 12_000;
const $ = (id) => document.getElementById(id);

class AgentPage {
  #state = EMPTY;
  #desk;
  #card = new CardView($("card"), (answer) => this.#answer(answer));
  #mustSay = new MustSayView($("must-say"), (promptId) => this.#report(promptId, "accepted"));
  #journey = new JourneyView($("journey"));
  #ask = new AskView($("ask"), (ask, answer) => this.#wrapUp(ask, answer));
  #transcript = new TranscriptView($("transcript"));
  #conversations = new ConversationsView($("conversations"), (conversationId) => this.#apply({ type: "select", conversationId }));
  #shown = new Set();
  #announced = null;
  #frame = null;

  constructor({ websocket, token, agentId }) {
    const onEvent = (event) => this.#apply(event);
    this.#desk = new DeskClient({ url: websocket, token, agentId, onEvent });
    listenForKeys(this.#shortcuts());
    document.addEventListener("visibilitychange", () => this.#draw());
    setInterval(() => this.#apply({ type: "tick" }), 1_000);
    this.#desk.open();
  }

  #shortcuts() {
    const reasons = Object.fromEntries([0, 1, 2, 3, 4].map((i) => [String(i + 1), () => this.#card.chooseReason(i)]));
    return {
      a: () => this.#card.accept(),
      n: () => this.#card.notNow(),
      w: () => this.#card.toggleReasons(),
      e: () => this.#ask.focus(),
      escape: () => this.#ask.skip() || this.#card.cancel(),
      j: () => this.#step(1),
      k: () => this.#step(-1),
      "?": () => $("keys").showModal(),
      ...reasons,
    };
  }

  #apply(event) {
    this.#state = reduce(this.#state, { ...event, now: this.#desk.now() });
    if (event.type === "connection" && event.state === "live" && this.#state.missed) {
      setTimeout(() => this.#apply({ type: "read" }), MISSED_STAYS_MS);
    }
    // A burst of records (a resume) is drawn once. A hidden page gets no frames to draw in, and needs none.
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.#draw();
    });
  }

  #answer({ conversationId, promptId, answer, reason, note }) {
    this.#desk.report(promptId, answer, reason, note);
    this.#apply({ type: "answer", conversationId, promptId, answer, reason });
    setText($("announce"), answer === "accepted" ? "Accepted." : "Dismissed.");
  }

  /** What came of a conversation that is over, as far as the agent cares to say. */
  #wrapUp({ record_id: askId }, { offers, disposition }) {
    this.#desk.wrapUp(askId, offers, disposition);
    this.#apply({ type: "answered", askId });
    if (offers.length || disposition) setText($("announce"), "Noted.");
  }

  /** A pinned line that the agent says they have said. */
  #report(promptId, answer) {
    this.#answer({ conversationId: this.#state.selected, promptId, answer, reason: null, note: null });
  }

  #step(by) {
    const { conversations, selected: current } = this.#state;
    if (conversations.length < 2) return false;
    const at = conversations.findIndex(({ id }) => id === current);
    const conversationId = conversations.at((at + by) % conversations.length).id;
    this.#apply({ type: "select", conversationId });
    return true;
  }

  #draw() {
    const state = this.#state;
    const conversation = selected(state);
    this.#drawBar(state, conversation);
    this.#conversations.show(state, $("card").matches(":hover"));
    this.#card.show(conversation, { now: state.now, blank: blankCard(state, conversation) });
    this.#mustSay.show(conversation);
    this.#journey.show(conversation);
    if (this.#ask.show(state.asks, state.now)) setText($("announce"), "A question on how it ended is below the card. E answers it.");
    this.#transcript.show(conversation, blankTranscript(state, conversation));
    this.#tellShown(conversation);
  }

  #drawBar(state, conversation) {
    const connection = $("connection");
    connection.dataset.state = state.connection.state;
    setText(connection, CONNECTION[state.connection.state]);
    setText($("title"), conversation ? conversationTitle(conversation.channel, conversation.customerName) : "No conversation");
    $("title").title = conversation?.customerName ?? "";
    setText($("elapsed"), conversation && !conversation.closed ? clock(state.now - conversation.startedAt) : "");
    const notice = noticeWords(state);
    setAttribute($("notice"), "hidden", !notice);
    setText($("notice"), notice);
    const waiting = state.conversations.filter(needsAnswer).length;
    document.title = waiting ? `(${waiting}) Livecue` : "Livecue";
  }

  /** "shown" means that an agent could read it: really drawn, on a page that can be seen. */
  #tellShown(conversation) {
    if (!conversation || document.visibilityState !== "visible") return;
    const onCard = conversation.prompt && !conversation.prompt.ending ? [conversation.prompt.prompt] : [];
    const pinned = conversation.pinned.filter(({ state }) => state === "live").map(({ prompt }) => prompt);
    for (const { prompt_id } of [...onCard, ...pinned]) {
      if (this.#shown.has(prompt_id)) continue;
      this.#shown.add(prompt_id);
      this.#desk.report(prompt_id, "shown");
    }
    const [prompt] = onCard;
    if (!prompt || prompt.prompt_id === this.#announced) return;
    this.#announced = prompt.prompt_id;
    setText($("announce-prompt"), `${prompt.kind}: ${prompt.words}`);
    this.#apply({ type: "shown", conversationId: conversation.id });
  }
}

const CONNECTION = { connecting: "connecting", live: "live", reconnecting: "reconnecting", refused: "not connected" };

function noticeWords({ connection, trouble, missed, waiting, conversations, known }) {
  if (connection.state === "refused") return connection.message;
  if (connection.state === "reconnecting") {
    if (!known) return "The gateway does not answer yet. This page keeps trying; nothing is lost meanwhile.";
    const live = conversations.filter(needsAnswer).length;
    const late = live ? plural(live, "prompt") : "prompts";
    const answers = waiting ? ` ${plural(waiting, "answer")} of yours will be sent when it is back.` : "";
    return `Reconnecting, ${late} may be late.${answers}`;
  }
  if (trouble) return trouble;
  if (!missed || missed.prompts + missed.turns === 0) return "";
  const late = missed.late ? `, ${missed.late} of them too late to say` : "";
  const prompts = missed.prompts ? ` and ${plural(missed.prompts, "prompt")}${late}` : "";
  return `Live again. You missed ${plural(missed.turns, "turn")}${prompts}: they are in the transcript.`;
}

function blankCard({ connection, known }, conversation) {
  if (connection.state === "refused") return "No prompts can come here now.";
  if (!known) return "Connecting …";
  if (!conversation) return "When a conversation is yours, what to say will stand here.";
  return conversation.closed ? "This conversation is over." : "Listening. What they want will stand here.";
}

function blankTranscript({ known, connection }, conversation) {
  if (!known || connection.state === "refused") return "";
  return conversation ? "The first words will appear here." : "No conversation yet.";
}

function drawKeys() {
  const keys = [
    ["A", "Accept"],
    ["N", "Not now"],
    ["W", "What was wrong"],
    ["1 to 5", "Choose what was wrong"],
    ["E", "Say how it ended"],
    ["J, K", "Next, previous conversation"],
    ["Esc", "Back"],
  ];
  const close = h("button.button", { type: "button", onclick: () => $("keys").close() }, "Close");
  const lines = keys.flatMap(([key, does]) => [h("dt", {}, does), h("dd", {}, key)]);
  $("keys").append(h("h2", {}, "Keys"), h("dl", {}, ...lines), close);
}

function refuse(message) {
  $("connection").dataset.state = "refused";
  setText($("connection"), CONNECTION.refused);
  setText($("notice"), message);
  $("notice").hidden = false;
}

drawKeys();
try {
  const { websocket, token, agentId } = await settings();
  if (!token || !agentId) {
    const lacks = !token && !agentId ? "neither a token nor an agent" : !token ? "no token" : "no agent";
    refuse(`This address has ${lacks}, so nobody's prompts can be shown. Open the link you were given; it ends in ?agent=…#token=…`);
  } else {
    new AgentPage({ websocket, token, agentId });
  }
} catch (error) {
  refuse(`The page could not be started (${error.message}). Load it again; if that does not help, the gateway is down.`);
}
