"""What one speaker's earlier turns say about the next."""

from pydantic import Field

from models.redaction.kinds import Kind
from models.redaction.luhn import LuhnSums
from schemas.base import Contract


class Memory(Contract):
    """Kept per conversation and speaker, from turn to turn. It holds no digits: what must not be stored is not stored
    here either, only how many there were and the sums that a card's check needs."""

    asked: tuple[Kind, ...] = ()
    """What this speaker asked for and has not moved on from; the other's answer is read in its light."""
    asked_word: bool = False
    """Whether that is a password or a memorable word, so that a bare word is the answer."""
    pending: LuhnSums = Field(default_factory=LuhnSums)
    """The number in whose middle this speaker's last turn perhaps ended; a length of 0: none."""
    pending_kind: Kind | None = None
    """What that number was taken for; None: it was let through so far."""
