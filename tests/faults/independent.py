"""What an independent client sees: kafka-python and plain JSON, none of Livecue's code."""

import json
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from kafka import KafkaConsumer, TopicPartition

INTENTS, DECISIONS, DESK = "conversation.intents.v1", "guidance.decisions.v1", "guidance.desk.v1"


@dataclass
class Seen:
    """Everything on the three topics from now on, by a thread of its own."""

    bootstrap: str
    bytes_by_id: dict[tuple[str, str], set[bytes]] = field(default_factory=lambda: defaultdict(set))
    records: int = 0
    scored: list[dict[str, Any]] = field(default_factory=list)
    """First sight of each final scored turn, in order of arrival."""
    decided: list[dict[str, Any]] = field(default_factory=list)
    """First sight of each decision."""
    on_desks: list[dict[str, Any]] = field(default_factory=list)
    """First sight of each final turn on a desk."""
    desk_records: list[dict[str, Any]] = field(default_factory=list)
    """First sight of each desk record."""

    def __enter__(self) -> "Seen":
        self._stop, started = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._watch, args=(started,))
        self._thread.start()
        assert started.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self, started: threading.Event) -> None:
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap, group_id=None, enable_auto_commit=False)
        sources = [TopicPartition(t, p) for t in (INTENTS, DECISIONS, DESK) for p in consumer.partitions_for_topic(t)]
        consumer.assign(sources)
        consumer.seek_to_end(*sources)
        for source in sources:
            consumer.position(source)
        started.set()
        while not self._stop.is_set():
            for records in consumer.poll(timeout_ms=200).values():
                for record in records:
                    self._see(record.topic, record.value)
        consumer.close()

    def _see(self, topic: str, value: bytes) -> None:
        told = json.loads(value)
        self.records += 1
        identity, seen = self._identity(topic, told)
        known = self.bytes_by_id[topic, identity]
        if not known and seen is not None:
            seen.append(told)
        if not known and topic == DESK:
            self.desk_records.append(told)
        known.add(value)

    def _identity(self, topic: str, told: dict[str, Any]) -> tuple[str, list[dict[str, Any]] | None]:
        if topic == DECISIONS:
            return told["decision_id"], self.decided
        if topic == DESK:
            return told["record_id"], self.on_desks if told["type"] == "turn" and told["is_final"] else None
        if told["type"] == "scored.turn":
            turn = told["turn"]
            return f"{turn['turn_id']}/{turn['is_final']}/{turn['revision']}", self.scored if turn["is_final"] else None
        return told["event"]["event_id"], None

    def on_desk(self, what: str) -> list[dict[str, Any]]:
        """First sight of each desk record of that type."""
        return [each for each in list(self.desk_records) if each["type"] == what]

    def changed_bytes(self) -> list[tuple[str, str]]:
        """Ids of which two records differ."""
        return [identity for identity, values in self.bytes_by_id.items() if len(values) > 1]

    @property
    def repeated(self) -> int:
        """Records that were there before: redeliveries, which ids absorb."""
        return self.records - len(self.bytes_by_id)


def out_of_order(seen: list[dict[str, Any]], sent: dict[str, int]) -> int:
    """Turns seen after a later one of their conversation (on desks: of their conversation at that agent).

    `sent`: by turn id, its place in the order of sending.
    """
    latest: dict[tuple[str, str | None], int] = {}
    late = 0
    for each in seen:
        turn = each.get("turn", each)
        line = turn["conversation_id"], each.get("record_id") and each["agent_id"]
        late += sent[turn["turn_id"]] < latest.get(line, -1)
        latest[line] = max(latest.get(line, -1), sent[turn["turn_id"]])
    return late
