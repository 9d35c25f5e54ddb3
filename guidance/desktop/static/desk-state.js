// What the agent page knows, as a value. `reduce(state, event)` is pure: no clock, no page, no socket.
// Times are ms since 1970 by the gateway's clock; events carry theirs as `now`.

const ENDING_STAYS_MS = { retracted: 3_000, expired: 3_000, superseded: 0, fulfilled: 1_500, accepted: 1_500, dismissed: 600 };
const UNDERSTOOD_AT_MOST = 6;
/** Closing words and thanks are shown on their turns; they say nothing about what the customer wants. */
const SAYS_NOTHING = new Set(["gratitude", "closing"]);

/**
 * @typedef {object} Conversation
 * @property {string} id
 * @property {string} channel
 * @property {string|null} customerName
 * @property {number} startedAt
 * @property {string[]} journey newest contact first
 * @property {string|null} closed why it is over ("ended", "idle", "transferred"), or null
 * @property {Array<TurnEntry|PromptEntry>} entries the transcript: finals, and prompts where they came
 * @property {TurnEntry[]} partials what is being said now, at most one a speaker
 * @property {string[]} understood the customer's intents, latest first
 * @property {string|null} sentiment
 * @property {number|null} churnRisk
 * @property {Live|null} prompt what the card shows
 * @property {Pinned[]} pinned
 *
 * @typedef {{kind: "turn", id: string, speaker: string, text: string, intents: string[], at: number, missed: boolean}} TurnEntry
 * @typedef {{kind: "prompt", id: string, prompt: object, state: string, reason: string, missed: boolean}} PromptEntry
 * @typedef {{prompt: object, missed: boolean, shownAt: number|null, ending: null|{state: string, reason: string, until: number}}} Live
 * @typedef {{prompt: object, state: string}} Pinned
 */

export const EMPTY = {
  /** What the connection is, and since when; `message` says why it was refused. */
  connection: { state: "connecting", since: null, message: null },
  /** The gateway's trouble in words, or null. */
  trouble: null,
  /** False until the gateway has said how things stand. */
  known: false,
  /** How many of the agent's answers the gateway does not have yet. */
  waiting: 0,
  /** @type {Conversation[]} in the order they came */
  conversations: [],
  selected: null,
  /** Questions on conversations that are over, the oldest first: records as they came. */
  asks: [],
  /** What came while the connection was lost, or null: {prompts, late, turns}. */
  missed: null,
  now: 0,
};

export function reduce(state, event) {
  const reducer = REDUCERS[event.type];
  return reducer ? reducer({ ...state, now: event.now ?? state.now }, event) : state;
}

/** The conversation that is looked at, or null. */
export const selected = (state) => state.conversations.find(({ id }) => id === state.selected) ?? null;

/** Whether a conversation has a prompt that the agent has not answered. */
export const needsAnswer = ({ prompt }) => prompt !== null && prompt.ending === null;

const REDUCERS = {
  connection(state, { state: connection, message = null }) {
    if (connection === state.connection.state) return state;
    const back = connection === "live" && state.connection.state === "reconnecting" && state.known;
    const missed = back ? { prompts: 0, late: 0, turns: 0 } : state.missed;
    return { ...state, missed, connection: { state: connection, since: state.now, message } };
  },

  status: (state, { state: gateway, message }) => ({ ...state, trouble: gateway === "live" ? null : message }),

  outcomes: (state, { waiting }) => ({ ...state, waiting }),

  reset(state, { conversations }) {
    const rebuilt = conversations.map((replay) => rebuild(replay, state.now));
    return settleSelection({ ...state, known: true, missed: null, conversations: rebuilt });
  },

  record(state, { record, missed }) {
    const next = { ...state, known: true, missed: countMissed(state, record, missed) };
    if (record.type === "outcome.asked") return { ...next, asks: withAsk(state, record) };
    if (record.type === "conversation.opened") {
      const others = state.conversations.filter(({ id, closed }) => id !== record.conversation_id && !leaves(state, id, closed));
      return settleSelection({ ...next, conversations: [...others, opened(record, state)] });
    }
    return withConversation(next, record.conversation_id, (conversation) => fold(conversation, record, missed, state.now));
  },

  select: (state, { conversationId }) =>
    settleSelection({
      ...state,
      selected: conversationId,
      conversations: state.conversations.filter(({ id, closed }) => closed === null || id === conversationId),
    }),

  shown: (state, { conversationId }) =>
    withConversation(state, conversationId, (conversation) => ({
      ...conversation,
      prompt: conversation.prompt && { ...conversation.prompt, shownAt: conversation.prompt.shownAt ?? state.now },
    })),

  /** The agent has answered: the page does not wait for the engine to say so. */
  answer: (state, { conversationId, promptId, answer, reason }) =>
    withConversation(state, conversationId, (conversation) =>
      end(conversation, { prompt_id: promptId, state: answer, reason: reason ?? "" }, state.now),
    ),

  /** A question is answered, or waved away. */
  answered: (state, { askId }) => ({ ...state, asks: state.asks.filter(({ record_id }) => record_id !== askId) }),

  /** "While you were away" has been read. */
  read: (state) => ({ ...state, missed: null }),

  tick: (state) => ({
    ...state,
    asks: state.asks.filter((ask) => isOpen(ask, state.now)),
    conversations: state.conversations.map((conversation) => age(conversation, state.now)),
  }),
};

