"""What is learned from each decision: the strongest word, once, or nothing."""

from datetime import timedelta

import pytest

from builders import at, business_outcome, customer_event, ended, outcome, routed, scored, scores, started, turn
from guidance.decision.advance import advance, deadline
from guidance.decision.features import FEATURES, FEATURES_REVISION
from guidance.decision.lessons import MOST_PENDING
from guidance.decision.rules import Rules
from guidance.decision.state import CustomerState
from schemas.conversation import Channel, ConversationTransferred, Speaker
from schemas.guidance import PromptState, Tick
from schemas.outcomes import DismissReason, outcome_id_of
from small_catalog import changed

WAIT = 24 * 3600
AT_ONCE = ("most_prompts_per_conversation: 4", "most_prompts_per_conversation: 4\n  outcome_wait_minutes: 0")


class Talk:
    """Dana talks to Ada; `keep` is prompted at second 10."""

    def __init__(self, *changes):
        self.catalog = changed(*changes)
        self.state, self.lessons = CustomerState(), []
        self.tell(customer_event(facts={"tenure_months": 74, "monthly_bill": 48.0}), 0)
        self.tell(routed(started()), 0)
        self.decision = self.says(10, "cancel_service").decision
        self.keep = self.decision.prompts[0]

    def tell(self, event, seconds):
        result = advance(self.state, event, Rules(self.catalog), partition=3, now=at(seconds))
        self.state = CustomerState.read(result.state.write())
        assert self.state == result.state
        self.lessons += result.lessons
        return result

    def says(self, seconds, *fired, speaker=Speaker.CUSTOMER, **route):
        spoken = turn("…", f"t{seconds}", speaker=speaker, started_at=at(seconds - 1), ended_at=at(seconds))
        return self.tell(scored(spoken, scores=scores(*fired), **route), seconds)

    def agent(self, state, seconds, **fields):
        prompt = self.keep
        self.tell(
            outcome(
                state, outcome_id=outcome_id_of(prompt.prompt_id, state), prompt_id=prompt.prompt_id,
                decision_id=prompt.decision_id, action_id="keep", at=at(seconds), **fields,
            ),
            seconds,
        )  # fmt: skip

    def business(self, seconds, result="accepted", **fields):
        told = {"decision_id": self.keep.decision_id, "action_id": "keep", "result": result, **fields}
        self.tell(business_outcome(**told), seconds)

    def elsewhere(self, seconds, kind, action_id="keep"):
        event = customer_event(
            event_id=f"e{seconds}", kind=kind, action_id=action_id, at=at(seconds), channel=Channel.EMAIL, facts={}
        )
        self.tell(event, seconds)

    def ends(self, seconds=300):
        self.tell(routed(ended()), seconds)

    def day_passes(self, seconds=301 + WAIT):
        self.tell(Tick(at=at(seconds)), seconds)

    @property
    def learned(self):
        return [(each.settled_by, each.reward, each.value) for each in self.lessons if each.action_id == "keep"]


STORIES = {
    "nobody says anything": ([("ends", 30)], [("silence", 0.0, None)]),
    "it lies until it is out of date": ([("tick", 71), ("ends",)], [("expiry", 0.0, None)]),
    "it reached no desk in time": ([("agent", "expired", 71), ("ends",)], []),
    "the agent takes it": ([("agent", "accepted", 20), ("ends",)], [("agent", 1.0, None)]),
    "the agent dismisses it": ([("agent", "dismissed", 20), ("ends",)], [("agent", 0.0, None)]),
    "dismissed, not now": ([("agent", "dismissed", 20, "not_now"), ("ends",)], [("agent", 0.0, None)]),
    "dismissed, wrong intent": ([("agent", "dismissed", 20, "wrong_intent"), ("ends",)], []),
    "dismissed, already said": ([("agent", "dismissed", 20, "already_said"), ("ends",)], []),
    "wrong intent, but the customer says yes": (
        [("proposes", 15), ("agent", "dismissed", 20, "wrong_intent"), ("says", 25, "accepts_offer"), ("ends",)],
        [("customer", 1.0, None)],
    ),
    "the customer says yes to what was proposed": (
        [("proposes", 15), ("says", 20, "accepts_offer"), ("ends",)], [("customer", 1.0, None)],
    ),
    "the customer says no, whatever the agent hoped": (
        [("agent", "accepted", 20), ("says", 25, "declines_offer"), ("ends",)], [("customer", 0.0, None)],
    ),
    "no, and then yes: the latest of equals": (
        [("proposes", 15), ("says", 20, "declines_offer"), ("elsewhere", 25, "offer.accepted"), ("ends",)],
        [("customer", 1.0, None)],
    ),
    "the agent cannot take back the customer's word": (
        [("proposes", 15), ("says", 20, "accepts_offer"), ("agent", "dismissed", 25), ("ends",)],
        [("customer", 1.0, None)],
    ),
    "a yes long after is no answer": (
        [("agent", "accepted", 20), *(("says", 21 + n, "gratitude") for n in range(8)),
         ("says", 40, "accepts_offer"), ("ends",)],
        [("agent", 1.0, None)],
    ),
    "accepted by mail the next morning": (
        [("ends",), ("elsewhere", 50_000, "offer.accepted")], [("customer", 1.0, None)],
    ),
    "declined by mail": ([("ends",), ("elsewhere", 50_000, "offer.declined")], [("customer", 0.0, None)]),
    "mail about something else": (
        [("ends",), ("elsewhere", 50_000, "offer.accepted", "calm")], [("silence", 0.0, None)],
    ),
    "the business says declined, after all": (
        [("proposes", 15), ("says", 20, "accepts_offer"), ("ends",), ("business", 4000, "declined")],
        [("business", 0.0, 120.0)],
    ),
    "business while the conversation lasts": ([("business", 50), ("ends",)], [("business", 1.0, 120.0)]),
    "business twice": ([("business", 50), ("business", 60, "declined"), ("ends",)], [("business", 1.0, 120.0)]),
    "business too late": ([("ends",), ("tick", 301 + WAIT), ("business", 302 + WAIT)], [("silence", 0.0, None)]),
    "replaced by something better": ([("says", 20, "escalation"), ("ends",)], []),
    "replaced, and accepted all the same": (
        [("proposes", 15), ("says", 20, "escalation"), ("says", 25, "accepts_offer"), ("ends",)],
        [("customer", 1.0, None)],
    ),
    "handed over": ([("transfer", 20), ("ends",)], []),
}  # fmt: skip


