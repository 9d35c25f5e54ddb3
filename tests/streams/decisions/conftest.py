"""`decisions` on the in-process bus with the small catalogue, and what it published, in words."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from builders import at, outcome, scored, scores, turn
from guidance.decision.catalog import Catalog
from guidance.decision.rules import Rules
from guidance.decision.state import CustomerState
from schemas.codec import decode, encode
from schemas.conversation import Speaker
from schemas.customer import CustomerEvent
from schemas.desk import DESK, DeskRecord
from schemas.guidance import DECISION, Decision, Prompt, PromptState, Tick
from schemas.outcomes import outcome_id_of
from schemas.requests import DecisionRequest
from schemas.topics import CUSTOMER_EVENTS, DECISIONS, DESK_TOPIC, INTENTS_TOPIC, OUTCOMES, REQUESTS, SNAPSHOTS, TICKS
from small_catalog import small
from streams.bus.ledger import read_account
from streams.bus.memory import MemoryBus
from streams.bus.partitioner import partition_for
from streams.bus.ports import Message, Record
from streams.decisions.processor import DecisionsProcessor

PARTITIONS = 4


class Worker:
    """A worker of `decisions` and all that it reads and writes."""

    def __init__(self) -> None:
        self.bus = MemoryBus(PARTITIONS)
        self.restart()

    def restart(self, catalog: Catalog | None = None) -> None:
        """A new process: nothing left in memory, its table as it was."""
        rules = Rules(catalog or small())
        self.processor = DecisionsProcessor(lambda: rules, PARTITIONS)

    async def take(self, event: Any, seconds: float = 0, *, key: str | None = None) -> None:
        """`event` reaches Kafka `seconds` after the tests' day began, and all it leads to is done."""
        await self.take_message(self._message(event, key), at(seconds))

    async def take_message(self, message: Message, when: datetime) -> None:
        self.bus.publish([message], when)
        await self.bus.run([self.processor])

    def _message(self, event: Any, key: str | None) -> Message:
        if isinstance(event, DecisionRequest):
            return Message(REQUESTS.name, key or event.customer_id, encode(event))
        if isinstance(event, CustomerEvent):
            return Message(CUSTOMER_EVENTS.name, key or event.customer_id, encode(event))
        topic = INTENTS_TOPIC if event.type in ("scored.turn", "routed.lifecycle") else OUTCOMES
        return Message(topic.name, key or event.route_key, encode(event))

    async def tick(self, seconds: float) -> None:
        """A second has passed, on every partition."""
        ticks = [Message(TICKS.name, None, encode(Tick(at=at(seconds))), partition) for partition in range(PARTITIONS)]
        self.bus.publish(ticks, at(seconds))
        await self.bus.run([self.processor])

    async def hear(
        self, seconds: float, *fired: str, text: str = "…", speaker: Speaker = Speaker.CUSTOMER, **route: Any
    ) -> None:
        """A final turn in which those labels fired."""
        spoken = {key: route.pop(key) for key in ("turn_id", "conversation_id", "is_final") if key in route}
        whole = {"turn_id": f"t{seconds}", "started_at": at(seconds - 2), "ended_at": at(seconds), **spoken}
        of = turn(text, speaker=speaker, **whole)
        await self.take(scored(of, **{"scores": scores(*fired), **route}), seconds)

    async def report(self, state: PromptState, prompt: Prompt, seconds: float, **fields: Any) -> None:
        """What became of `prompt`."""
        told = outcome(
            state, outcome_id=outcome_id_of(prompt.prompt_id, state), prompt_id=prompt.prompt_id, at=at(seconds),
            decision_id=prompt.decision_id, action_id=prompt.action_id, **fields,
        )  # fmt: skip
        await self.take(told, seconds)

    def redeliver(self) -> None:
        """What Kafka does when a worker dies before the commit: everything is read again."""
        self.bus.redeliver(self.processor.name)

    def records(self, topic: str) -> Sequence[Record]:
        return self.bus.records(topic)

    @property
    def decisions(self) -> list[Decision]:
        return [decode(DECISION, record.value) for record in self.records(DECISIONS.name)]

    def desk(self, agent_id: str = "ada") -> list[DeskRecord]:
        """All that was sent to that agent's desktop, in order."""
        records = [record for record in self.records(DESK_TOPIC.name) if record.key == agent_id.encode()]
        return [decode(DESK, record.value) for record in records]

    def snapshots(self, conversation_id: str = "c1") -> list[bytes | None]:
        return [record.value for record in self.records(SNAPSHOTS.name) if record.key == conversation_id.encode()]

    def state(self, owner: str = "dana") -> CustomerState:
        """What is remembered, as the table has it."""
        table = self.bus.table(self.processor.name)
        account = read_account(table, partition_for(owner, PARTITIONS), owner)
        return CustomerState.read(account.state, account.aside)

    @property
    def live(self) -> Prompt:
        """The prompt that is on c1's desk."""
        live = self.state().live["c1"].live
        assert live is not None
        return live.prompt


@pytest.fixture
def worker() -> Worker:
    return Worker()


@pytest.fixture(scope="session")
def new_worker() -> type[Worker]:
    """Makes workers, for tests that need one an example."""
    return Worker
