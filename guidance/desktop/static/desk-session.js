// One desk session with the gateway, kept up: hello, welcome, ping, and again with backoff when it is lost.
// The frames are those of schemas/desktop.py. `DeskClient` (agents) and `WallClient` (supervisors) stand on it.

const PROTOCOL = 1;
const FIRST_RETRY_MS = 400;
const LONGEST_RETRY_MS = 15_000;
const SILENT_PINGS = 3;
const HELLO_TIMEOUT_MS = 10_000;

/** Refusals after which coming again the same way is right; after the others that close it is refused again. */
const COME_AGAIN = new Set(["too_slow", "going_away", "unavailable"]);

/** How long to wait before attempt `attempt` (from 0), in ms: doubling, at most 15 s, a random half of it off. */
export function retryDelay(attempt, random = Math.random()) {
  return Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempt) * (0.5 + random / 2);
}

export class DeskSession {
  #url;
  #hello;
  #onFrame;
  #onConnection;
  #socket = null;
  #attempt = 0;
  #retry = null;
  #watchdog = null;
  #pings = new Map(); // n → when it was sent, on the monotonic clock
  #n = 0;
  #standing = false;
  #over = true;
  #clockOffset = 0;

  /**
   * @param {object} options
   * @param {string} options.url of the gateway's websocket
   * @param {() => object} options.hello the first frame without `type` and `protocol`, asked for at every attempt
   * @param {(frame: object) => void} options.onFrame every frame but pongs
   * @param {(connection: {state: "connecting"|"live"|"reconnecting"|"refused", message?: string}) => void}
   *   options.onConnection; "refused" is for good: nothing is tried any more, `message` says why, for people
   */
  constructor({ url, hello, onFrame, onConnection }) {
    this.#url = url;
    this.#hello = hello;
    this.#onFrame = onFrame;
    this.#onConnection = onConnection;
  }

  /** Connect, and stay connected until `close()`. */
  open() {
    this.#over = false;
    this.#onConnection({ state: "connecting" });
    globalThis.addEventListener("online", this.#hurry);
    this.#connect();
  }

  close() {
    this.#over = true;
    globalThis.removeEventListener("online", this.#hurry);
    clearTimeout(this.#retry);
    this.#leave();
  }

  /** Send a frame if the session stands; false where it does not. */
  send(frame) {
    if (!this.#standing || this.#socket.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /** The gateway's clock as far as it is known here, in ms since 1970. */
  now() {
    return Date.now() + this.#clockOffset;
  }

  #connect() {
    this.#retry = null;
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    this.#watchdog = setTimeout(() => this.#lost(socket), HELLO_TIMEOUT_MS);
    socket.onopen = () => socket.send(JSON.stringify({ type: "hello", protocol: PROTOCOL, ...this.#hello() }));
    socket.onmessage = ({ data }) => socket === this.#socket && this.#receive(JSON.parse(data));
    socket.onclose = () => this.#lost(socket);
  }

  #receive(frame) {
    if (frame.type === "welcome") this.#welcome(frame);
    if (frame.type === "pong") this.#pong(frame);
    if (frame.type === "refused" && frame.closes && !COME_AGAIN.has(frame.code)) {
      this.close();
      this.#onConnection({ state: "refused", message: frame.message });
    }
    this.#onFrame(frame);
  }

  #welcome({ server_time, heartbeat_s }) {
    clearTimeout(this.#watchdog);
    this.#clockOffset = Date.parse(server_time) - Date.now();
    this.#standing = true;
    this.#attempt = 0;
    this.#onConnection({ state: "live" });
    const socket = this.#socket;
    this.#watchdog = setInterval(() => this.#ping(socket), heartbeat_s * 1000);
  }

  #ping(socket) {
    if (this.#pings.size >= SILENT_PINGS) return this.#lost(socket);
    this.#n += 1;
    this.#pings.set(this.#n, performance.now());
    this.send({ type: "ping", n: this.#n });
  }

  #pong({ n, server_time }) {
    const sentAt = this.#pings.get(n);
    this.#pings.clear();
    if (sentAt === undefined) return;
    this.#clockOffset = Date.parse(server_time) + (performance.now() - sentAt) / 2 - Date.now();
  }

  #lost(socket) {
    if (socket !== this.#socket) return;
    this.#leave();
    if (this.#over) return;
    this.#onConnection({ state: "reconnecting" });
    this.#retry = setTimeout(() => this.#connect(), retryDelay(this.#attempt));
    this.#attempt += 1;
  }

  #leave() {
    const socket = this.#socket;
    this.#socket = null;
    this.#standing = false;
    this.#pings.clear();
    clearTimeout(this.#watchdog);
    socket?.close();
  }

  /** The network is back: do not sit out the wait. */
  #hurry = () => {
    if (this.#retry === null) return;
    clearTimeout(this.#retry);
    this.#connect();
  };
}
