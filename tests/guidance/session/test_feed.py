"""The supervisors' wall and drawer, folded from what the topics say."""

from typing import Any

import pytest

from builders import (
    at,
    decision,
    desk_turn,
    ended,
    opened,
    outcome,
    prompt,
    prompt_ended,
    routed,
    scored,
    scores,
    started,
    turn,
)
from builders import snapshot as a_snapshot
from guidance.session import feed as feeds
from guidance.session.feed import SupervisorFeed
from guidance.session.figures import IntentTrends
from guidance.session.need import need_of
from schemas.conversation import Speaker
from schemas.guidance import PromptState, ServiceLevel
from schemas.supervisor_frames import WallRow


def feed(*conversations: str) -> SupervisorFeed:
    fed = SupervisorFeed()
    for each in conversations or ("c1",):
        fed.fold_routed(routed(started(each)), at())
    return fed


def say(fed: SupervisorFeed, n: int, *fired: str, conversation_id: str = "c1", **fields: object) -> None:
    said = turn(turn_id=f"{conversation_id}-t{n}", conversation_id=conversation_id, ended_at=at(n))
    fed.fold_routed(scored(said, *fired, **{"received_at": at(n), **fields}), at(n))


def row(fed: SupervisorFeed, seconds: float = 60) -> WallRow:
    (only,) = fed.wall(at(seconds)).rows
    return only


def test_a_conversation_appears_with_its_customer_and_agent() -> None:
    shown = row(feed())
    assert (shown.customer_name, shown.agent_id, shown.team, shown.need_why) == ("Dana W.", "ada", "voice", "")


def test_what_the_customer_wants_the_latest_first_each_once() -> None:
    fed = feed()
    say(fed, 1, "price", "bill")
    say(fed, 2, "cancel_service", "price")
    assert row(fed).intents == ("cancel_service", "price", "bill")


def test_moods_of_the_last_twenty_customer_turns() -> None:
    fed = feed()
    for n in range(25):
        say(fed, n, scores=scores(sentiment={"negative": n / 25, "neutral": 1 - n / 25, "positive": 0.0}))
    assert row(fed).sentiment == tuple(round(-n / 25, 3) for n in range(5, 25))


def test_agents_turns_and_turns_without_scores_have_no_mood() -> None:
    fed = feed()
    fed.fold_routed(scored(turn(speaker=Speaker.AGENT), "greeting"), at(1))
    say(fed, 2, scores=None)
    assert (row(fed).sentiment, row(fed).intents, row(fed).churn_risk) == ((), (), None)
    view = fed.view("c1")
    assert view is not None
    assert len(view.turns) == 2


def begin(fed: SupervisorFeed, n: int, *fired: str, **fields: Any) -> None:
    begun = turn("I'm thinking of leaving you for", f"c1-t{n}", is_final=False, **fields)
    fed.fold_routed(scored(begun, *fired), at(n))


def drawer(fed: SupervisorFeed) -> list[tuple[str, bool, tuple[str, ...]]]:
    view = fed.view("c1")
    assert view is not None
    return [(each.turn_id, each.is_final, each.intents) for each in view.turns]


def test_partials_too_short_and_redelivered_turns_change_nothing() -> None:
    fed = feed()
    say(fed, 1, "price")
    before = fed.view("c1")
    fed.fold_routed(scored(turn(turn_id="c1-t9", is_final=False), scores=None), at(2))
    say(fed, 1, "price")
    assert fed.view("c1") == before


def test_what_is_being_said_is_shown_until_it_was_said() -> None:
    fed = feed()
    say(fed, 1, "price")
    begin(fed, 2, "bill")
    begin(fed, 2, "cancel_service", revision=1)
    begin(fed, 3, "makes_offer", speaker=Speaker.AGENT)
    assert drawer(fed) == [
        ("c1-t1", True, ("price",)),
        ("c1-t2", False, ("cancel_service",)),
        ("c1-t3", False, ("makes_offer",)),
    ]
    assert row(fed).intents == ("cancel_service", "price")

    say(fed, 2, "competitor_mention")
    assert drawer(fed)[1:] == [("c1-t2", True, ("competitor_mention",)), ("c1-t3", False, ("makes_offer",))]
    assert row(fed).intents == ("competitor_mention", "price")
    begin(fed, 2, "cancel_service", revision=1)
    assert row(fed).intents == ("competitor_mention", "price")


