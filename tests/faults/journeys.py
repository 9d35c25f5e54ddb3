"""Workers of `decisions` on a real Kafka, fed with what `intents` would write, watched by an independent client."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kafka import KafkaProducer

from builders import customer_event, routed, scored, scores, started, turn
from deploy.kafka import topics
from deploy.local import Child, end, free_port
from faults.independent import Seen
from schemas.codec import encode
from schemas.conversation import Channel, ConversationEnded, ConversationIdentified, Speaker
from schemas.guidance import PromptState
from schemas.outcomes import PromptOutcome, outcome_id_of
from streams.bus.connection import KafkaSettings

INTENTS, EVENTS, OUTCOMES = "conversation.intents.v1", "customer.events.v1", "guidance.outcomes.v1"
CATALOG = """\
id: journeys
name: Over all channels
policy: {most_dismissals: 1, supersede_margin: 0.0}
defaults:
  all: {prior: 0.5, value: 100, expires_after_s: 600}
actions:
  keep:
    kind: retention
    title: Keep them
    triggers: [{intent: cancel_service, why: wants to leave}]
    treatments: [{channels: [voice, chat], words: I can bring your bill down.}]
  review:
    kind: service
    title: Review the plan
    value: 50
    cooldown_minutes: 60
    triggers: [{intent: price_complaint, why: bill too high}]
    treatments: [{channels: [voice, chat], words: Let us look at your plan together.}]
  match_price:
    kind: retention
    title: Match the price
    triggers: [{intent: competitor_mention, why: compares providers}]
    treatments: [{channels: [voice, chat], words: I can match what they ask.}]
  mailed_discount:
    kind: retention
    title: The discount we mailed
    value: 30
    cooldown_minutes: 10080
    triggers: [{intent: competitor_mention, why: compares providers}]
    treatments: [{channels: [voice, chat], words: The discount in our letter is yours.}]
  own_it:
    kind: service
    title: See it through
    value: 300
    triggers: [{intent: technical_problem, when: recent_contacts >= 2, why: third contact in two weeks}]
    treatments: [{channels: [voice, chat], words: I will see this through myself.}]
