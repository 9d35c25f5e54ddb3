"""What the encoder is asked, so that the first stage may learn from what it says.

New talk out of old: what it means nobody says. A few thousand turns are not enough to hear from the encoder what each
word does beside each other. So they are taken apart and put together as people's talk is: a clause alone, the beginning
of a turn, small talk before a wish, half of one thing and half of another.
"""

import random
import re
from collections.abc import Sequence

from models.training.speech import as_heard
from models.training.variants import recombined

_CLAUSE_ENDS = re.compile(r"(?<=[.?!,;:])\s+")
_FEWEST_WORDS = 2
_HEARD_SHARE = 0.5


class Questions:
    """Makes texts of the texts that it is given."""

    def __init__(self, texts: Sequence[str], idle: Sequence[str], rng: random.Random) -> None:
        """``idle``: texts that want nothing; there may be none."""
        self._texts = [text for text in texts if text.split()]
        self._rng = rng
        self._clauses = [
            clause
            for text in self._texts
            for clause in _CLAUSE_ENDS.split(text)
            if len(clause.split()) >= _FEWEST_WORDS
        ] or self._texts
        self._idle = idle or self._clauses

    def make(self, count: int) -> list[str]:
        """``count`` texts, of each kind as many; some may be alike."""
        kinds = (
            self._clause,
            self._two_clauses,
            self._amid_idle_talk,
            self._beginning,
            self._swapped,
            self._swapped,
            self._recombined,
            self._recombined,
        )
        made = [kinds[index % len(kinds)]() for index in range(count)]
        return [as_heard(text, self._rng) if self._rng.random() < _HEARD_SHARE else text for text in made]

    def _clause(self) -> str:
        return self._rng.choice(self._clauses)

    def _two_clauses(self) -> str:
        return f"{self._clause()} {self._clause()}"

    def _amid_idle_talk(self) -> str:
        parts = [self._rng.choice(self._idle), self._clause()]
        self._rng.shuffle(parts)
        return " ".join(parts)

    def _beginning(self) -> str:
        words = self._rng.choice(self._texts).split()
        return " ".join(words[: self._rng.randint(_FEWEST_WORDS, max(_FEWEST_WORDS + 1, len(words)))])

    def _swapped(self) -> str:
        """A stretch of one text in the place of another's."""
        words, others = (self._rng.choice(self._texts).split() for _ in range(2))
        at, start = self._rng.randrange(len(words)), self._rng.randrange(len(others))
        words[at : at + self._rng.randint(1, 3)] = others[start : start + self._rng.randint(1, 4)]
        return " ".join(words)

    def _recombined(self) -> str:
        return recombined(self._texts, self._rng)
