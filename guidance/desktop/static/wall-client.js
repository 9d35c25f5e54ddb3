// The supervisor page's client: wall, trends, and the one conversation that is watched.

import { DeskSession } from "./desk-session.js";

export class WallClient {
  #session;
  #watched = null;

  /**
   * @param {object} options
   * @param {string} options.url of the gateway's websocket
   * @param {string} options.token
   * @param {(event: object) => void} options.onEvent {type: "connection", state, message?}, or a frame as it
   *   came: "wall", "trends", "conversation" of schemas/supervisor_frames.py, "status", "refused" of
   *   schemas/desk_session.py
   */
  constructor({ url, token, onEvent }) {
    this.#session = new DeskSession({
      url,
      hello: () => ({ role: "supervisor", token }),
      onFrame: (frame) => {
        if (frame.type === "welcome") this.#watchAgain();
        else if (frame.type !== "pong") onEvent(frame);
      },
      onConnection: (connection) => onEvent({ type: "connection", ...connection }),
    });
  }

  open() {
    this.#session.open();
  }

  now() {
    return this.#session.now();
  }

  /** Follow a conversation from close by, also after a reconnection; null follows none. */
  watch(conversationId) {
    this.#watched = conversationId;
    if (conversationId === null) this.#session.send({ type: "unwatch" });
    else this.#watchAgain();
  }

  #watchAgain() {
    if (this.#watched !== null) this.#session.send({ type: "watch", conversation_id: this.#watched });
  }
}
