"""What the agent says is told by its meaning: prompts end, and are not put to the agent again."""

import base64
from dataclasses import replace

import pytest

from builders import scored, scores, turn
from guidance.decision.echo import Echoes, said_on
from schemas.conversation import Speaker
from schemas.guidance import PromptState
from schemas.outcomes import DismissReason
from schemas.published import TreatmentEmbedding
from talking import Conversation, endings, reason, richer


def embedding(*numbers: int) -> str:
    return base64.b64encode(bytes(number % 256 for number in numbers)).decode()


KEEP, KEEP_OTHERWISE, REVIEW, RECORD = (
    embedding(127, 0, 0, 0), embedding(90, 90, 0, 0), embedding(0, 0, 127, 0), embedding(0, 0, 0, -127),
)  # fmt: skip
ECHOES = Echoes.of(
    [
        TreatmentEmbedding(action_id=action_id, treatment=place, embedding=each)
        for action_id, place, each in (
            ("keep", 0, KEEP), ("keep", 1, KEEP_OTHERWISE), ("review", 0, REVIEW), ("record", 0, RECORD),
        )
    ],
    "m1",
)  # fmt: skip
HALFWAY = embedding(118, 49, 0, 0)  # cosine 0.92 to both of keep's
NOTHING = embedding(0, 0, 0, 0)


def talk() -> Conversation:
    return Conversation(replace(richer(said_rests_turns=3), echoes=ECHOES))


def said(at_least: float = 0.7, **fields) -> frozenset[str]:
    speaker = fields.pop("speaker", Speaker.AGENT)
    return said_on(scored(turn(speaker=speaker), scores=scores(**fields)), ECHOES, at_least)


def test_likeness_is_the_cosine_to_the_nearest_treatment():
    likeness = ECHOES.likeness(scored(turn(speaker=Speaker.AGENT), scores=scores(embedding=embedding(80, 0, 60, 0))))
    assert likeness == pytest.approx({"keep": 0.8, "review": 0.6, "record": 0.0})
    assert said(embedding=HALFWAY) == {"keep"}
    assert said(0.95, embedding=HALFWAY) == frozenset()
    assert said(embedding=embedding(0, 0, 0, 127)) == frozenset(), "the opposite is not an echo"


def test_only_agents_and_the_very_same_model_are_compared():
    assert said(embedding=KEEP) == {"keep"}
    assert said(embedding=KEEP, speaker=Speaker.CUSTOMER) == frozenset()
    assert said(embedding=KEEP, model_revision="m2") == frozenset()
    assert said(embedding=None) == said(embedding=NOTHING) == frozenset()
    assert said_on(scored(turn(speaker=Speaker.AGENT), scores=None), ECHOES, 0.7) == frozenset()
    assert said_on(scored(turn(speaker=Speaker.AGENT)), None, 0.7) == frozenset()


def test_without_embeddings_or_a_revision_there_are_none():
    assert Echoes.of([], "m1") is None
    assert Echoes.of([TreatmentEmbedding(action_id="keep", treatment=0, embedding=KEEP)], None) is None


def test_saying_it_ends_the_live_prompt_as_said():
    dana = talk()
    dana.hears(10, "cancel_service")
    assert endings(dana.says(15, embedding=embedding(0, 127, 0, 0))) == [("keep", "fulfilled", "said")]
    assert dana.live is None


def test_saying_something_else_ends_nothing():
    dana = talk()
    dana.hears(10, "cancel_service")
    assert endings(dana.says(15, embedding=REVIEW)) == []
    assert dana.live.action_id == "keep"


def test_saying_it_ticks_off_a_pinned_line_for_good():
    dana = talk()
    dana.hears(10)
    assert [prompt.action_id for prompt in dana.now.pinned] == ["record"]
    assert endings(dana.says(12, embedding=RECORD)) == [("record", "fulfilled", "said")]
    for seconds in range(20, 120, 10):
        late = dana.hears(seconds)
    assert reason(late, "record") == "the agent has said it"


def test_what_the_agent_has_just_said_is_not_prompted_and_comes_back_after_so_many_turns():
    dana = talk()
    dana.says(5, embedding=REVIEW)
    assert reason(dana.hears(10, "cancel_service"), "review") == "the agent has just said it"
    assert dana.live.action_id == "keep"
    dana.answers(11, PromptState.DISMISSED)
    dana.hears(12, "cancel_service")
    assert dana.live is None
    dana.hears(14, "cancel_service")
    assert dana.live.action_id == "review"


def test_a_no_to_what_was_said_refuses_just_that():
    dana = talk()
    dana.hears(10, "cancel_service")
    dana.says(15, embedding=KEEP)
    dana.hears(20, "declines_offer")
    assert list(dana.state.journey.refusals) == ["keep"]


def test_the_agents_word_that_they_have_said_it_is_as_good():
    dana = talk()
    dana.hears(10, "cancel_service")
    dana.answers(12, PromptState.DISMISSED, reason=DismissReason.ALREADY_SAID)
    assert reason(dana.hears(14, "cancel_service"), "keep") == "the agent has just said it"