def perform(talk, step):
    match step:
        case ("ends", *seconds):
            talk.ends(*seconds)
        case ("tick", seconds):
            talk.day_passes(seconds)
        case ("agent", state, seconds, *reason):
            talk.agent(PromptState(state), seconds, reason=DismissReason(reason[0]) if reason else None)
        case ("proposes", seconds):
            talk.says(seconds, "makes_offer", speaker=Speaker.AGENT)
        case ("says", seconds, label):
            talk.says(seconds, label)
        case ("elsewhere", seconds, *what):
            talk.elsewhere(seconds, *what)
        case ("business", seconds, *result):
            talk.business(seconds, *result)
        case ("transfer", seconds):
            moved = ConversationTransferred(event_id="m", conversation_id="c1", at=at(seconds), agent_id="ben")
            talk.tell(routed(moved, agent_id="ben"), seconds)


@pytest.mark.parametrize(("steps", "learned"), STORIES.values(), ids=STORIES)
def test_the_strongest_word_settles_it(steps, learned):
    talk = Talk()
    for step in steps:
        perform(talk, step)
    talk.day_passes(302 + WAIT)
    assert talk.learned == learned
    assert talk.state.journey.pending == {}
    talk.day_passes(303 + 2 * WAIT)
    talk.business(304 + 2 * WAIT)
    assert talk.learned == learned


@pytest.mark.parametrize("name", ["the agent takes it", "handed over", "nobody says anything"])
def test_without_a_wait_it_is_settled_as_the_conversation_ends(name):
    talk = Talk(AT_ONCE)
    for step in STORIES[name][0]:
        assert talk.learned == []
        perform(talk, step)
    assert (talk.learned, talk.state.journey.pending) == (STORIES[name][1], {})


def test_a_lesson_is_what_was_known_when_it_was_decided():
    talk = Talk(AT_ONCE)
    talk.agent(PromptState.ACCEPTED, 20)
    talk.says(25, "declines_offer")
    talk.ends()
    (lesson,) = talk.lessons
    won = talk.decision.candidates[0]
    assert (lesson.decision_id, lesson.features, lesson.features_revision) == (
        talk.decision.decision_id, won.features, FEATURES_REVISION,
    )  # fmt: skip
    assert len(lesson.features) == len(FEATURES)
    assert (lesson.prior, lesson.selection_probability, lesson.group) == (0.5, 1.0, "guided")
    assert (lesson.decided_at, lesson.settled_at) == (at(10), at(300))


def test_a_tick_is_asked_for_when_the_wait_is_over():
    talk = Talk()
    talk.ends()
    due = at(300) + timedelta(days=1)
    assert deadline(talk.state, talk.catalog) == due
    talk.day_passes(299 + WAIT)
    assert talk.lessons == []
    talk.day_passes(300 + WAIT)
    assert [each.settled_at for each in talk.lessons] == [due]
    assert deadline(talk.state, talk.catalog) is None


def test_pinned_lines_teach_nothing_and_what_does_not_win_neither():
    talk = Talk(AT_ONCE)
    assert [prompt.action_id for prompt in talk.decision.prompts] == ["keep", "record"]
    talk.ends()
    assert [each.action_id for each in talk.lessons] == ["keep"]


def test_of_more_decisions_than_are_kept_the_oldest_is_settled_by_what_is_known():
    talk = Talk(("cooldown_minutes: 10", "cooldown_minutes: 0"))
    for number in range(1, MOST_PENDING + 2):
        name, seconds = f"c{number + 1}", number * 1000 + 10
        talk.ends(number * 1000)
        talk.tell(routed(started(name, at=at(seconds))), seconds)
        spoken = turn("…", f"t{seconds}", conversation_id=name, started_at=at(seconds), ended_at=at(seconds))
        assert talk.tell(scored(spoken, "cancel_service"), seconds).decision.winner == "keep"
        assert len(talk.state.journey.pending) <= MOST_PENDING
    assert [each.decided_at for each in talk.lessons] == [at(10), at(1010)]
    assert len(talk.state.journey.pending) == MOST_PENDING
    assert len(talk.state.model_copy(update={"live": {}}).write()) < 8_000
