// Words for people in place of the system's: labels, states, durations, names. Pure.

const INTENTS = {
  cancel_service: "wants to leave",
  cancellation_terms: "asks how to leave",
  competitor_mention: "names a competitor",
  price_complaint: "price",
  billing_dispute: "disputes a charge",
  payment_trouble: "trouble paying",
  technical_problem: "something is broken",
  upgrade_interest: "wants more",
  add_product: "wants to add",
  plan_inquiry: "asks about plans",
  order_status: "where is my order",
  refund_return: "wants money back",
  account_access: "locked out",
  account_change: "change of details",
  repeat_contact: "contacted before",
  escalation: "wants a supervisor",
  vulnerability: "vulnerable",
  accepts_offer: "says yes",
  declines_offer: "says no",
  gratitude: "thanks",
  closing: "wrapping up",
  discloses_recording: "recording disclosed",
  verifies_identity: "identity checked",
  makes_offer: "offer made",
  apologises: "apology",
  states_terms: "terms stated",
};

/** Intents that call for care: "risk" for those that may cost the customer, "grave" for those that never wait. */
const CARE = { cancel_service: "risk", competitor_mention: "risk", escalation: "grave", vulnerability: "grave" };

const ENDINGS = {
  accepted: "Accepted",
  dismissed: "Dismissed",
  expired: "Too late now",
  superseded: "Replaced",
  retracted: "Taken back",
  fulfilled: "Said",
};

const STATES = { created: "on its way", delivered: "at the desk", shown: "on the screen" };

const FATES = {
  won: "won",
  pinned: "pinned",
  lost: "lost",
  suppressed: "held back",
  ineligible: "not possible",
  not_triggered: "not called for",
};

/** The reasons of a dismissal that are asked for, in the order of their keys 1 to 5. */
export const REASONS = [
  ["wrong_intent", "Misunderstood"],
  ["already_said", "Already said"],
  ["not_suitable", "Does not suit them"],
  ["customer_mood", "Not in this mood"],
  ["other", "Something else"],
];

const REASON_WORDS = { ...Object.fromEntries(REASONS), not_now: "not now" };

const LEVELS = { all_well: "all well", rules_only: "rules only", compliance_only: "compliance only" };

const CHANNELS = { self_service: "self-service", ivr: "IVR", crm: "CRM", email: "e-mail" };

const spoken = (label) => label.replaceAll("_", " ");

/** What an intent label means to people; a label unknown here is shown as its words. */
export const intentWords = (label) => INTENTS[label] ?? spoken(label);

/** "risk", "grave" or "" for an intent label: how its chip is coloured beside its words. */
export const intentCare = (label) => CARE[label] ?? "";

export const endingWords = (state) => ENDINGS[state] ?? spoken(state);

/** A dismissal's reason, written with `_` or with spaces; the engine's own words stay as they are. */
export const reasonWords = (reason) => REASON_WORDS[reason.replaceAll(" ", "_")]?.toLowerCase() ?? spoken(reason);

export const levelWords = (level) => LEVELS[level] ?? spoken(level);
export const channelWords = (channel) => CHANNELS[channel] ?? spoken(channel);
export const kindWords = (kind) => spoken(kind);

/** An action's id as a phrase: `keep_loyalty_discount` → "keep loyalty discount". */
export const actionWords = (actionId) => spoken(actionId);

/** Milliseconds as a clock that fits a header: "04:12", "1:04:12". */
export function clock(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}

/** Milliseconds as people say them: "12 s", "4 min 12 s", "2 h 5 min". */
export function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 ? `${minutes} min ${seconds % 60} s` : `${minutes} min`;
  return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${Math.floor(minutes / 60)} h`;
}

const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

/** An instant (ISO text or ms) as the time of day in the viewer's zone. */
export const timeOfDay = (instant) => TIME.format(new Date(instant));

/** "Dana Whitfield" → "Dana W."; a name in another script, or of one word, as it is; none: "Unknown customer". */
export function shortName(name) {
  if (!name) return "Unknown customer";
  const parts = name.trim().split(/\s+/);
  const latin = /^[\p{Script=Latin}'’.-]+$/u;
  if (parts.length < 2 || !parts.every((part) => latin.test(part))) return name.trim();
  return `${parts[0]} ${[...parts.at(-1)][0]}.`;
}

/** What to call the customer in a sentence: the first name, or "the customer". */
export const callName = (name) => (name ? name.trim().split(/\s+/)[0] : "the customer");

/** "Call with Dana W.", "Chat with Dana W.". */
export function conversationTitle(channel, name) {
  const what = { voice: "Call", chat: "Chat" }[channel] ?? "Conversation";
  return `${what} with ${name ? shortName(name) : "an unknown customer"}`;
}

/** `count` with its noun: "1 prompt", "3 prompts". */
export const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** Milliseconds as a latency: "180 ms", "1.2 s", "4 min 12 s". */
export const milliseconds = (ms) => (ms < 1_000 ? `${Math.round(ms)} ms` : ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : duration(ms));

const SECOND = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** An instant (ISO text or ms) to the second, in the viewer's zone. */
export const secondOfDay = (instant) => SECOND.format(new Date(instant));

/** A mood of -1 to 1 as "unhappy", "calm" or "content". */
export const moodOf = (mood) => (mood <= -0.25 ? "unhappy" : mood >= 0.25 ? "content" : "calm");

/** Where a run of moods, oldest first, has come to: the last three of them in a word; "" for none. */
export function moodWords(moods) {
  const last = moods.slice(-3);
  return last.length ? moodOf(last.reduce((total, mood) => total + mood, 0) / last.length) : "";
}

/** "grave", "risk" or "" for how much a conversation needs somebody, 0 to 1. */
export const careWords = (need) => (need >= 0.6 ? "grave" : need >= 0.35 ? "risk" : "");

/** What became of a candidate and why: "lost to keep free month", "held back: cooling down until 10:21". */
export function fateWords({ fate, reason }) {
  const words = FATES[fate] ?? spoken(fate);
  const why = reason.replaceAll(/\b[a-z]+(_[a-z]+)+\b/g, spoken); // ids of actions and facts, as phrases
  return why.startsWith(words) ? why : why ? `${words}: ${why}` : words;
}

/** A prompt's state on the wall, with why where somebody said so: "on the screen", "dismissed: already said". */
export function promptStateWords({ state, reason }) {
  const words = STATES[state] ?? endingWords(state).toLowerCase();
  return reason ? `${words}: ${reasonWords(reason)}` : words;
}

/** The same of a transcript's prompt, with the time it was cued at. */
export const promptFateWords = ({ prompt }) => `cued ${timeOfDay(prompt.created_at)}, ${promptStateWords(prompt)}`;

/** Expected churn risk, 0 to 2, as "low", "some" or "high". */
export const riskWords = (risk) => (risk >= 1.4 ? "high" : risk >= 0.6 ? "some" : "low");
