"""How well the shipped model tells that the agent has said what a treatment says: `-s` shows the figures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from builders import scored, turn
from deploy.embeddings import embed_treatments
from deploy.recording import read, samples
from deploy.workers import load_catalog
from guidance.decision.catalog import Catalog
from guidance.decision.echo import Echoes
from models.artifacts import INTENT
from models.serving import IntentModel, Utterance
from schemas.conversation import Speaker, Turn

SAID: dict[str, dict[str, list[str]]] = yaml.safe_load((Path(__file__).parent / "said.yaml").read_text())
GRID = [percent / 100 for percent in range(50, 95, 5)]


@dataclass(frozen=True)
class Heard:
    """A turn of an agent's, and what it is like."""

    text: str
    fired: tuple[str, ...]
    likeness: Mapping[str, float]


class Ear:
    """The shipped model and the telecom catalogue, embedded."""

    def __init__(self) -> None:
        self._model = IntentModel.load(INTENT)
        self.catalog: Catalog = load_catalog(None)
        echoes = Echoes.of(embed_treatments(self.catalog, self._model), self._model.manifest.revision)
        assert echoes is not None
        self._echoes = echoes

    def hear(self, text: str) -> Heard:
        scores = self._model.score([Utterance(Speaker.AGENT, text)])[0]
        spoken = scored(turn(text, speaker=Speaker.AGENT), scores=scores)
        return Heard(text, scores.fired, self._echoes.likeness(spoken))


@pytest.fixture(scope="module")
def ear() -> Ear:
    return Ear()


def pairs(part: str) -> Iterator[tuple[str, str]]:
    return ((action_id, text) for action_id, texts in SAID[part].items() for text in texts)


def of_samples() -> Iterator[str]:
    events: Iterator[Any] = (line.event for line in read(samples()))
    return (each.text for each in events if isinstance(each, Turn) and each.speaker is Speaker.AGENT and each.is_final)


def test_what_was_said_is_told_from_what_was_not(ear):
    close = [(action_id, ear.hear(text)) for action_id, text in pairs("paraphrases")]
    loose = [(action_id, ear.hear(text)) for action_id, text in pairs("loose")]
    near = [(action_id, ear.hear(text)) for action_id, text in pairs("near_misses")]
    wild = [ear.hear(text) for text in of_samples()]

    def recall(of: list[tuple[str, Heard]], at: float) -> float:
        return sum(heard.likeness[action_id] >= at for action_id, heard in of) / len(of)

    def wrong(at: float) -> list[tuple[str, str]]:
        """(action, turn): told as said, and not said."""
        mistaken = [(a, heard.text) for a, heard in near if heard.likeness[a] >= at]
        for own, heard in (*close, *loose):
            mistaken += [(a, heard.text) for a, likeness in heard.likeness.items() if a != own and likeness >= at]
        for heard in wild:
            mistaken += [(a, heard.text) for a in told(heard, at) if not truly_said(ear.catalog, a, heard)]
        return mistaken

    def right(at: float) -> int:
        in_wild = sum(truly_said(ear.catalog, a, heard) for heard in wild for a in told(heard, at))
        return in_wild + sum(heard.likeness[a] >= at for a, heard in (*close, *loose))

    print(f"\n{len(close)} paraphrases, {len(loose)} loose ones, {len(near)} near misses, {len(wild)} turns of samples")
    print("   at  recall  loose  precision  wrong")
    for at in GRID:
        precision = right(at) / max(1, right(at) + len(wrong(at)))
        print(
            f" {at:.2f}    {recall(close, at):.2f}   {recall(loose, at):.2f}       {precision:.2f}  {len(wrong(at)):5d}"
        )
    default = ear.catalog.policy.said_similarity
    for action_id, text in wrong(default):
        print(f"  wrong at {default}: {action_id}: {text}")
    assert recall(close, default) >= 0.85
    assert right(default) / (right(default) + len(wrong(default))) >= 0.95


def told(heard: Heard, at: float) -> list[str]:
    return [action_id for action_id, likeness in heard.likeness.items() if likeness >= at]


def truly_said(catalog: Catalog, action_id: str, heard: Heard) -> bool:
    """By the model's own label for it, or because somebody has read it and says so in the file."""
    by_label = any(label in heard.fired for label in catalog.by_id[action_id].fulfilled_by)
    return by_label or any(heard.text.startswith(beginning) for beginning in SAID["said_in_samples"].get(action_id, ()))
