"""The samples with the model and the catalogue that ship: decided the same every time, and as people expect."""

import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any

import pytest
import yaml

from deploy.offline import Decided, decide_offline
from deploy.recording import read, samples
from schemas.codec import encode
from schemas.guidance import ActionKind, Prompt

EXPECTED: dict[str, list[Any]] = yaml.safe_load((files("deploy") / "samples" / "expected.yaml").read_text())


@pytest.fixture(scope="module")
def decided() -> Sequence[Decided]:
    return tuple(decide_offline(read(samples()), None, None))


def of(decided: Sequence[Decided], conversation_id: str) -> Iterator[Decided]:
    return (each for each in decided if each.decision.conversation_id == conversation_id)


def live_after(decided: Sequence[Decided], turn_id: str) -> dict[str, Prompt]:
    """By id, what is on the desk once `turn_id` has been decided on, as the decisions alone tell it."""
    desk: dict[str, Prompt] = {}
    for each in of(decided, turn_id.rpartition("-")[0]):
        for ending in each.decision.endings:
            desk.pop(ending.prompt_id, None)
        desk |= {prompt.prompt_id: prompt for prompt in each.decision.prompts}
        if each.decision.turn_id == turn_id:
            return {key: prompt for key, prompt in desk.items() if each.decision.now < prompt.expires_at}
    raise AssertionError(f"no decision on {turn_id}")


def says(decided: Sequence[Decided], turn_id: str) -> str:
    return next(each.text for each in decided if each.decision.turn_id == turn_id)


def test_twice_is_the_same_byte_for_byte(decided):
    again = decide_offline(read(samples()), None, None)
    assert [encode(each.decision) for each in decided] == [encode(each.decision) for each in again]


def test_every_final_turn_of_either_speaker_has_one_decision(decided):
    turn_ids = [line.event.turn_id for line in read(samples()) if line.is_final_turn]
    assert sorted(each.decision.turn_id for each in decided) == sorted(turn_ids)


@pytest.mark.parametrize("expected", EXPECTED["live"], ids=lambda each: each["turn"])
def test_what_must_be_live_is_live(decided, expected):
    assert expected["says"] in says(decided, expected["turn"])
    kinds = {prompt.kind.value for prompt in live_after(decided, expected["turn"]).values() if not prompt.pinned}
    assert kinds & set(expected["kinds"])


@pytest.mark.parametrize("conversation_id", EXPECTED["none_but_compliance"])
def test_in_quiet_conversations_nothing_but_compliance_is_prompted(decided, conversation_id):
    decisions = [each.decision for each in of(decided, conversation_id)]
    assert decisions
    assert {prompt.kind for decision in decisions for prompt in decision.prompts} <= {ActionKind.COMPLIANCE}


@pytest.mark.parametrize("expected", EXPECTED["never"], ids=lambda each: each["turn"])
def test_from_that_turn_on_it_is_never_prompted(decided, expected):
    assert expected["says"] in says(decided, expected["turn"])
    from_there = [
        each.decision
        for each in of(decided, expected["turn"].rpartition("-")[0])
        if each.decision.turn_id >= expected["turn"]
    ]
    prompted = {prompt.kind.value for decision in from_there for prompt in decision.prompts}
    assert prompted.isdisjoint(expected["kinds"])


def test_what_is_read_out_makes_sense(decided):
    for prompt in (prompt for each in decided for prompt in each.decision.prompts):
        spoken = " ".join((prompt.words, *prompt.steps, *prompt.why))
        assert re.search(r"[{}$]|\.00\b|\b1 (years|yrs|people)\b", spoken) is None, spoken
        assert len(prompt.words.split()) <= 30
        assert len(prompt.why) <= 3


def test_a_desk_never_holds_two_prompts_beside_compliance(decided):
    live: dict[str, Prompt] = {}
    for decision in (each.decision for each in decided):
        standing = live.get(decision.conversation_id)
        if standing and standing.prompt_id in {ending.prompt_id for ending in decision.endings}:
            del live[decision.conversation_id]
        for prompt in (prompt for prompt in decision.prompts if not prompt.pinned):
            standing = live.get(decision.conversation_id)
            assert standing is None or standing.expires_at <= decision.now
            live[decision.conversation_id] = prompt
