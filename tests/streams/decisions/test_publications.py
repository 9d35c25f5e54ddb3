"""What `decisions` tells the world of each input: one decision a final turn, and each desktop's records in order."""

import pytest

from builders import at, customer_event, ended, routed, started
from schemas.codec import decode
from schemas.conversation import ConversationAssigned, ConversationTransferred, Speaker
from schemas.desk import SNAPSHOT
from schemas.guidance import PromptState
from schemas.outcomes import DismissReason
from schemas.topics import DEAD_LETTERS

KNOWN = customer_event(facts={"tenure_months": 74, "monthly_bill": 48.0, "products": ("fibre", "tv")})


@pytest.fixture
async def talk(worker):
    """Dana is known and talks to Ada."""
    await worker.take(KNOWN)
    await worker.take(routed(started()))
    return worker


def transferred(to: str, seconds: float = 30):
    moved = ConversationTransferred(event_id="moved", conversation_id="c1", at=at(seconds), agent_id=to, team="voice")
    return routed(moved, agent_id=to)


async def test_each_final_turn_of_either_speaker_has_one_decision_and_nothing_else_has(talk):
    await talk.hear(10, "cancel_service")
    await talk.hear(12, speaker=Speaker.AGENT)
    assert [decision.turn_id for decision in talk.decisions] == ["t10", "t12"]

    await talk.hear(14, "cancel_service", is_final=False)
    await talk.take(customer_event(event_id="e2", facts={"tenure_months": 75}), 15)
    await talk.report(PromptState.DISMISSED, talk.live, 16)
    await talk.take(transferred("ben"), 17)
    await talk.tick(18)
    await talk.take(routed(ended()), 19)
    assert [decision.turn_id for decision in talk.decisions] == ["t10", "t12"]
    assert talk.records(DEAD_LETTERS.name) == []


async def test_a_desktop_learns_the_turn_before_its_prompts(talk):
    await talk.hear(10, "cancel_service")
    assert [record.type for record in talk.desk()] == ["conversation.opened", "turn", "prompt", "prompt"]
    assert [record.prompt.action_id for record in talk.desk()[2:]] == ["keep", "record"]


async def test_a_customer_event_reaches_no_desktop(talk):
    before = talk.desk()
    await talk.take(customer_event(event_id="e2", kind="offer.declined", action_id="keep", facts={}), 5)
    await talk.hear(10, "cancel_service")
    assert before == talk.desk()[: len(before)]
    assert [prompt.action_id for prompt in talk.decisions[0].prompts] == ["review", "record"]


async def test_a_prompt_that_ends_by_what_is_said_goes_after_the_turn_that_says_it(talk):
    await talk.hear(10, "cancel_service")
    keep = talk.live
    await talk.hear(20, "declines_offer")
    turn, gone = talk.desk()[4:]
    assert (turn.type, turn.turn_id, gone.type) == ("turn", "t20", "prompt.ended")
    assert (gone.ending.prompt_id, gone.ending.state, gone.ending.reason) == (
        keep.prompt_id, PromptState.RETRACTED, "said no",
    )  # fmt: skip


async def test_a_better_prompt_comes_after_the_one_it_replaces_has_gone(talk):
    await talk.hear(10, "cancel_service")
    await talk.hear(20, "escalation")
    turn, gone, better = talk.desk()[4:]
    assert (turn.type, gone.ending.state, better.prompt.action_id) == ("turn", PromptState.SUPERSEDED, "calm")


async def test_a_transfer_takes_prompts_and_conversation_from_one_desk_and_opens_it_on_the_other(talk):
    await talk.hear(10, "cancel_service")
    await talk.take(transferred("ben"), 30)
    assert [record.type for record in talk.desk()[4:]] == ["prompt.ended", "prompt.ended", "conversation.closed"]
    assert {record.ending.reason for record in talk.desk()[4:6]} == {"handed over"}
    assert talk.desk()[-1].reason == "transferred"
    assert [record.type for record in talk.desk("ben")] == ["conversation.opened"]

    await talk.hear(40, agent_id="ben")
    assert [record.type for record in talk.desk("ben")] == ["conversation.opened", "turn", "prompt"]
    assert len(talk.desk()) == 7