def test_what_is_being_said_counts_for_nothing_yet() -> None:
    fed = feed()
    say(fed, 1, "price", scores=scores("price", churn_risk=0.4))
    before = row(fed)
    trends = fed.trends(at(60))
    begin(fed, 2, "price")
    after = row(fed)
    assert (after.churn_risk, after.sentiment, after.need) == (before.churn_risk, before.sentiment, before.need)
    assert fed.trends(at(60)) == trends


def test_a_turn_whose_end_never_comes_is_gone_with_the_next() -> None:
    fed = feed()
    begin(fed, 1, "bill")
    say(fed, 2, "price")
    assert drawer(fed) == [("c1-t2", True, ("price",))]


def test_a_prompt_and_its_states() -> None:
    fed = feed()
    fed.fold_decision(decision(), at(10))
    states = []
    for state in (PromptState.DELIVERED, PromptState.SHOWN, PromptState.ACCEPTED, PromptState.SHOWN):
        fed.fold_outcome(outcome(state), at(20))
        states.append(row(fed).prompt.state)  # type: ignore[union-attr]
    assert states == [PromptState.DELIVERED, PromptState.SHOWN, PromptState.ACCEPTED, PromptState.ACCEPTED]


def test_an_outcome_that_is_read_before_its_decision_counts() -> None:
    fed = feed()
    fed.fold_outcome(outcome(PromptState.ACCEPTED), at(20))
    fed.fold_decision(decision(), at(10))
    assert row(fed).prompt.state is PromptState.ACCEPTED  # type: ignore[union-attr]


def test_an_ending_says_why() -> None:
    fed = feed()
    fed.fold_decision(decision(), at(10))
    fed.fold_desk(prompt_ended(), at(15))
    standing = row(fed).prompt
    assert standing is not None
    assert (standing.state, standing.reason) == (PromptState.RETRACTED, "she said no")


def test_pinned_prompts_are_in_the_drawer_and_not_on_the_wall() -> None:
    fed = feed()
    fed.fold_decision(decision(prompts=(prompt("recording", pinned=True),)), at(10))
    view = fed.view("c1")
    assert view is not None
    assert (row(fed).prompt, [each.action_id for each in view.prompts]) == (None, ["recording"])


def test_the_drawer_has_the_journey_the_turns_and_every_candidate() -> None:
    fed = feed()
    fed.fold_desk(opened(journey=("chat 2 h ago, unsolved",)), at(1))
    say(fed, 2, "price")
    fed.fold_decision(decision(), at(10))
    view = fed.view("c1")
    assert view is not None
    assert (view.journey, view.decisions, view.ended) == (("chat 2 h ago, unsolved",), (decision(),), False)
    assert [(each.text, each.intents) for each in view.turns] == [("I'm thinking of leaving", ("price",))]


def test_the_drawer_is_bounded() -> None:
    fed = feed()
    for n in range(60):
        say(fed, n)
        fed.fold_decision(decision(decision_id=f"d{n}", prompts=(prompt(prompt_id=f"p{n}"),), sequence=n + 1), at(n))
    view = fed.view("c1")
    assert view is not None
    assert ([len(view.turns), len(view.prompts), len(view.decisions)]) == [40, 20, 5]
    assert (view.turns[-1].turn_id, view.prompts[-1].prompt_id, view.decisions[0].sequence) == ("c1-t59", "p59", 60)


def test_the_version_changes_with_every_view() -> None:
    fed = feed("c1", "c2")
    before = fed.version("c1")
    say(fed, 1, conversation_id="c2")
    assert fed.version("c1") == before
    say(fed, 1)
    assert fed.version("c1") != before
    assert fed.version("nobody") is None
    assert fed.view("nobody") is None