"""


@dataclass
class Talk:
    """One conversation as it goes on now: each thing that happens in it is published at once."""

    floor: "Floor"
    conversation_id: str
    channel: Channel
    customer_id: str | None
    route_key: str
    agent_id: str
    turns: list[str] = field(default_factory=list)

    @property
    def route(self) -> dict[str, Any]:
        return {
            "route_key": self.route_key, "customer_id": self.customer_id, "channel": self.channel,
            "agent_id": self.agent_id,
        }  # fmt: skip

    def _lifecycle(self, event: Any) -> None:
        self.floor.publish(INTENTS, self.route_key, routed(event, **self.route))

    def start(self) -> "Talk":
        self._lifecycle(
            started(
                self.conversation_id, at=datetime.now(UTC), channel=self.channel, customer_id=self.customer_id,
                customer_name=None, agent_id=self.agent_id,
            )
        )  # fmt: skip
        return self

    def hear(self, *fired: str, speaker: Speaker = Speaker.CUSTOMER) -> str:
        """A final turn in which those labels fired; its id."""
        now, turn_id = datetime.now(UTC), f"{self.conversation_id}-t{len(self.turns)}"
        said = turn(
            f"turn {len(self.turns)}", turn_id, conversation_id=self.conversation_id, speaker=speaker,
            started_at=now, ended_at=now,
        )  # fmt: skip
        self.turns.append(turn_id)
        self.floor.publish(INTENTS, self.route_key, scored(said, scores=scores(*fired), received_at=now, **self.route))
        return turn_id

    def identify(self, customer_id: str) -> None:
        self.customer_id = customer_id
        self._lifecycle(
            ConversationIdentified(
                event_id=f"{self.conversation_id}-login", conversation_id=self.conversation_id, at=datetime.now(UTC),
                customer_id=customer_id,
            )
        )  # fmt: skip

    def end(self) -> None:
        self._lifecycle(
            ConversationEnded(
                event_id=f"{self.conversation_id}-end", conversation_id=self.conversation_id, at=datetime.now(UTC)
            )
        )


class Floor:
    """A contact centre: workers, what happens there, and what an independent client sees of the answers."""

    def __init__(self, bootstrap: str, home: Path, seen: Seen, workers: int) -> None:
        self._bootstrap, self._home, self.seen = bootstrap, home, seen
        self._producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=0)
        catalog = home / "journeys.yaml"
        catalog.write_text(CATALOG)
        self.workers = []
        for number in range(workers):
            port, data = free_port(), home / f"data-{number}"
            told = ["worker", "decisions", "--http-port", str(port), "--data", str(data), "--catalog", str(catalog)]
            url, log = f"http://127.0.0.1:{port}/readyz", home / f"{number}.log"
            self.workers.append(Child(f"decisions-{number}", told, url, log, {"LIVECUE_KAFKA": bootstrap}))
        self.run = f"{time.time_ns() % 10**9:x}"

    def start(self) -> None:
        for worker in self.workers:
            worker.start()
        for worker in self.workers:
            self.wait(worker.is_ready, lambda: worker.log_tail(20))  # noqa: B023 - asked before the next one

    def close(self) -> None:
        self._producer.close()
        end([worker.process for worker in self.workers if worker.process])

    def publish(self, topic: str, key: str, contract: Any) -> None:
        self._producer.send(topic, key=key.encode(), value=encode(contract))

    def flush(self) -> None:
        self._producer.flush()

    def happens(self, customer_id: str, kind: str, channel: Channel, **fields: Any) -> None:
        """Something outside of conversations, just now."""
        event_id = f"{customer_id}-{kind}-{time.time_ns()}"
        values = {"event_id": event_id, "customer_id": customer_id, "at": datetime.now(UTC), "facts": {}, **fields}
        self.publish(EVENTS, customer_id, customer_event(kind=kind, channel=channel, **values))

    def talk(self, name: str, channel: Channel, customer_id: str | None, agent_id: str = "ada") -> Talk:
        conversation_id = f"{name}-{self.run}"
        return Talk(self, conversation_id, channel, customer_id, customer_id or conversation_id, agent_id)

    def dismiss(self, prompt: dict[str, Any]) -> None:
        """As a gateway tells it: keyed as the prompt says."""
        state = PromptState.DISMISSED
        kept = {key: value for key, value in prompt.items() if key in PromptOutcome.model_fields}
        outcome_id = outcome_id_of(prompt["prompt_id"], state)
        told = PromptOutcome(**{**kept, "outcome_id": outcome_id, "state": state, "at": datetime.now(UTC)})
        self.publish(OUTCOMES, prompt["route_key"], told)

    def wait(self, holds: Callable[[], Any], otherwise: Callable[[], str] = str, within_s: float = 40) -> Any:
        """What `holds` says once that is true."""
        until = time.monotonic() + within_s
        while not (held := holds()):
            assert time.monotonic() < until, otherwise()
            time.sleep(0.03)
        return held

    def decision(self, turn_id: str) -> dict[str, Any]:
        """The decision on that turn, once it is there."""
        self.flush()
        return self.wait(
            lambda: next((each for each in list(self.seen.decided) if each["turn_id"] == turn_id), None),
            lambda: f"no decision on {turn_id}; {[worker.log_tail() for worker in self.workers]}",
        )

    def fate(self, turn_id: str, action_id: str) -> tuple[str, str]:
        """What became of an action on that turn, and why."""
        candidates = self.decision(turn_id)["candidates"]
        return next((each["fate"], each["reason"]) for each in candidates if each["action_id"] == action_id)


@contextlib.contextmanager
def open_floor(bootstrap: str, home: Path, workers: int = 1) -> Iterator[Floor]:
    """`workers` of decisions, ready, by the catalogue above."""
    topics.create(KafkaSettings(servers=(bootstrap,)))
    with Seen(bootstrap) as seen:
        floor = Floor(bootstrap, home, seen, workers)
        try:
            floor.start()
            yield floor
        finally:
            floor.close()


def ago(hours: float) -> datetime:
    return datetime.now(UTC) - timedelta(hours=hours)
