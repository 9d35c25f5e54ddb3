// Which of a prompt's script steps the agent has been heard saying. Pure; a memory aid, never a record of compliance:
// that is the engine's to say, by fulfilling the prompt.

const LITTLE_WORDS = new Set(
  ("a about again all also an and any are as ask at be been but by can check confirm do does explain for from give had has " +
    "have her him his how i if in is it its let may me mention my of offer on or our out please remind say she so state " +
    "tell than that the their them then there they this to us was we what when which will with would you your").split(" "),
);
const NUMBERS = {
  one: "1", two: "2", three: "3", four: "4", five: "5", six: "6", seven: "7", eight: "8", nine: "9", ten: "10",
  twelve: "12", fourteen: "14", fifteen: "15", eighteen: "18", twenty: "20", thirty: "30", forty: "40", fifty: "50",
  sixty: "60", ninety: "90",
}; // prettier-ignore
const ENOUGH = 2 / 3;

/** The words of a text that carry its meaning, cut to their stems: "Mention the 30-day cooling-off" → 30, day, cool, off. */
export function contentWords(text) {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return new Set(words.filter((word) => !LITTLE_WORDS.has(word)).map(stem));
}

/**
 * Whether a step has been said: two thirds of its content words are in one utterance or the next one after it.
 * @param {string} step
 * @param {string[]} utterances of the agent, in order
 */
export function isHeard(step, utterances) {
  const wanted = [...contentWords(step)];
  if (!wanted.length) return false;
  return utterances.some((utterance, i) => {
    const said = contentWords(`${utterance} ${utterances[i + 1] ?? ""}`);
    return wanted.filter((word) => said.has(word)).length >= wanted.length * ENOUGH;
  });
}

function stem(word) {
  const known = NUMBERS[word] ?? word;
  return known.length > 5 ? known.replace(/(ing|ed|es|s|ly)$/, "") : known.replace(/(?<=..)s$/, "");
}