def test_an_ended_conversation_leaves_the_wall_and_its_drawer_says_so() -> None:
    fed = feed()
    before = fed.version("c1")
    fed.fold_routed(routed(ended()), at(300))
    view = fed.view("c1")
    assert view is not None
    assert (fed.wall(at(301)).rows, fed.wall(at(301)).live, view.ended) == ((), 0, True)
    assert fed.version("c1") != before
    say(fed, 301)  # comes late
    assert fed.wall(at(302)).live == 0


def test_ended_conversations_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "MOST_ENDED", 1)
    fed = feed("c1", "c2")
    fed.end("c1")
    fed.end("c2")
    assert (fed.view("c1"), fed.view("c2") is not None) == (None, True)


def test_what_nobody_hears_of_any_more_leaves_the_wall() -> None:
    fed = feed("c1", "c2")
    say(fed, 3_000, conversation_id="c2")
    assert [each.conversation_id for each in fed.wall(at(3_700)).rows] == ["c2"]


def test_a_snapshot_tells_of_what_began_long_ago() -> None:
    fed = SupervisorFeed()
    fed.fold_snapshot(a_snapshot(), at(600))
    assert (row(fed).started_at, row(fed).customer_name) == (at(), "Dana W.")


def test_rows_come_by_need() -> None:
    fed = feed("calm", "upset")
    upset = {"negative": 0.9, "neutral": 0.1, "positive": 0.0}
    say(fed, 1, conversation_id="upset", scores=scores("cancel_service", churn_risk=1.8, sentiment=upset))
    say(fed, 1, conversation_id="calm")
    rows = fed.wall(at(10)).rows
    assert [each.conversation_id for each in rows] == ["upset", "calm"]
    assert rows[0].need_why == "churn risk high, upset"


def test_a_wall_has_a_limit_and_says_how_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "MOST_ROWS", 2)
    wall = feed("c1", "c2", "c3").wall(at(1))
    assert (len(wall.rows), wall.live) == (2, 3)


@pytest.mark.parametrize(
    ("churn", "moods", "dismissals", "has_agent", "why"),
    [
        (None, (), 0, True, ""),
        (1.9, (-0.9,) * 3, 2, True, "churn risk high, upset, 2 prompts dismissed"),
        (2.0, (-1.0,) * 9, 9, False, "nobody has it, churn risk high, upset, 9 prompts dismissed"),
    ],
)
def test_need(churn: float | None, moods: tuple, dismissals: int, has_agent: bool, why: str) -> None:
    need, words = need_of(churn, moods, dismissals, has_agent=has_agent)
    assert 0.0 <= need <= 1.0
    assert words == why


def test_figures_of_prompts_and_what_became_of_them() -> None:
    fed = feed("c1")
    for n, state in enumerate([PromptState.ACCEPTED, PromptState.ACCEPTED, PromptState.DISMISSED]):
        made = prompt(prompt_id=f"p{n}", turn_ended_at=at(10))
        fed.fold_decision(decision(decision_id=f"d{n}", prompts=(made,)), at(10))
        fed.fold_outcome(
            outcome(PromptState.DELIVERED, outcome_id=f"p{n}:delivered", prompt_id=f"p{n}", at=at(10.2)), at(10)
        )
        fed.fold_outcome(outcome(state, outcome_id=f"p{n}:{state}", prompt_id=f"p{n}"), at(20))
    figures = fed.wall(at(29)).figures
    assert figures.live_conversations.now == 1
    assert figures.prompts_per_minute.now == 3
    assert figures.accepted_share.now == pytest.approx(2 / 3)
    assert figures.turn_to_desktop_p95_ms.now == pytest.approx(200)
    assert len(figures.lag_s.points) == len(figures.service_levels) == 60
    assert fed.wall(at(29 + 16 * 60)).figures.prompts_per_minute.points == (0,) * 60


def test_the_worst_service_level_of_the_last_minute() -> None:
    fed = feed()
    fed.fold_decision(decision(service_level=ServiceLevel.RULES_ONLY), at(10))
    fed.fold_decision(decision(), at(20))
    assert fed.wall(at(29)).figures.service_level is ServiceLevel.RULES_ONLY
    assert fed.wall(at(200)).figures.service_level is None


