"""The samples as a running system would have recorded them: with agents who take and dismiss prompts, and ticks."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from deploy.recording import Line, read, samples
from deploy.replaying import INPUTS
from deploy.workers import load_model
from guidance.decision.rules import Rules
from schemas.codec import decode, encode
from schemas.guidance import DECISION, Decision, Prompt, PromptState, Tick
from schemas.outcomes import PromptOutcome, outcome_id_of
from schemas.topics import DECISIONS, DEFAULT_PARTITIONS, OUTCOMES, TICKS
from streams.bus.memory import MemoryBus
from streams.bus.ports import Message, Record
from streams.decisions.processor import DecisionsProcessor
from streams.intents.processor import IntentsProcessor
from streams.intents.scoring import Scoring

_ANSWERS = (PromptState.ACCEPTED, PromptState.DISMISSED, None)
"""What agents do with one prompt after the other; None: they leave it until it is out of date."""
_TICKS_FOR = 90


def answers(decision: Decision, at: datetime, number: int) -> Iterator[Message]:
    """What a desktop tells of the decision's prompts, the `number`th decision that had any."""
    for prompt in decision.prompts:
        for state in (PromptState.DELIVERED, PromptState.SHOWN, _ANSWERS[number % len(_ANSWERS)]):
            if state is not None:
                yield Message(OUTCOMES.name, decision.route_key, encode(outcome_of(prompt, state, at)))


def outcome_of(prompt: Prompt, state: PromptState, at: datetime) -> PromptOutcome:
    shared = prompt.model_dump(
        include={"prompt_id", "decision_id", "conversation_id", "route_key", "agent_id", "action_id"}
    )
    return PromptOutcome(outcome_id=outcome_id_of(prompt.prompt_id, state), state=state, at=at, **shared)


async def record(rules: Callable[[], Rules], lines: Sequence[Line] | None = None) -> list[Record]:
    """All inputs and decisions of the samples, or of `lines`, oldest first."""
    bus = MemoryBus(DEFAULT_PARTITIONS)
    scoring = Scoring(load_model(None).score, floor_s=60.0)
    processors = [IntentsProcessor(scoring, DEFAULT_PARTITIONS), DecisionsProcessor(rules, DEFAULT_PARTITIONS)]
    answered = 0
    lines = read(samples()) if lines is None else lines
    now = lines[0].at
    try:
        for line in lines:
            for _ in range(_TICKS_FOR):
                if now + timedelta(seconds=1) >= line.at:
                    break
                now += timedelta(seconds=1)
                bus.publish(_ticks(now), now)
                await bus.run(processors)
            now = line.at
            before = {each.offset for each in _of(bus, line)}
            bus.publish([line.message], now)
            await bus.run(processors)
            for each in _of(bus, line):
                decision = decode(DECISION, each.value)
                if each.offset not in before and decision.prompts:
                    answered += 1
                    bus.publish(answers(decision, now, answered), now + timedelta(milliseconds=300))
                    await bus.run(processors)
    finally:
        scoring.close()
    records = [each for topic in (*INPUTS, DECISIONS.name) for each in bus.records(topic)]
    return sorted(records, key=lambda each: each.timestamp_ms)


def _of(bus: MemoryBus, line: Line) -> list[Record]:
    conversation_id = getattr(line.event, "conversation_id", None)
    name = f'"conversation_id":"{conversation_id}"'.encode()
    return [each for each in bus.records(DECISIONS.name) if name in (each.value or b"")]


def _ticks(at: datetime) -> list[Message]:
    return [Message(TICKS.name, None, encode(Tick(at=at)), partition) for partition in range(DEFAULT_PARTITIONS)]
