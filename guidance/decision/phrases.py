"""Words to listen for, compiled so that no text can make the search slow."""

import re
from typing import Any

from guidance.decision.expression import Flaw

MOST_PHRASES = 60
MAX_PHRASE_CHARS = 80

_APOSTROPHES = re.compile("['’]")
_LETTER = re.compile(r"\w")


def compile_phrases(phrases: Any) -> re.Pattern[str]:
    """Find any of `phrases` as whole words, in any case, with any space between the words and either apostrophe.

    Phrases are plain text, never patterns: what one holds beside letters is sought as it stands.

    Raises:
        Flaw: they are not a list of texts with letters in them, or are too many or too long.
    """
    if not isinstance(phrases, list) or not phrases or not all(isinstance(each, str) for each in phrases):
        raise Flaw("phrases are a list of texts", "write them as [close my account, switch provider]")
    if len(phrases) > MOST_PHRASES:
        raise Flaw(
            f"these are {len(phrases)} phrases, at most {MOST_PHRASES} are listened for", "keep the telling ones"
        )
    for phrase in phrases:
        if len(phrase) > MAX_PHRASE_CHARS:
            mend = "keep the few words that tell"
            raise Flaw(f"a phrase has {len(phrase)} characters, at most {MAX_PHRASE_CHARS} are read", mend)
        if not phrase.isprintable():
            raise Flaw(f"{phrase!r} has characters that cannot be seen", "type the phrase anew")
        if not (_LETTER.match(phrase.strip()) and _LETTER.match(phrase.strip()[-1])):
            raise Flaw(f"“{phrase}” does not begin and end with a letter or digit", "write the bare words")
    alternatives = "|".join(r"\s+".join(map(_word, phrase.split())) for phrase in phrases)
    return re.compile(rf"\b(?:{alternatives})\b", re.IGNORECASE)


def _word(word: str) -> str:
    return "['’]".join(map(re.escape, _APOSTROPHES.split(word)))
