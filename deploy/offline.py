"""Recorded conversations through the very processors that run on Kafka, on the in-process bus: no clock, no network,
the same bytes every time."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from deploy.embeddings import embed_treatments
from deploy.recording import Line
from deploy.workers import load_catalog, load_model
from guidance.decision.catalog import Catalog
from guidance.decision.echo import Echoes
from guidance.decision.rules import Rules
from models.serving import IntentModel
from schemas.codec import decode, encode
from schemas.conversation import Speaker, Turn
from schemas.guidance import DECISION, Decision, PromptState, Tick
from schemas.topics import DECISIONS, DEFAULT_PARTITIONS, TICKS
from streams.bus.memory import MemoryBus
from streams.bus.ports import Message, Processor
from streams.decisions.processor import DecisionsProcessor
from streams.intents.processor import IntentsProcessor
from streams.intents.scoring import Scoring

_LONGEST_TICKING = timedelta(minutes=2)
"""After this long a silence all prompts have expired; idle conversations are closed by the tick that follows it."""
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision, and the turn it was made on."""

    decision: Decision
    speaker: Speaker
    text: str

    def as_json(self) -> str:
        """What a script wants of it. `action_id` and `kind` are those of the prompt that won, else of the first that
        was pinned, else null; `retracts` has the ids of the prompts that were taken off the desk."""
        decision = self.decision
        prompt = decision.prompts[0] if decision.prompts else None
        return json.dumps(
            {
                "conversation_id": decision.conversation_id,
                "turn_id": decision.turn_id,
                "decision_id": decision.decision_id,
                "action_id": prompt.action_id if prompt else None,
                "kind": prompt.kind.value if prompt else None,
                "retracts": [
                    ending.prompt_id
                    for ending in decision.endings
                    if ending.state in (PromptState.RETRACTED, PromptState.SUPERSEDED)
                ],
            }
        )

    def as_text(self) -> str:
        """A line or more for people: what was said, what was cued."""
        said = f"{self.decision.conversation_id:28} {self.speaker.value:8} {self.text}"
        cued = [f"{'':28} ▸ {p.kind.value}: {p.words}  ({', '.join(p.why)})" for p in self.decision.prompts]
        gone = [f"{'':28} × {e.action_id}: {e.reason}" for e in self.decision.endings]
        return "\n".join([said, *gone, *cued])


def decide_offline(lines: Sequence[Line], model: Path | None, catalog: Path | None) -> Iterator[Decided]:
    """Every decision on `lines`, in order of its turn. None: the model and the catalogue that ship.

    Turns are as the recording has them: unredacted text is shown to whoever owns the recording.
    """
    turns = {line.event.turn_id: line.event for line in lines if isinstance(line.event, Turn) and line.event.is_final}
    intents, actions = load_model(model), load_catalog(catalog)
    bus = run_offline(lines, intents, Rules(actions, echoes=echoes_of(actions, intents)))
    decisions = [decode(DECISION, record.value) for record in bus.records(DECISIONS.name)]
    order = {turn_id: position for position, turn_id in enumerate(turns)}
    for decision in sorted(decisions, key=lambda each: order[each.turn_id]):
        turn = turns[decision.turn_id]
        yield Decided(decision, turn.speaker, turn.text)


def run_offline(lines: Sequence[Line], model: IntentModel, rules: Rules) -> MemoryBus:
    """All topics as they stand after `lines`."""
    return asyncio.run(_run(lines, model, rules))


def echoes_of(catalog: Catalog, model: IntentModel) -> Echoes | None:
    """What `catalog`'s treatments say, as `model` hears it; None: it has no first stage."""
    if model.first_stage is None:
        return None
    return Echoes.of(embed_treatments(catalog, model), model.manifest.revision)


async def _run(lines: Sequence[Line], model: IntentModel, rules: Rules) -> MemoryBus:
    bus = MemoryBus(DEFAULT_PARTITIONS)
    scoring = Scoring(model.score, floor_s=60.0)  # nobody waits: a slow machine decides the same
    processors: list[Processor] = [
        IntentsProcessor(scoring, DEFAULT_PARTITIONS),
        DecisionsProcessor(lambda: rules, DEFAULT_PARTITIONS),
    ]
    try:
        now = lines[0].at if lines else None
        for line in lines:
            for second in _seconds_between(now, line.at):
                bus.publish(_ticks(second), second)
                await bus.run(processors)
            now = line.at
            bus.publish([line.message], now)
            await bus.run(processors)
    finally:
        scoring.close()
    return bus


def _ticks(at: datetime) -> list[Message]:
    return [Message(TICKS.name, None, encode(Tick(at=at)), partition) for partition in range(DEFAULT_PARTITIONS)]


def _seconds_between(start: datetime | None, end: datetime) -> Iterator[datetime]:
    """Each second of a short silence; of a long one the first two minutes and the end."""
    if start is None:
        return
    at = start + _SECOND
    while at < end and at - start <= _LONGEST_TICKING:
        yield at
        at += _SECOND
    if at < end:
        yield end
