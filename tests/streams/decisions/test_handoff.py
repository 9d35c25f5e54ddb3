"""An anonymous conversation turns out to be somebody's: it moves, whole and in order, and its agent sees none of it."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import at, business_outcome, customer_event, ended, outcome, routed, scored, scores, started, turn
from guidance.decision.handoff import MOST_HOPS, NOTES_KEEP_FOR
from guidance.decision.state import CustomerState
from schemas.codec import decode, encode
from schemas.conversation import ConversationIdentified, Speaker
from schemas.desk import SNAPSHOT
from schemas.guidance import PromptState
from schemas.handoff import HANDOFF, Handoff
from schemas.learning import LESSON
from schemas.topics import DEAD_LETTERS, DECISIONS, DESK_TOPIC, HANDOFFS, LESSONS, SNAPSHOTS
from small_catalog import changed
from streams.bus.partitioner import partition_for
from streams.bus.ports import Effects, Message

PARTITIONS = 4
KNOWN = customer_event(facts={"tenure_months": 74, "monthly_bill": 48.0, "products": ("fibre", "tv")})
LONG_KNOWN = changed(("eligible_if: [tenure_months >= 12]", "eligible_if: []"))
"""The small catalogue, in which anybody who wants to leave is to be kept."""
ANONYMOUS = {"route_key": "c1", "customer_id": None}
AS_DANA = {"route_key": "c1", "customer_id": "dana"}


def identified(customer_id: str = "dana", seconds: float = 30, **fields):
    told = ConversationIdentified(
        event_id=f"login-{customer_id}-{seconds}", conversation_id="c1", at=at(seconds), customer_id=customer_id,
        customer_name=customer_id.title(),
    )  # fmt: skip
    return routed(told, **{"route_key": "c1", "customer_id": customer_id, **fields})


@pytest.fixture
async def chat(worker):
    """Dana had a mailed problem before; somebody chats with Ada, wants to leave, and is prompted for."""
    worker.restart(LONG_KNOWN)
    await worker.take(KNOWN)
    mailed = customer_event(
        event_id="mail", kind="mail.received", channel="email", intents=("billing_dispute",), facts={}
    )
    await worker.take(mailed)
    await worker.take(routed(started(customer_id=None, customer_name=None), **ANONYMOUS))
    await worker.hear(10, "cancel_service", **ANONYMOUS)
    return worker


def handed(worker) -> Sequence[tuple[str, str, int]]:
    """What went over `customer.handoffs.v1`: type, to whom, which hop."""
    told = (decode(HANDOFF, record.value) for record in worker.records(HANDOFFS.name))
    return [(each.type, each.customer_id, each.hop) for each in told]


async def test_the_customer_has_it_and_the_old_owner_keeps_a_note(chat):
    before = chat.state("c1").live["c1"]
    await chat.take(identified(), 30)
    assert handed(chat) == [("handoff", "dana", 1), ("forwarded", "dana", 1)]
    assert (chat.state("c1").live, chat.state("c1").journey) == ({}, CustomerState().journey)
    assert [note.customer_id for note in chat.state("c1").handed_off] == ["dana"]
    moved = chat.state("dana").live["c1"]
    changed_by_login = {"customer_id": "dana", "customer_name": "Dana", "heard_at": at(30)}
    assert moved == before.model_copy(update=changed_by_login)


async def test_the_desktop_sees_nothing_but_the_journey_growing_richer(chat):
    before, snapshots = chat.desk(), chat.snapshots()
    await chat.take(identified(), 30)
    (opened,) = chat.desk()[len(before) :]
    assert (opened.type, opened.customer_name, opened.journey) == (
        "conversation.opened", "Dana", ("email 0 min ago, unsolved",),
    )  # fmt: skip
    (snapshot,) = (decode(SNAPSHOT, value) for value in chat.snapshots()[len(snapshots) :])
    assert (snapshot.customer_id, snapshot.route_key) == ("dana", "c1")
    assert snapshot.live_prompt == decode(SNAPSHOT, snapshots[-1]).live_prompt


async def test_later_turns_are_decided_with_what_is_known_of_the_customer(chat):
    await chat.report(PromptState.DISMISSED, chat.state("c1").live["c1"].live.prompt, 20, route_key="c1")
    await chat.take(identified(), 30)
    await chat.hear(40, "price_complaint", text="close my account", **AS_DANA)
    decision = chat.decisions[-1]
    assert (decision.turn_id, decision.customer_id, decision.route_key) == ("t40", "dana", "c1")
    assert decision.decision_id.startswith(f"{partition_for('c1', PARTITIONS):03d}-")
    assert [record.key for record in chat.records(DECISIONS.name)] == [b"c1", b"c1"]
    assert [prompt.action_id for prompt in decision.prompts] == ["review"]
    assert chat.desk()[-1].prompt.route_key == "c1"


async def test_cooldown_dismissals_refusal_and_vulnerability_go_with_it(chat):
    keep = chat.state("c1").live["c1"].live.prompt
    assert keep.action_id == "keep"
    await chat.report(PromptState.DISMISSED, keep, 20, route_key="c1")
    await chat.hear(22, "vulnerability", **ANONYMOUS)
    await chat.take(identified(), 30)
    journey = chat.state("dana").journey
    assert [each.action_id for each in journey.dismissals] == ["keep"]
    assert (journey.last_issued, journey.vulnerable_at) == ({"keep": at(10)}, at(22))
    await chat.hear(40, "cancel_service", **AS_DANA)
    why = {each.action_id: each.reason for each in chat.decisions[-1].candidates}
    assert why["keep"] == "vulnerable: nothing is sold"


async def test_outcomes_go_the_way_they_went_and_reach_the_customer(chat):
    await chat.take(identified(), 30)
    prompt = chat.state("dana").live["c1"].live.prompt
    assert prompt.route_key == "c1"
    await chat.report(PromptState.DISMISSED, prompt, 40, route_key="c1")
    await chat.take(business_outcome(route_key="c1", action_id="review", result="declined", at=at(50)), 50)
    assert handed(chat)[2:] == [("forwarded", "dana", 1)] * 2
    assert (chat.desk()[-1].type, chat.desk()[-1].ending.state) == ("prompt.ended", PromptState.DISMISSED)
    assert [each.action_id for each in chat.state("dana").journey.dismissals] == ["keep"]
    assert set(chat.state("dana").journey.refusals) == {"review"}


async def test_what_is_to_be_learned_goes_along_and_is_learned_once(chat):
    prompt = chat.state("c1").live["c1"].live.prompt
    await chat.take(identified(), 30)
    assert list(chat.state("dana").journey.pending) == [prompt.decision_id]
    told = business_outcome(decision_id=prompt.decision_id, action_id=prompt.action_id, route_key="c1", at=at(50))
    await chat.take(told, 50)
    (lesson,) = (decode(LESSON, record.value) for record in chat.records(LESSONS.name))
    assert (lesson.decision_id, lesson.reward, lesson.settled_by) == (prompt.decision_id, 1.0, "business")
    assert {} == chat.state("dana").journey.pending == chat.state("c1").journey.pending


async def test_partials_stay_in_their_place_among_the_turns(chat):
    await chat.take(identified(), 30)
    await chat.hear(40, turn_id="t40", is_final=False, **AS_DANA)
    await chat.hear(41, turn_id="t40", **AS_DANA)
    await chat.hear(42, turn_id="t42", is_final=False, **AS_DANA)
    shown = [(each.turn_id, each.is_final) for each in chat.desk() if each.type == "turn"][1:]
    assert shown == [("t40", False), ("t40", True), ("t42", False)]
    assert handed(chat)[2:] == [("forwarded", "dana", 1)] * 3


async def test_the_end_closes_it_once(chat):
    await chat.take(identified(), 30)
    await chat.take(routed(ended(), **AS_DANA), 60)
    assert [each.type for each in chat.desk()].count("conversation.closed") == 1
    assert chat.snapshots()[-1] is None
    assert (chat.state("dana").live, chat.state("c1").journey.contacts) == ({}, ())
    assert chat.state("dana").journey.contact("c1").closed == "ended"


async def test_silence_is_noticed_by_the_new_owner_and_a_word_after_it_goes_on_there(chat):
    await chat.take(identified(), 30)
    await chat.tick(31 + 1800)
    assert chat.desk()[-1].reason == "idle"
    assert chat.state("dana").live == {}
    await chat.hear(1900, "cancel_service", **AS_DANA)
    assert chat.state("dana").live["c1"].route_key == "c1"
    assert chat.decisions[-1].route_key == "c1"


async def test_identified_before_it_started(worker):
    await worker.take(KNOWN)
    await worker.take(identified(seconds=1), 1)
    await worker.take(routed(started(customer_id=None, customer_name=None), **AS_DANA), 2)
    await worker.hear(10, "cancel_service", **AS_DANA)
    assert handed(worker)[0] == ("handoff", "dana", 1)
    assert [prompt.action_id for prompt in worker.decisions[0].prompts] == ["keep", "record"]
    assert worker.state("c1").live == {}


async def test_ended_in_the_same_batch_as_it_was_identified(chat):
    messages = [
        Message("conversation.intents.v1", "c1", encode(each)) for each in (identified(), routed(ended(), **AS_DANA))
    ]
    chat.bus.publish(messages, at(60))
    await chat.bus.run([chat.processor])
    assert handed(chat) == [("handoff", "dana", 1), ("forwarded", "dana", 1), ("forwarded", "dana", 1)]
    assert [each.type for each in chat.desk()][-2:] == ["prompt.ended", "conversation.closed"]
    assert chat.state("dana").journey.contact("c1").closed == "ended"


async def test_identified_after_it_ended_the_contact_is_the_customers(chat):
    await chat.take(routed(ended(), **ANONYMOUS), 60)
    desk = chat.desk()
    await chat.take(identified(seconds=90), 90)
    assert chat.desk() == desk
    assert chat.state("dana").live == {}
    assert chat.state("dana").journey.contact("c1").problems == ("cancel_service",)


@pytest.mark.parametrize("placeholder", ["unknown", "0", " N/A "])
async def test_a_placeholder_hands_nothing_off(chat, placeholder):
    await chat.take(identified(placeholder), 30)
    assert handed(chat) == []
    assert "c1" in chat.state("c1").live


async def test_identified_as_another_and_back_again_it_moves_each_time_in_order(chat):
    await chat.take(identified("dana", 30), 30)
    await chat.take(identified("ben", 40), 40)
    await chat.hear(45, "cancel_service", **{**AS_DANA, "customer_id": "ben"})
    assert "c1" in chat.state("ben").live
    assert "c1" not in chat.state("dana").live
    assert "tenure_months" not in chat.state("ben").journey.facts
    await chat.take(identified("dana", 50), 50)
    batch = [
        scored(turn(turn_id=f"t{n}", started_at=at(n), ended_at=at(n)), scores=scores("escalation"), **AS_DANA)
        for n in (60, 61, 62)
    ]
    chat.bus.publish([Message("conversation.intents.v1", "c1", encode(each)) for each in batch], at(62))
    await chat.bus.run([chat.processor])
    assert [each.turn_id for each in chat.decisions][-3:] == ["t60", "t61", "t62"]
    assert "c1" in chat.state("dana").live
    assert "c1" not in chat.state("ben").live
    moves = {(customer_id, hop) for what, customer_id, hop in handed(chat) if what == "handoff"}
    assert moves == {("dana", 1), ("ben", 2), ("dana", 3)}
    assert [each.type for each in chat.desk()].count("conversation.closed") == 0


async def test_after_so_many_moves_it_stays(chat):
    for number in range(MOST_HOPS + 3):
        await chat.take(identified(("dana", "ben", "cyd")[number % 3], 30 + number), 30 + number)
    assert max(hop for _, _, hop in handed(chat)) == MOST_HOPS
    assert sum("c1" in chat.state(owner).live for owner in ("c1", "dana", "ben", "cyd")) == 1


async def test_a_customer_who_was_somebody_else_keeps_what_is_theirs(worker):
    await worker.take(KNOWN)
    await worker.take(customer_event(event_id="no", kind="offer.declined", action_id="review", at=at(-9), facts={}))
    await worker.take(routed(started()))
    await worker.hear(10, "cancel_service")
    await worker.take(identified("ben", 30, route_key="dana"), 30)
    assert "c1" in worker.state("ben").live
    assert worker.state("ben").journey.facts == {}
    assert worker.state("ben").journey.refusals == {}
    assert worker.state("ben").journey.last_issued == {"keep": at(10)}
    assert set(worker.state("dana").journey.facts) == set(KNOWN.facts)


@pytest.mark.parametrize("on_the_same_partition", [True, False])
async def test_a_customer_on_any_partition(worker, on_the_same_partition):
    home = partition_for("c1", PARTITIONS)
    name = next(
        n
        for n in (f"customer-{k}" for k in range(99))
        if (partition_for(n, PARTITIONS) == home) is on_the_same_partition
    )
    await worker.take(routed(started(customer_id=None, customer_name=None), **ANONYMOUS))
    await worker.hear(10, "cancel_service", **ANONYMOUS)
    await worker.take(identified(name), 30)
    await worker.hear(40, "escalation", route_key="c1", customer_id=name)
    assert [each.turn_id for each in worker.decisions] == ["t10", "t40"]
    assert worker.state(name).live["c1"].turns == 2


async def test_what_was_carried_must_be_readable(worker):
    broken = Handoff(conversation_id="c1", customer_id="dana", route_key="c1", carried='{"live":{"c1":{"turns":"x"}}}')
    await worker.take_message(Message(HANDOFFS.name, "dana", encode(broken)), at(5))
    assert len(worker.records(DEAD_LETTERS.name)) == 1
    assert worker.state("dana") == CustomerState()


async def test_a_note_is_forgotten_with_time(chat):
    await chat.take(identified(), 30)
    late = NOTES_KEEP_FOR.total_seconds() + 40
    told = business_outcome(route_key="c1", action_id="review", result="accepted", at=at(late))
    await chat.take(told, late)
    assert len(handed(chat)) == 2
    assert chat.state("dana").journey.accepted == {}


class Dying:
    """The processor, which dies in chosen batches once so many of their rows are written: nothing is published then."""

    def __init__(self, worker, deaths: dict[int, int]) -> None:
        self.worker, self.deaths, self.batches, self.died = worker, deaths, 0, False
        self.name, self.topics = worker.processor.name, worker.processor.topics

    async def process(self, batch, table):
        effects = await self.worker.processor.process(batch, table)
        self.batches += 1
        if self.batches in self.deaths:
            self.died = True
            return Effects(effects.writes[: self.deaths[self.batches]], ())
        return effects

    def revoked(self, partitions):
        self.worker.processor.revoked(partitions)


async def play(new_worker, story, deaths: dict[int, int], again: Sequence[int]) -> tuple[dict, list[bytes]]:
    """All that the world was told by topic and key, first sight of each, and what is remembered in the end.

    `deaths`: by batch, how many of its rows are written before the process dies. `again`: after which inputs all is
    read again.
    """
    worker = new_worker()
    worker.restart(LONG_KNOWN)
    await worker.take(KNOWN)
    dying = Dying(worker, deaths)
    for number, (kind, customer_id) in enumerate(story):
        seconds = 10 + 5 * number
        route = {"route_key": "c1", "customer_id": customer_id}
        of = turn(turn_id=f"t{number}", started_at=at(seconds), ended_at=at(seconds))
        event = {
            "login": identified(customer_id or "unknown", seconds),
            "wants": scored(of, scores=scores("cancel_service", churn_risk=1.0), **route),
            "declines": scored(of, scores=scores("declines_offer", "vulnerability"), **route),
            "agent": scored(of.model_copy(update={"speaker": Speaker.AGENT}), scores=scores("makes_offer"), **route),
            "partial": scored(of.model_copy(update={"is_final": False}), scores=None, **route),
            "dismissed": outcome(
                PromptState.DISMISSED, outcome_id=f"o{number}", prompt_id=f"p{number}", action_id="keep",
                at=at(seconds), route_key="c1",
            ),
            "end": routed(ended(event_id=f"end{number}"), **route),
        }[kind]  # fmt: skip
        worker.bus.publish([worker._message(event, None)], at(seconds))
        await worker.bus.run([dying])
        while dying.died or number in again:
            again = [each for each in again if each != number]
            dying.died = False
            worker.restart(LONG_KNOWN)
            worker.redeliver()
            await worker.bus.run([dying])
    told: dict = {}
    for topic in (DESK_TOPIC.name, DECISIONS.name, SNAPSHOTS.name):
        for record in worker.records(topic):
            told.setdefault((topic, record.key), {})[record.value] = None
    return (
        {key: list(values) for key, values in told.items()},
        [worker.state(owner).write() for owner in ("c1", "dana", "ben")],
    )


@st.composite
def stories(draw):
    """A conversation that is identified at some point, perhaps as two people one after the other."""
    spoken = st.lists(st.sampled_from(["wants", "wants", "declines", "agent", "partial", "dismissed"]), max_size=4)
    story = [(kind, None) for kind in draw(spoken)]
    for customer_id in draw(st.sampled_from([("dana",), ("dana",), ("dana", "ben"), ("ben", "dana", "ben")])):
        story += [("login", customer_id), *((kind, customer_id) for kind in draw(spoken))]
    return [*story, ("end", story[-1][1])] if draw(st.booleans()) else story


@settings(max_examples=60, deadline=None)
@given(stories(), st.data())
async def test_killed_or_read_again_anywhere_the_world_is_told_the_same(new_worker, story, data):
    undisturbed = await play(new_worker, story, {}, ())
    deaths = data.draw(st.dictionaries(st.integers(1, 2 * len(story)), st.integers(0, 6), max_size=2))
    again = data.draw(st.lists(st.integers(0, len(story) - 1), max_size=2, unique=True))
    disturbed = await play(new_worker, story, deaths, again)
    assert disturbed == undisturbed
