"""What is scored."""

from typing import NamedTuple

from schemas.conversation import Speaker


class Utterance(NamedTuple):
    """The words of a turn, and all else of it that its scores depend on."""

    speaker: Speaker
    text: str
    is_final: bool = True
    """False: the end is still to come. Its labels fire at their partial thresholds."""
