"""What a processor remembers of each owner (a conversation, a customer), so that a redelivered input changes nothing.

One row an owner holds its state together with the *tail*: the messages its latest inputs gave rise to. State and
messages are thus one write, and any prefix of a batch's writes leaves a consistent table. When the owner's next
batch comes, the tail moves into rows of its own, one an input, kept for the owner's last `HORIZON_INPUTS` inputs (or as
many as the processor asks for). An
input found in the tail or the rows is a redelivery: what it published is published again, byte for byte, whatever
catalogue or model runs by now. Older inputs are not recognised; Kafka does not redeliver that far back.

    state/<owner>             sequence, when touched, state, tail
    sent/<owner>/<input>      sequence, messages
"""

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from urllib.parse import quote, unquote

from streams.bus.ports import Message, Table, Write

HORIZON_INPUTS = 256
"""How many of an owner's latest inputs are recognised when they come again."""
HORIZON = timedelta(hours=24)
"""How long after its last input an owner's inputs are recognised, and how long a finished owner's rows are kept."""
_FORGET_EVERY = 64


@dataclass(slots=True)
class Account:
    """One owner's row, opened for one batch."""

    partition: int
    owner: str
    state: bytes | None
    """UTF-8, opaque to the ledger; None: an owner never seen, or forgotten."""
    sequence: int
    """How many inputs of this owner have been committed."""
    _table: Table
    _horizon_inputs: int
    _old_tail: dict[str, tuple[Message, ...]]
    _new_tail: dict[str, tuple[Message, ...]] = field(default_factory=dict)
    _touched_ms: int = 0

    def published(self, input_id: str) -> tuple[Message, ...] | None:
        """What this input gave rise to when it was first committed; None: it is new."""
        token = _token(input_id)
        for tail in (self._new_tail, self._old_tail):
            if token in tail:
                return tail[token]
        row = self._table.get(self.partition, _sent_key(self.owner, token))
        return None if row is None else _read_messages(row.partition(b"\n")[2])

    def commit(self, input_id: str, state: bytes, messages: Iterable[Message], now: datetime) -> tuple[Message, ...]:
        """The input is done: `state` is what it left, `messages` what it gave rise to (returned, to be published)."""
        sent = tuple(messages)
        self.state = state
        self.sequence += 1
        self._new_tail[_token(input_id)] = sent
        self._touched_ms = max(self._touched_ms, round(now.timestamp() * 1000))
        return sent

    def writes(self) -> list[Write]:
        """The rows that changed, in an order of which any prefix is consistent: old tail first, state last."""
        if not self._new_tail or self.state is None:
            return []
        before = self.sequence - len(self._new_tail)
        writes = [
            Write(self.partition, _sent_key(self.owner, token), b"%d\n%b" % (before, _write_messages(messages)))
            for token, messages in self._old_tail.items()
        ]
        if before // _FORGET_EVERY != self.sequence // _FORGET_EVERY:
            writes += self._forgotten(self.sequence - self._horizon_inputs)
        row = json.dumps(
            [
                self.sequence,
                self._touched_ms,
                self.state.decode(),
                {token: _as_lists(messages) for token, messages in self._new_tail.items()},
            ],
            ensure_ascii=False,
            separators=(",", ":"),
        )
        writes.append(Write(self.partition, _state_key(self.owner), zlib.compress(row.encode(), 1)))
        return writes

    def _forgotten(self, up_to: int) -> list[Write]:
        return [
            Write(self.partition, key, None)
            for key, row in self._table.scan(self.partition, _sent_key(self.owner, ""))
            if int(row.partition(b"\n")[0]) <= up_to
        ]


class Ledger:
    """The accounts of one batch. Make one a batch; hand its `writes()` to the effects."""

    def __init__(self, table: Table, horizon_inputs: int = HORIZON_INPUTS) -> None:
        """`horizon_inputs`: how many of an owner's latest inputs are to be recognised."""
        self._table = table
        self._horizon_inputs = horizon_inputs
        self._accounts: dict[tuple[int, str], Account] = {}
        self._swept: list[Write] = []

    def open(self, partition: int, owner: str) -> Account:
        """The owner's account; the same one however often it is opened within the batch."""
        account = self._accounts.get((partition, owner))
        if account is None:
            account = self._accounts[partition, owner] = read_account(
                self._table, partition, owner, self._horizon_inputs
            )
        return account

    def sweep(self, partition: int, now: datetime, *, keep_state: bool) -> None:
        """Forget what owners untouched for `HORIZON` published; with `keep_state` off, their state as well.

        Cost: a scan of the partition's owners. Call it about once an hour.
        """
        oldest_ms = round((now - HORIZON).timestamp() * 1000)
        for key, row in self._table.scan(partition, "state/"):
            sequence, touched_ms, state, tail = json.loads(zlib.decompress(row))
            owner = unquote(key.removeprefix("state/"))
            if touched_ms > oldest_ms or (partition, owner) in self._accounts:
                continue
            sent = [Write(partition, name, None) for name, _ in self._table.scan(partition, _sent_key(owner, ""))]
            if keep_state and not tail and not sent:
                continue
            kept = zlib.compress(json.dumps([sequence, touched_ms, state, {}], ensure_ascii=False).encode(), 1)
            self._swept += [*sent, Write(partition, key, kept if keep_state else None)]

    def writes(self) -> list[Write]:
        """All that the batch changed, consistent at any prefix."""
        return self._swept + [write for account in self._accounts.values() for write in account.writes()]


def read_account(table: Table, partition: int, owner: str, horizon_inputs: int = HORIZON_INPUTS) -> Account:
    """The account as the table has it."""
    row = table.get(partition, _state_key(owner))
    if row is None:
        return Account(partition, owner, None, 0, table, horizon_inputs, {})
    sequence, touched_ms, state, tail = json.loads(zlib.decompress(row))
    old_tail = {token: _from_lists(messages) for token, messages in tail.items()}
    return Account(partition, owner, state.encode(), sequence, table, horizon_inputs, old_tail, _touched_ms=touched_ms)


def owners(table: Table, partition: int) -> Iterable[tuple[str, bytes]]:
    """Every owner of a partition with its state: how an index in memory is rebuilt after an assignment."""
    for key, row in table.scan(partition, "state/"):
        yield unquote(key.removeprefix("state/")), json.loads(zlib.decompress(row))[2].encode()


def _token(input_id: str) -> str:
    return blake2b(input_id.encode(), digest_size=9).hexdigest()


def _state_key(owner: str) -> str:
    return f"state/{quote(owner, safe='')}"


def _sent_key(owner: str, token: str) -> str:
    return f"sent/{quote(owner, safe='')}/{token}"


_Fields = list[str | int | None]


def _as_lists(messages: Iterable[Message]) -> list[_Fields]:
    return [[m.topic, m.key, None if m.value is None else m.value.decode(), m.partition] for m in messages]


def _from_lists(fields: Sequence[Sequence[str | int | None]]) -> tuple[Message, ...]:
    return tuple(
        Message(str(topic), _text(key), None if value is None else str(value).encode(), _number(partition))
        for topic, key, value, partition in fields
    )


def _text(value: str | int | None) -> str | None:
    return None if value is None else str(value)


def _number(value: str | int | None) -> int | None:
    return None if value is None else int(value)


def _write_messages(messages: Iterable[Message]) -> bytes:
    return zlib.compress(json.dumps(_as_lists(messages), ensure_ascii=False, separators=(",", ":")).encode(), 1)


def _read_messages(row: bytes) -> tuple[Message, ...]:
    return _from_lists(json.loads(zlib.decompress(row)))
