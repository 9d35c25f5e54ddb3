// What the supervisor page knows, as a value. `reduce(state, event)` is pure: no clock, no page, no socket.
// Times are ms since 1970 by the gateway's clock; events carry theirs as `now`, and as `held` the conversations whose
// rows are under the pointer or have the focus.

/** Rows change places no oftener than this. */
const STILL_MS = 2_000;
const ON_ITS_WAY = new Set(["created", "delivered", "shown"]);
const FATES = ["won", "pinned", "lost", "suppressed", "ineligible", "not_triggered"];

export const EMPTY = {
  connection: { state: "connecting", since: null, message: null },
  /** The gateway's trouble in words, or null. */
  trouble: null,
  /** When the last wall was made; null: none came yet. */
  at: null,
  figures: null,
  live: 0,
  /** Conversation id → WallRow, with `ended` true for one that is over but whose row is still in its place. */
  rows: new Map(),
  /** The ids in the order in which their rows stand. */
  order: [],
  arrangedAt: -Infinity,
  /** The order that the last wall asks for. */
  wanted: [],
  trends: null,
  trendsAt: null,
  /** The conversation in the drawer, or null. */
  watched: null,
  /** Its ConversationView; null: it has not come yet. */
  view: null,
  /** Why it will not come, in words, or null. */
  viewTrouble: null,
  now: 0,
};

export function reduce(state, event) {
  const reducer = REDUCERS[event.type];
  return reducer ? reducer({ ...state, now: event.now ?? state.now }, event) : state;
}

const REDUCERS = {
  connection(state, { state: connection, message = null }) {
    if (connection === state.connection.state) return state;
    return { ...state, connection: { state: connection, since: state.now, message } };
  },

  status: (state, { state: gateway, message }) => ({ ...state, trouble: gateway === "live" ? null : message }),

  wall(state, { at, figures, live, rows, held = [] }) {
    const next = new Map(rows.map((row) => [row.conversation_id, { ...row, ended: false }]));
    for (const id of state.order) {
      // A row that vanished would pull up all those below it: it keeps its place until the rows may move.
      if (!next.has(id)) next.set(id, { ...state.rows.get(id), ended: true });
    }
    const wanted = rows.map(({ conversation_id }) => conversation_id);
    return settle({ ...state, at: Date.parse(at), figures, live, rows: next, wanted }, held);
  },

  trends: (state, { at, trends }) => ({ ...state, trends, trendsAt: Date.parse(at) }),

  watch: (state, { conversationId }) => ({ ...state, watched: conversationId, view: null, viewTrouble: null }),

  conversation: (state, view) => (view.row.conversation_id === state.watched ? { ...state, view, viewTrouble: null } : state),

  refused: (state, { code, message }) => (code === "unknown_conversation" ? { ...state, viewTrouble: message } : state),

  tick: (state, { held = [] }) => settle(state, held),
};

/** Let the rows change places, if they have stood long enough. */
function settle(state, held) {
  if (state.now - state.arrangedAt < STILL_MS || sameOrder(state.wanted, state.order)) return state;
  const order = arrange(state.wanted, state.order, held);
  const rows = new Map(order.map((id) => [id, state.rows.get(id)]));
  return { ...state, order, rows, arrangedAt: state.now };
}

const sameOrder = (one, other) => one.length === other.length && one.every((id, i) => id === other[i]);

/**
 * The order that `wanted` asks for, but for those of `order` that are `held`: they stay where they are.
 * @param {string[]} wanted
 * @param {string[]} order as it is now
 * @param {string[]} held
 */
export function arrange(wanted, order, held) {
  const staying = new Set(held);
  const places = order.map((id, place) => ({ id, place })).filter(({ id }) => staying.has(id));
  const standing = new Set(places.map(({ id }) => id));
  const next = wanted.filter((id) => !standing.has(id));
  for (const { id, place } of places) next.splice(place, 0, id); // from the top, so that each lands on its place
  return next;
}

/** A ConversationView as a transcript: turns, and prompts where they came; entries as in desk-state.js. */
export function transcriptOf({ row, turns, prompts }) {
  const said = turns.map((turn) => ({
    isFinal: turn.is_final,
    kind: "turn",
    id: turn.turn_id,
    speaker: turn.speaker,
    text: turn.text,
    intents: turn.intents,
    at: Date.parse(turn.ended_at),
    missed: false,
  }));
  const cued = prompts.map((prompt) => ({
    kind: "prompt",
    id: prompt.prompt_id,
    prompt,
    state: ON_ITS_WAY.has(prompt.state) ? "live" : prompt.state,
    reason: prompt.reason ?? "",
    at: Date.parse(prompt.created_at),
    missed: false,
  }));
  // The sort is stable: a prompt stands after the turn that it answers, also where both are of one millisecond.
  const over = said.filter(({ isFinal }) => isFinal);
  const entries = [...over, ...cued].sort((one, other) => one.at - other.at);
  const partials = said.filter(({ isFinal }) => !isFinal);
  return { id: row.conversation_id, customerName: row.customer_name, entries, partials };
}

/** A decision's candidates as they are read: what is shown first, then what lost, then what never came into question. */
export function weighed({ candidates }) {
  const rank = ({ fate }) => FATES.indexOf(fate);
  return [...candidates].sort((one, other) => rank(one) - rank(other));
}