def test_lag_of_a_turn_that_waits_for_its_decision() -> None:
    fed = feed()
    say(fed, 10)
    assert fed.wall(at(14)).figures.lag_s.now == pytest.approx(4)
    fed.fold_decision(decision(now=at(10)), at(14))
    assert fed.wall(at(31)).figures.lag_s.now is None


def test_a_decision_that_is_read_before_its_turn_leaves_nothing_waiting() -> None:
    fed = feed()
    fed.fold_decision(decision(now=at(10)), at(10))
    say(fed, 10)
    assert fed.wall(at(31)).figures.lag_s.now is None


def test_intents_by_the_minute_and_a_spike() -> None:
    trends = IntentTrends()
    for minute in range(60):
        for _ in range(12 if 54 <= minute <= 58 else 1):
            trends.fired(["outage"], at(60 * minute))
        trends.fired(["price"], at(60 * minute))
    outage, price = trends.trends(at(60 * 59))
    assert (outage.intent, outage.spike, sum(outage.counts), outage.counts[-2]) == ("outage", True, 115, 12)
    assert (price.intent, price.spike, price.counts) == ("price", False, (1,) * 60)
    assert trends.trends(at(60 * 130)) == ()


def test_records_of_conversations_that_nobody_knows_are_ignored() -> None:
    fed = SupervisorFeed()
    fed.fold_decision(decision(), at(10))
    fed.fold_outcome(outcome(), at(10))
    fed.fold_desk(desk_turn(), at(10))
    fed.end("c1")
    assert fed.wall(at(11)).rows == ()


def test_redelivered_decisions_and_outcomes_count_once() -> None:
    fed = feed()
    for _ in range(2):
        fed.fold_decision(decision(), at(10))
        fed.fold_outcome(outcome(PromptState.ACCEPTED), at(20))
    fed.fold_outcome(outcome(PromptState.DISMISSED, outcome_id="other", prompt_id="other"), at(20))
    view = fed.view("c1")
    assert view is not None
    assert len(view.decisions) == 1
    figures = fed.wall(at(29)).figures
    assert (figures.prompts_per_minute.now, figures.accepted_share.now) == (1, 0.5)


def test_what_comes_before_the_start_of_its_conversation_is_folded_with_it() -> None:
    fed = SupervisorFeed()
    fed.fold_desk(opened(journey=("chat 2 h ago, unsolved",)), at(1))
    fed.fold_outcome(outcome(PromptState.DELIVERED, at=at(10.2)), at(11))
    fed.fold_decision(decision(), at(10))
    assert fed.view("c1") is None
    fed.fold_routed(routed(), at(1))
    view = fed.view("c1")
    assert view is not None
    assert (view.journey, view.decisions) == (("chat 2 h ago, unsolved",), (decision(),))
    assert view.prompts[0].state is PromptState.DELIVERED
    figures = fed.wall(at(14)).figures
    assert figures.prompts_per_minute.now == 1
    assert figures.turn_to_desktop_p95_ms.now == pytest.approx(200)


def test_early_records_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "MOST_HELD", 1)
    fed = SupervisorFeed()
    for each in ("c1", "c2"):
        fed.fold_desk(opened(conversation_id=each, journey=("chat",)), at(1))
        fed.fold_routed(routed(started("c3")), at(1))
    for each in ("c1", "c2"):
        fed.fold_routed(routed(started(each)), at(1))
    views = [fed.view("c1"), fed.view("c2")]
    assert [view and view.journey for view in views] == [(), ("chat",)]


def test_a_gateway_that_has_just_started_takes_no_steady_intent_for_a_spike() -> None:
    trends = IntentTrends()
    for minute in range(15):
        for _ in range(10):
            trends.fired(["price"], at(60 * minute))
    assert [each.spike for each in trends.trends(at(60 * 14))] == [False]


def test_an_intent_that_nobody_had_all_hour_is_a_spike() -> None:
    trends = IntentTrends()
    for minute in range(60):
        trends.fired(["price", "outage"] if 54 <= minute <= 58 else ["price"], at(60 * minute))
    assert {each.intent: each.spike for each in trends.trends(at(60 * 59))} == {"price": False, "outage": True}