/** Whether an answer would still count. */
const isOpen = ({ until }, now) => Date.parse(until) > now;

const withAsk = ({ asks, now }, record) => (isOpen(record, now) ? [...asks, record] : asks);

function withConversation(state, conversationId, change) {
  const conversations = state.conversations.map((one) => (one.id === conversationId ? change(one) : one));
  const gone = conversations.filter(({ id, closed }) => leaves(state, id, closed));
  if (!gone.length) return { ...state, conversations };
  return { ...state, conversations: conversations.filter((one) => !gone.includes(one)) };
}

/** A closed conversation leaves unless it is the one that is looked at: nothing jumps by itself. */
const leaves = (state, id, closed) => closed !== null && id !== state.selected;

/** Keep the selection where it is; move it only off something that is gone or over. */
function settleSelection(state) {
  const current = selected(state);
  if (current && current.closed === null) return state;
  const next = state.conversations.find(({ closed }) => closed === null) ?? current;
  const conversations = state.conversations.filter((one) => one.closed === null || one === next);
  return { ...state, conversations, selected: next?.id ?? null };
}

function opened(record, state) {
  const known = state.conversations.find(({ id }) => id === record.conversation_id);
  const blank = conversation(record.conversation_id, record);
  // Opened again (a transfer back, an identification): what is known of it stays.
  return known ? { ...known, customerName: blank.customerName, journey: blank.journey, closed: null } : blank;
}

const conversation = (id, { channel, customer_name, started_at, journey = [] }) => ({
  id,
  channel,
  customerName: customer_name,
  startedAt: Date.parse(started_at),
  journey,
  closed: null,
  entries: [],
  partials: [],
  understood: [],
  sentiment: null,
  churnRisk: null,
  prompt: null,
  pinned: [],
});

/** A conversation as a reset tells it: its records for the transcript, its snapshot for what is live. */
function rebuild({ snapshot, records }, now) {
  const start = conversation(snapshot.conversation_id, snapshot);
  const replayed = records.reduce((one, record) => {
    if (record.type === "conversation.opened") return { ...one, journey: record.journey ?? one.journey };
    // A former agent's record of the conversation's leaving them closes nothing here.
    return record.type === "conversation.closed" ? one : fold(one, record, false, now);
  }, start);
  const live = new Set([snapshot.live_prompt, ...snapshot.pinned].filter(Boolean).map(({ prompt_id }) => prompt_id));
  const entries = replayed.entries.map((entry) =>
    entry.kind === "prompt" && entry.state === "live" && !live.has(entry.id) ? { ...entry, state: "over" } : entry,
  );
  const fresh = { ...replayed, entries, prompt: null };
  const said = replayed.pinned.filter(({ prompt, state }) => state === "fulfilled" && !live.has(prompt.prompt_id));
  const pinned = [...said, ...snapshot.pinned.map((prompt) => ({ prompt, state: "live" }))];
  return { ...(snapshot.live_prompt ? issue(fresh, snapshot.live_prompt, false, now) : fresh), pinned };
}