async def test_a_transfer_heard_first_on_a_turn_comes_to_the_same(talk):
    await talk.hear(10, "cancel_service")
    await talk.hear(30, "escalation", agent_id="ben")
    assert [record.type for record in talk.desk()[4:]] == ["prompt.ended", "prompt.ended", "conversation.closed"]
    assert [record.type for record in talk.desk("ben")[:3]] == ["conversation.opened", "turn", "prompt"]
    assert talk.desk("ben")[2].prompt.action_id == "calm"


async def test_nobody_is_told_of_a_conversation_that_nobody_has(worker):
    await worker.take(routed(started(agent_id=None), agent_id=None))
    await worker.hear(10, "cancel_service", agent_id=None)
    assert worker.desk() == []
    assert worker.decisions[0].prompts == ()

    await worker.take(routed(ConversationAssigned(event_id="a", conversation_id="c1", at=at(20), agent_id="ada")), 20)
    await worker.hear(30, "cancel_service")
    assert [record.type for record in worker.desk()] == ["conversation.opened", "turn", "prompt", "prompt"]


async def test_the_end_closes_the_desk_last_and_leaves_a_tombstone(talk):
    await talk.hear(10, "cancel_service")
    await talk.take(routed(ended()), 300)
    assert [record.type for record in talk.desk()[4:]] == ["prompt.ended", "prompt.ended", "conversation.closed"]
    assert talk.desk()[-1].reason == "ended"
    assert talk.snapshots()[-1] is None

    await talk.hear(310, "cancel_service")
    assert talk.decisions[-1].prompts == ()
    assert talk.snapshots()[-1] is None


async def test_the_snapshot_tells_where_the_conversation_stands(talk):
    await talk.hear(10, "cancel_service")
    first = decode(SNAPSHOT, talk.snapshots()[-1])
    assert (first.live_prompt, [prompt.action_id for prompt in first.pinned]) == (talk.live, ["record"])
    assert (first.agent_id, first.updated_at) == ("ada", at(10))

    await talk.take(transferred("ben"), 30)
    moved = decode(SNAPSHOT, talk.snapshots()[-1])
    assert (moved.agent_id, moved.live_prompt, moved.pinned) == ("ben", None, ())
    assert [(span.agent_id, span.since) for span in moved.spans] == [("ada", at(0)), ("ben", at(30))]


@pytest.mark.parametrize(
    ("state", "reason", "told"),
    [
        (PromptState.ACCEPTED, None, "taken"),
        (PromptState.DISMISSED, DismissReason.ALREADY_SAID, "already said"),
        (PromptState.DISMISSED, None, "dismissed"),
    ],
)
async def test_an_outcome_takes_the_prompt_off_the_desk_once(talk, state, reason, told):
    await talk.hear(10, "cancel_service")
    keep = talk.live
    await talk.report(state, keep, 20, reason=reason)
    await talk.report(state, keep, 21, reason=reason)
    gone, again = talk.desk()[4:]
    assert gone == again, "desktops drop the second by its record_id"
    assert (gone.ending.prompt_id, gone.ending.state, gone.ending.reason) == (keep.prompt_id, state, told)
    assert talk.state().live["c1"].live is None
    assert len(talk.state().journey.dismissals) == (state is PromptState.DISMISSED)


async def test_a_partial_is_shown_and_remembered_nowhere(talk):
    await talk.hear(10, "cancel_service", turn_id="t1", is_final=False)
    assert [(record.type, record.is_final) for record in talk.desk()[1:]] == [("turn", False)]
    assert talk.state().live["c1"].turns == 0


async def test_a_turn_that_moves_nothing_leaves_the_snapshot_alone(talk):
    await talk.hear(10, "cancel_service")
    before = len(talk.snapshots())
    await talk.hear(12)
    assert len(talk.snapshots()) == before


async def test_an_earlier_contact_is_told_where_the_next_one_opens(talk):
    await talk.hear(10, "technical_problem")
    await talk.take(routed(ended()), 60)
    await talk.take(routed(started("c2", at=at(7260))), 7260)
    assert talk.desk()[-1].journey == ("voice 2 h ago, unsolved",)


async def test_that_a_prompt_was_shown_changes_nothing(talk):
    await talk.hear(10, "cancel_service")
    before, desk = talk.state(), talk.desk()
    await talk.report(PromptState.SHOWN, talk.live, 11)
    assert (talk.state(), talk.desk()) == (before, desk)
