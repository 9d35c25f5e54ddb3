// The client of an agent's desktop: this page's, and any other's that embeds it (with desk-session.js).
//
//   const desk = new DeskClient({ url, token, agentId, onEvent });
//   desk.open();
//   desk.report(prompt.prompt_id, "shown");
//
// It resumes where it was, drops what it has seen, and keeps every outcome until the gateway has it safely.

import { DeskSession } from "./desk-session.js";

const SEEN_RECORDS = 10_000;
const ACK_TIMEOUT_MS = 5_000;

export class DeskClient {
  #session;
  #onEvent;
  #storage;
  #storageKey;
  #cursor;
  #seen = new Set();
  #unacknowledged; // "prompt:state" → {frame, sentAt}
  #resend = null;
  #missedBefore = -Infinity;

  /**
   * @param {object} options
   * @param {string} options.url of the gateway's websocket
   * @param {string} options.token
   * @param {string} options.agentId
   * @param {(event: object) => void} options.onEvent what happened, in order:
   *   {type: "connection", state, message?} with state connecting, live, reconnecting or refused (for good);
   *   {type: "reset", why, conversations}: forget everything, these are the live conversations;
   *   {type: "record", record, missed}: one of schemas/desk.py, each once; `missed`: it is from before the reconnection;
   *   {type: "status", state, message}: how the gateway is; {type: "outcomes", waiting}: how many are not yet stored;
   *   {type: "refused", code, message, prompt_id?, state?}
   * @param {string|null} [options.cursor] where a desktop that keeps its own state had got to. None is the rule, this
   *   page's too: a page that was loaded anew knows nothing, and needs the reset that a hello without a cursor brings.
   * @param {Storage} [options.storage] keeps unacknowledged outcomes over a reload of the page
   */
  constructor({ url, token, agentId, onEvent, cursor = null, storage = sessionStorage }) {
    this.#onEvent = onEvent;
    this.#cursor = cursor;
    this.#storage = storage;
    this.#storageKey = `livecue.outcomes.${agentId}`;
    this.#unacknowledged = new Map(JSON.parse(storage.getItem(this.#storageKey) ?? "[]"));
    this.#session = new DeskSession({
      url,
      hello: () => ({ role: "agent", token, agent_id: agentId, cursor: this.#cursor }),
      onFrame: (frame) => this.#receive(frame),
      onConnection: (connection) => onEvent({ type: "connection", ...connection }),
    });
  }

  open() {
    this.#session.open();
    this.#resend = setInterval(() => this.#sendOutcomes(ACK_TIMEOUT_MS), 1_000);
  }

  close() {
    clearInterval(this.#resend);
    this.#session.close();
  }

  /** Where this desktop stands: to be given to the next `DeskClient` by who keeps the state that belongs to it. */
  get cursor() {
    return this.#cursor;
  }

  /** The gateway's clock, in ms since 1970: what `expires_at` is to be compared with. */
  now() {
    return this.#session.now();
  }

  /**
   * Say what became of a prompt; it is sent until it is acknowledged, also after a reconnection or a reload.
   * @param {string} promptId
   * @param {"shown"|"accepted"|"dismissed"} state
   * @param {string|null} [reason] of a dismissal: one of DismissReason in schemas/guidance.py
   * @param {string|null} [note] the agent's own words, at most 500 characters
   */
  report(promptId, state, reason = null, note = null) {
    const frame = { type: "outcome", prompt_id: promptId, state, reason, note };
    this.#unacknowledged.set(`${promptId}:${state}`, { frame, sentAt: null });
    this.#sendOutcomes(ACK_TIMEOUT_MS);
    this.#keepOutcomes();
  }

  /**
   * Answer an `outcome.asked` record; it is sent until it is acknowledged, like an outcome.
   * @param {string} askId the record's id
   * @param {{prompt_id: string, result: "accepted"|"declined"|"open"}[]} offers those that are answered
   * @param {"solved"|"unsolved"|"follow_up"|null} disposition
   */
  wrapUp(askId, offers = [], disposition = null) {
    const frame = { type: "wrap_up", ask_id: askId, offers, disposition };
    this.#unacknowledged.set(`${askId}:wrap_up`, { frame, sentAt: null });
    this.#sendOutcomes(ACK_TIMEOUT_MS);
    this.#keepOutcomes();
  }

  #receive(frame) {
    switch (frame.type) {
      case "welcome":
        this.#missedBefore = frame.resumed ? Date.parse(frame.server_time) : -Infinity;
        this.#sendOutcomes(0);
        break;
      case "reset":
        this.#cursor = frame.cursor;
        this.#seen = new Set(frame.conversations.flatMap(({ records }) => records.map((record) => record.record_id)));
        this.#onEvent(frame);
        break;
      case "record":
        this.#cursor = frame.cursor;
        this.#record(frame.record);
        break;
      case "pong":
        this.#cursor = frame.cursor ?? this.#cursor;
        break;
      case "ack":
        this.#settle(`${frame.prompt_id}:${frame.state}`);
        break;
      case "wrapped_up":
        this.#settle(`${frame.ask_id}:wrap_up`);
        break;
      case "refused":
        // "unavailable" is tried again when its acknowledgement has been waited for; the others never succeed.
        if (frame.ask_id && frame.code !== "unavailable") this.#settle(`${frame.ask_id}:wrap_up`);
        if (frame.prompt_id && frame.code !== "unavailable") this.#settle(`${frame.prompt_id}:${frame.state}`);
        this.#onEvent(frame);
        break;
      case "status":
        this.#onEvent(frame);
    }
  }

  #record(record) {
    if (this.#seen.has(record.record_id)) return;
    this.#seen.add(record.record_id);
    if (this.#seen.size > SEEN_RECORDS) this.#seen.delete(this.#seen.values().next().value);
    this.#onEvent({ type: "record", record, missed: madeAt(record) < this.#missedBefore });
  }

  #settle(key) {
    if (this.#unacknowledged.delete(key)) this.#keepOutcomes();
  }

  /** Send the outcomes that were never sent, or not acknowledged for `patience` ms. */
  #sendOutcomes(patience) {
    const now = performance.now();
    for (const outcome of this.#unacknowledged.values()) {
      const waits = outcome.sentAt !== null && now - outcome.sentAt < patience;
      if (!waits && this.#session.send(outcome.frame)) outcome.sentAt = now;
    }
  }

  #keepOutcomes() {
    const kept = [...this.#unacknowledged].map(([key, { frame }]) => [key, { frame, sentAt: null }]);
    this.#storage.setItem(this.#storageKey, JSON.stringify(kept));
    this.#onEvent({ type: "outcomes", waiting: kept.filter(([, { frame }]) => frame.state !== "shown").length });
  }
}

/** When what a record tells happened, in ms; NaN where it does not say. */
function madeAt(record) {
  return Date.parse(record.received_at ?? record.prompt?.created_at ?? record.started_at);
}