function fold(conversation, record, missed, now) {
  switch (record.type) {
    case "turn":
      return turn(conversation, record, missed);
    case "prompt":
      return issue(conversation, record.prompt, missed, now);
    case "prompt.ended":
      return end(conversation, record.ending, now);
    case "conversation.closed":
      return { ...conversation, closed: record.reason, partials: [] };
    default:
      return conversation;
  }
}

function turn(conversation, record, missed) {
  const entry = {
    kind: "turn",
    id: record.turn_id,
    speaker: record.speaker,
    text: record.text,
    intents: record.intents,
    at: Date.parse(record.ended_at),
    missed,
  };
  const others = conversation.partials.filter(({ speaker }) => speaker !== record.speaker);
  const isFinal = conversation.entries.some(({ kind, id }) => kind === "turn" && id === record.turn_id);
  if (!record.is_final) return isFinal ? conversation : { ...conversation, partials: [...others, entry] };
  const partials = conversation.partials.filter(({ id }) => id !== record.turn_id);
  const next = { ...conversation, partials, entries: withEntry(conversation.entries, entry) };
  if (record.speaker !== "customer") return next;
  const said = record.intents.filter((label) => !SAYS_NOTHING.has(label));
  return {
    ...next,
    understood: [...new Set([...said, ...conversation.understood])].slice(0, UNDERSTOOD_AT_MOST),
    sentiment: record.sentiment ?? conversation.sentiment,
    churnRisk: record.churn_risk ?? conversation.churnRisk,
  };
}

/** Put an entry in its place: the one it replaces, or the end. */
function withEntry(entries, entry) {
  const place = entries.findIndex(({ kind, id }) => kind === entry.kind && id === entry.id);
  return place < 0 ? [...entries, entry] : entries.with(place, entry);
}

function issue(conversation, prompt, missed, now) {
  const late = Date.parse(prompt.expires_at) <= now;
  const entry = { kind: "prompt", id: prompt.prompt_id, prompt, state: late ? "expired" : "live", reason: "", missed };
  const entries = withEntry(conversation.entries, entry);
  if (prompt.pinned) {
    const others = conversation.pinned.filter((one) => one.prompt.prompt_id !== prompt.prompt_id);
    return { ...conversation, entries, pinned: [...others, { prompt, state: entry.state }] };
  }
  if (late) return { ...conversation, entries }; // a late prompt is worthless: it is only told of, greyed
  return { ...conversation, entries, prompt: { prompt, missed, shownAt: null, ending: null } };
}

function end(conversation, { prompt_id, state, reason }, now) {
  const known = conversation.entries.find(({ kind, id }) => kind === "prompt" && id === prompt_id);
  // The first ending counts: the engine repeats what the agent has answered here already.
  if (!known || !["live", "over"].includes(known.state)) return conversation;
  const entries = withEntry(conversation.entries, { ...known, state, reason });
  const pinned = conversation.pinned.map((one) => (one.prompt.prompt_id === prompt_id ? { ...one, state } : one));
  const next = { ...conversation, entries, pinned };
  if (conversation.prompt?.prompt.prompt_id !== prompt_id) return next;
  const stays = ENDING_STAYS_MS[state] ?? 0;
  return { ...next, prompt: stays ? { ...conversation.prompt, ending: { state, reason, until: now + stays } } : null };
}

/** What time alone changes: prompts expire, endings have been read. */
function age(conversation, now) {
  let next = conversation;
  for (const { kind, id, state, prompt } of conversation.entries) {
    const due = kind === "prompt" && state === "live" && Date.parse(prompt.expires_at) <= now;
    if (due) next = end(next, { prompt_id: id, state: "expired", reason: "" }, now);
  }
  return next.prompt?.ending && next.prompt.ending.until <= now ? { ...next, prompt: null } : next;
}

function countMissed(state, record, missed) {
  if (!missed || !state.missed) return state.missed;
  const late = record.type === "prompt" && Date.parse(record.prompt.expires_at) <= state.now;
  return {
    turns: state.missed.turns + (record.type === "turn" && record.is_final ? 1 : 0),
    prompts: state.missed.prompts + (record.type === "prompt" ? 1 : 0),
    late: state.missed.late + (late ? 1 : 0),
  };
}
