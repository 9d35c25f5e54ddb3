"""The same decision for a channel without an agent: a request is weighed as a turn of its customer would be."""

from datetime import datetime

from guidance.decision.decide import decide
from guidance.decision.facts import facts_of
from guidance.decision.identity import seed_of
from guidance.decision.past import Known
from guidance.decision.rules import Rules
from guidance.decision.state import CustomerState, Heard, LiveConversation
from guidance.decision.treatment import treat
from schemas.conversation import Speaker, Turn
from schemas.guidance import Candidate, Decision, Fate
from schemas.intent import ScoredTurn, Scores
from schemas.requests import DecisionReply, DecisionRequest, RankedAction

TOLD = "told by the channel"
"""What stands for the model's revision where the channel itself says what the customer wants."""
_FIRES_FROM = 0.5
"""An intent that the channel gives at least this probability counts as heard."""


def answer(
    state: CustomerState, request: DecisionRequest, rules: Rules, *, partition: int, now: datetime
) -> tuple[Decision, DecisionReply]:
    """What may be offered to the customer of `state` on the request's channel, best first.

    Decided like a turn on that channel on which just those intents are heard, by the same rules, with the same journey;
    compliance lines come before all else. Nothing of it is remembered: what the channel then offers and what comes of
    it, it reports as customer events (`offer.made`, `offer.declined`).
    """
    turn = _as_turn(request, now)
    imagined = _imagined(state, request, turn, now)
    decision = decide(imagined, turn, rules, partition=partition, now=now, seed=seed_of(turn.input_id))
    reply = DecisionReply(
        request_id=request.request_id,
        reply_to=request.reply_to,
        decision_id=decision.decision_id,
        customer_id=request.customer_id,
        actions=_ranked(decision, imagined, turn, rules, now)[: request.limit],
        decided_at=now,
    )
    return decision.model_copy(update={"occasion": "request", "prompts": (), "endings": ()}), reply


def _as_turn(request: DecisionRequest, now: datetime) -> ScoredTurn:
    told = dict(sorted(request.intents.items(), key=lambda each: (-each[1], each[0])))
    return ScoredTurn(
        turn=Turn(
            turn_id=f"request:{request.request_id}",
            conversation_id=f"request:{request.request_id}",
            speaker=Speaker.CUSTOMER,
            text="",
            started_at=now,
            ended_at=now,
        ),
        scores=Scores(
            model_revision=TOLD,
            intents=told,
            fired=tuple(label for label, probability in told.items() if probability >= _FIRES_FROM),
        ),
        received_at=now,
        route_key=request.customer_id,
        channel=request.channel,
        customer_id=request.customer_id,
        agent_id=None,
        language=request.language,
    )


def _imagined(state: CustomerState, request: DecisionRequest, turn: ScoredTurn, now: datetime) -> CustomerState:
    """The customer as they are, in a conversation with the channel that has just begun."""
    scores = turn.scores
    assert scores is not None
    conversation = LiveConversation(
        channel=request.channel,
        language=request.language,
        customer_id=request.customer_id,
        agent_id=f"channel:{request.channel.value}",  # somebody is there to say it
        started_at=now,
        heard_at=now,
        turns=1,
        heard={label: Heard(turn=1, probability=round(scores.intents[label], 4)) for label in scores.fired},
    )
    facts = {name: Known(value=value, at=now) for name, value in request.facts.items()}
    journey = state.journey.model_copy(update={"facts": {**state.journey.facts, **facts}})
    moved_on = state.model_copy(update={"journey": journey, "sequence": state.sequence + 1})
    return moved_on.with_conversation(turn.conversation_id, conversation)


def _ranked(
    decision: Decision, state: CustomerState, turn: ScoredTurn, rules: Rules, now: datetime
) -> tuple[RankedAction, ...]:
    conversation = state.live[turn.conversation_id]
    facts = facts_of(rules.catalog.facts, state, conversation, now)
    in_question = [each for each in decision.candidates if each.fate in (Fate.PINNED, Fate.WON, Fate.LOST)]
    in_question.sort(key=_order)
    ranked = []
    for candidate in in_question:
        action = rules.catalog.by_id[candidate.action_id]
        wording = treat(action, conversation, facts, rules.catalog.currency)
        assert not isinstance(wording, str), "what has no words does not get as far"
        ranked.append(
            RankedAction(
                action_id=action.id,
                kind=action.kind,
                title=action.title,
                words=wording.words,
                steps=wording.steps,
                language=wording.language,
                propensity=candidate.propensity or 0.0,
                priority=candidate.priority or 0.0,
            )
        )
    return tuple(ranked)


def _order(candidate: Candidate) -> tuple[bool, bool, float, str]:
    """Compliance, then the winner, which need not have the highest priority, then by priority."""
    is_compliance, won = candidate.fate is Fate.PINNED, candidate.fate is Fate.WON
    return not is_compliance, not won, -(candidate.priority or 0.0), candidate.action_id
