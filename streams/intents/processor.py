"""`intents`: every turn redacted, scored and sent on to its customer; lifecycle passed through in its place.

The conversation table belongs to it. A batch is what has arrived: its turns are scored together.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.serving import Utterance
from schemas.codec import decode, encode
from schemas.conversation import CONVERSATION, Turn
from schemas.errors import Malformed
from schemas.intent import RoutedLifecycle, ScoredTurn
from schemas.topics import INTENTS_TOPIC, TURNS
from streams.bus.guard import bury, misrouted
from streams.bus.ledger import Account, Ledger
from streams.bus.metrics import REPUBLISHED, SCORED_BY
from streams.bus.metrics import TURNS as TURNS_COUNTED
from streams.bus.ports import Effects, Message, Record, Table
from streams.intents.conversation import Conversation, fold_lifecycle, fold_turn
from streams.intents.scoring import Scoring

PARTIAL_WORDS = 7
"""A partial turn is scored from this many words on; shorter ones say too little."""
_SWEEP_EVERY = timedelta(hours=1)


@dataclass(slots=True)
class _Pending:
    """A new input, folded, waiting for its turn's scores."""

    account: Account
    input_id: str
    conversation: Conversation
    routed: ScoredTurn | RoutedLifecycle
    at: datetime

    @property
    def to_score(self) -> Utterance | None:
        """None: a lifecycle event, or a partial that is too short."""
        if not isinstance(self.routed, ScoredTurn):
            return None
        turn = self.routed.turn
        worth_it = turn.is_final or len(turn.text.split()) >= PARTIAL_WORDS
        return Utterance(turn.speaker, turn.text, turn.is_final) if worth_it else None


class IntentsProcessor:
    """See `streams.bus.ports.Processor` for what its methods promise."""

    name = "intents"
    topics: tuple[str, ...] = (TURNS.name,)

    def __init__(self, scoring: Scoring, partitions: int) -> None:
        self._scoring = scoring
        self._partitions = partitions
        self._swept_at: dict[int, datetime] = {}

    async def process(self, batch: Sequence[Record], table: Table) -> Effects:
        ledger = Ledger(table)
        messages: list[Message] = []
        folded: dict[str, Conversation] = {}
        pending: dict[tuple[str, str], _Pending] = {}
        for record in batch:
            messages += self._take(record, ledger, folded, pending)
        messages += await self._finish(list(pending.values()))
        for partition, now in {record.partition: record.at for record in batch}.items():
            self._sweep(ledger, partition, now)
        return Effects(ledger.writes(), messages)

    def revoked(self, partitions: Collection[int]) -> None:
        for partition in partitions:
            self._swept_at.pop(partition, None)

    def _take(
        self,
        record: Record,
        ledger: Ledger,
        folded: dict[str, Conversation],
        pending: dict[tuple[str, str], _Pending],
    ) -> list[Message]:
        """Fold one record into `pending`, or answer at once: buried, rerouted, published before."""
        rerouted = misrouted(record, self._partitions, self.name)
        if rerouted:
            return [rerouted]
        try:
            event = decode(CONVERSATION, record.value)
            _check_key(record, event.conversation_id)
        except Malformed as error:
            return [bury(record, str(error), self.name)]
        owner = event.conversation_id
        input_id = event.input_id if isinstance(event, Turn) else f"lifecycle:{event.event_id}"
        account = ledger.open(record.partition, owner)
        published = account.published(input_id)
        if published is not None or (owner, input_id) in pending:
            REPUBLISHED.labels(self.name).inc()
            return list(published or ())
        before = folded.get(owner) or _read(account)
        routed: ScoredTurn | RoutedLifecycle
        if isinstance(event, Turn):
            conversation, turn = fold_turn(before, event)
            routed = ScoredTurn(turn=turn, scores=None, received_at=record.at, **_route(conversation))
        else:
            conversation = fold_lifecycle(before, event)
            routed = RoutedLifecycle(event=event, **_route(conversation))
        folded[owner] = conversation
        pending[owner, input_id] = _Pending(account, input_id, conversation, routed, record.at)
        return []

    async def _finish(self, pending: Sequence[_Pending]) -> list[Message]:
        """Score what is to be scored as one batch, then commit every input in order."""
        wanted = {index: turn for index, item in enumerate(pending) if (turn := item.to_score)}
        scored = dict(zip(wanted, await self._scoring.score(list(wanted.values())), strict=True))
        messages: list[Message] = []
        for index, item in enumerate(pending):
            routed = item.routed
            if isinstance(routed, ScoredTurn):
                routed = routed.model_copy(update={"scores": scored.get(index)})
                _count(routed, skipped=index not in scored)
            message = Message(INTENTS_TOPIC.name, routed.route_key, encode(routed))
            messages += item.account.commit(item.input_id, encode(item.conversation), [message], item.at)
        return messages

    def _sweep(self, ledger: Ledger, partition: int, now: datetime) -> None:
        if now - self._swept_at.setdefault(partition, now) >= _SWEEP_EVERY:
            self._swept_at[partition] = now
            ledger.sweep(partition, now, keep_state=False)


def _count(turn: ScoredTurn, *, skipped: bool) -> None:
    TURNS_COUNTED.labels("skipped" if skipped else "unscored" if turn.scores is None else "scored").inc()
    if turn.scores is not None:
        SCORED_BY.labels(turn.scores.stage or "none").inc()


def _read(account: Account) -> Conversation | None:
    return None if account.state is None else Conversation.model_validate_json(account.state)


def _check_key(record: Record, conversation_id: str) -> None:
    """Order holds per conversation only if the record is keyed by it."""
    if record.key != conversation_id.encode():
        raise Malformed("the record key is not its conversation_id; key turns by conversation_id")


def _route(conversation: Conversation) -> dict[str, object]:
    return conversation.model_dump(include={"route_key", "channel", "customer_id", "agent_id", "team", "language"})
