"""What a processor remembers of each owner (a conversation, a customer), so that a redelivered input changes nothing.

One row an owner holds its state together with the *tail*: the messages its latest inputs gave rise to. State and
messages are thus one write, and any prefix of a batch's writes leaves a consistent table. When the owner's next
batch comes, the tail moves into rows of its own, one an input, kept for the owner's last `HORIZON_INPUTS` inputs (or as
many as the processor asks for). An
input found in the tail or the rows is a redelivery: what it published is published again, byte for byte, whatever
catalogue or model runs by now. Older inputs are not recognised; Kafka does not redeliver that far back.

What changes rarely may be kept *aside*, in a row of its own, so that the changelog is not told it with each input. An
input that changes it writes it into the state's row, with everything else that the input changed; when the owner's next
batch leaves it alone, it moves into its own row first, and is then left out of the state's.

    state/<owner>             sequence, when touched, state, tail, what is aside if it has just changed
    aside/<owner>             what is aside
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
    _old_aside: bytes | None = None
    """What is aside by the state's row; None: the row of its own has it."""
    _new_aside: bytes | None = None
    _own_aside: bytes | None = None
    """What is aside by the row of its own, empty where there is none; None: not read yet."""

    @property
    def aside(self) -> bytes | None:
        """What is kept aside: UTF-8, opaque to the ledger; None: nothing was ever put there."""
        if self._new_aside is not None or self._old_aside is not None:
            return self._old_aside if self._new_aside is None else self._new_aside
        if self._own_aside is None:
            row = self._table.get(self.partition, _aside_key(self.owner))
            self._own_aside = b"" if row is None else zlib.decompress(row)
        return self._own_aside or None

    def published(self, input_id: str) -> tuple[Message, ...] | None:
        """What this input gave rise to when it was first committed; None: it is new."""
        token = _token(input_id)
        for tail in (self._new_tail, self._old_tail):
            if token in tail:
                return tail[token]
        row = self._table.get(self.partition, _sent_key(self.owner, token))
        return None if row is None else _read_messages(row.partition(b"\n")[2])

    def commit(
        self, input_id: str, state: bytes, messages: Iterable[Message], now: datetime, *, aside: bytes | None = None
    ) -> tuple[Message, ...]:
        """The input is done: `state` is what it left, `messages` what it gave rise to (returned, to be published).

        `aside` replaces what is kept aside; None: that has not changed.
        """
        sent = tuple(messages)
        self.state = state
        if aside is not None:
            self._new_aside = aside
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
        if self._new_aside is None and self._old_aside is not None:
            writes.append(Write(self.partition, _aside_key(self.owner), zlib.compress(self._old_aside, 1)))
        tail = {token: _as_lists(messages) for token, messages in self._new_tail.items()}
        row = _write_row(self.sequence, self._touched_ms, self.state.decode(), tail, self._new_aside)
        writes.append(Write(self.partition, _state_key(self.owner), row))
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
            sequence, touched_ms, state, tail, aside = _read_row(row)
            owner = unquote(key.removeprefix("state/"))
            if touched_ms > oldest_ms or (partition, owner) in self._accounts:
                continue
            sent = [Write(partition, name, None) for name, _ in self._table.scan(partition, _sent_key(owner, ""))]
            if keep_state and not tail and not sent:
                continue
            if keep_state:
                self._swept += [*sent, Write(partition, key, _write_row(sequence, touched_ms, state, {}, aside))]
            else:
                self._swept += [*sent, Write(partition, key, None), Write(partition, _aside_key(owner), None)]

    def writes(self) -> list[Write]:
        """All that the batch changed, consistent at any prefix."""
        return self._swept + [write for account in self._accounts.values() for write in account.writes()]


def read_account(table: Table, partition: int, owner: str, horizon_inputs: int = HORIZON_INPUTS) -> Account:
    """The account as the table has it."""
    row = table.get(partition, _state_key(owner))
    if row is None:
        return Account(partition, owner, None, 0, table, horizon_inputs, {})
    sequence, touched_ms, state, tail, aside = _read_row(row)
    old_tail = {token: _from_lists(messages) for token, messages in tail.items()}
    return Account(
        partition, owner, state.encode(), sequence, table, horizon_inputs, old_tail,
        _touched_ms=touched_ms, _old_aside=aside,
    )  # fmt: skip


def owners(table: Table, partition: int) -> Iterable[tuple[str, bytes]]:
    """Every owner of a partition with its state, without what is aside: how an index in memory is rebuilt after an
    assignment."""
    for key, row in table.scan(partition, "state/"):
        yield unquote(key.removeprefix("state/")), _read_row(row)[2].encode()


def _token(input_id: str) -> str:
    return blake2b(input_id.encode(), digest_size=9).hexdigest()


def _state_key(owner: str) -> str:
    return f"state/{quote(owner, safe='')}"


def _aside_key(owner: str) -> str:
    return f"aside/{quote(owner, safe='')}"


def _sent_key(owner: str, token: str) -> str:
    return f"sent/{quote(owner, safe='')}/{token}"


_Fields = list[str | int | None]


def _write_row(
    sequence: int, touched_ms: int, state: str, tail: dict[str, list[_Fields]], aside: bytes | None
) -> bytes:
    row = [sequence, touched_ms, state, tail, None if aside is None else aside.decode()]
    return zlib.compress(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode(), 1)


def _read_row(row: bytes) -> tuple[int, int, str, dict[str, list[_Fields]], bytes | None]:
    sequence, touched_ms, state, tail, aside = json.loads(zlib.decompress(row))
    return sequence, touched_ms, state, tail, None if aside is None else aside.encode()


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
