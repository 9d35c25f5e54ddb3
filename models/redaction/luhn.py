"""The Luhn check of card numbers, as sums that can be continued without keeping the digits."""

from collections.abc import Iterator
from typing import NamedTuple

SHORTEST, LONGEST = 13, 19
"""How many digits a card number has, per ISO/IEC 7812."""

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


class LuhnSums(NamedTuple):
    """A run of digits, forgotten: how many there were, and their Luhn sums mod 10."""

    length: int = 0
    plain: int = 0
    """With the last digit counted as it is: 0 means that the run is valid."""
    doubled: int = 0
    """With the last digit doubled: what the next digit turns into `plain`."""

    def then(self, digits: str) -> "LuhnSums":
        """The sums of this run followed by `digits` (ASCII)."""
        length, plain, doubled = self
        for digit in map(int, digits):
            plain, doubled = (doubled + digit) % 10, (plain + _DOUBLED[digit]) % 10
        return LuhnSums(length + len(digits), plain, doubled)

    @property
    def is_card(self) -> bool:
        """Whether a card number may have such sums: 13 to 19 digits that pass the check."""
        return SHORTEST <= self.length <= LONGEST and self.plain == 0


def card_windows(parts: list[str]) -> Iterator[tuple[int, int]]:
    """Where card numbers stand in `parts` (digits each): disjoint `(first, beyond)`, leftmost first, then longest.

    Takes time linear in the digits: no window is followed beyond 19 of them.
    """
    first = 0
    while first < len(parts):
        beyond = _longest_card_from(parts, first)
        if beyond is None:
            first += 1
        else:
            yield first, beyond
            first = beyond


def _longest_card_from(parts: list[str], first: int) -> int | None:
    sums, longest = LuhnSums(), None
    for index in range(first, len(parts)):
        if sums.length + len(parts[index]) > LONGEST:
            break
        sums = sums.then(parts[index])
        if sums.is_card:
            longest = index + 1
    return longest
