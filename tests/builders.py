"""Contracts for tests: whole and valid, with whatever a test cares about put in by name."""

from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.codec import encode
from schemas.conversation import Channel, ConversationEnded, ConversationStarted, Speaker, Turn
from schemas.customer import CustomerEvent
from schemas.desk import (
    AskedOffer,
    ConversationOpened,
    DeskSpan,
    DeskTurn,
    OutcomeAsked,
    PromptEnded,
    PromptIssued,
    Snapshot,
)
from schemas.guidance import (
    ActionKind,
    Candidate,
    Decision,
    Fate,
    Prompt,
    PromptEnding,
    PromptState,
    ServiceLevel,
    Versions,
)
from schemas.intent import RoutedLifecycle, ScoredTurn, Scores
from schemas.learning import Lesson, Posterior
from schemas.outcomes import BusinessOutcome, PromptOutcome, WrapUp, wrap_up_id_of
from streams.bus.partitioner import partition_for
from streams.bus.ports import Record

T0 = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def at(seconds: float = 0) -> datetime:
    """The instant `seconds` after the tests' day began."""
    return T0 + timedelta(seconds=seconds)


def started(conversation_id: str = "c1", **fields: Any) -> ConversationStarted:
    values = {
        "event_id": f"{conversation_id}-started", "conversation_id": conversation_id, "at": T0,
        "channel": Channel.VOICE, "customer_id": "dana", "customer_name": "Dana W.", "agent_id": "ada", "team": "voice",
    }  # fmt: skip
    return ConversationStarted(**{**values, **fields})


def ended(conversation_id: str = "c1", **fields: Any) -> ConversationEnded:
    values = {"event_id": f"{conversation_id}-ended", "conversation_id": conversation_id, "at": at(300)}
    return ConversationEnded(**{**values, **fields})


def turn(text: str = "I'm thinking of leaving", turn_id: str = "c1-t1", **fields: Any) -> Turn:
    values = {
        "turn_id": turn_id, "conversation_id": "c1", "speaker": Speaker.CUSTOMER, "text": text,
        "started_at": at(8), "ended_at": at(10),
    }  # fmt: skip
    return Turn(**{**values, **fields})


def scores(*fired: str, **fields: Any) -> Scores:
    values = {
        "model_revision": "m1", "intents": dict.fromkeys(fired, 0.9), "fired": fired,
        "sentiment": {"negative": 0.1, "neutral": 0.8, "positive": 0.1}, "churn_risk": 0.0, "embedding": "TJo=",
        "stage": "encoder",
    }  # fmt: skip
    return Scores(**{**values, **fields})


_ROUTE = {"route_key": "dana", "channel": Channel.VOICE, "customer_id": "dana", "agent_id": "ada", "team": "voice"}


def scored(of: Turn | None = None, *fired: str, **fields: Any) -> ScoredTurn:
    the_turn = of or turn()
    values = {"turn": the_turn, "scores": scores(*fired), "received_at": the_turn.ended_at, **_ROUTE}
    return ScoredTurn(**{**values, **fields})


def routed(event: Any = None, **fields: Any) -> RoutedLifecycle:
    return RoutedLifecycle(**{"event": event or started(), **_ROUTE, **fields})


def customer_event(**fields: Any) -> CustomerEvent:
    values = {
        "event_id": "e1", "customer_id": "dana", "channel": Channel.CRM, "kind": "profile.updated", "at": T0,
        "facts": {"tenure_months": 74, "monthly_bill": 48.0, "value_band": "high"},
    }  # fmt: skip
    return CustomerEvent(**{**values, **fields})


def prompt(action_id: str = "keep_loyalty_discount", **fields: Any) -> Prompt:
    decision_id = fields.get("decision_id", "003-1767603610000-abcdefabcdef")
    values = {
        "prompt_id": f"{decision_id}.{action_id}", "decision_id": decision_id, "conversation_id": "c1",
        "route_key": "dana", "agent_id": "ada", "action_id": action_id, "kind": ActionKind.RETENTION,
        "title": "Loyalty discount", "words": "I can bring that down to £24 for the next 12 months.",
        "steps": ("mention the cooling-off period",), "why": ("wants to leave", "6 yrs a customer"),
        "channel": Channel.VOICE, "turn_id": "c1-t1", "turn_ended_at": at(10), "created_at": at(10),
        "expires_at": at(70),
    }  # fmt: skip
    return Prompt(**{**values, **fields})


def decision(**fields: Any) -> Decision:
    the_prompt = prompt()
    values = {
        "decision_id": the_prompt.decision_id, "input_id": "c1-t1", "turn_id": "c1-t1", "conversation_id": "c1",
        "route_key": "dana", "customer_id": "dana", "agent_id": "ada", "sequence": 3, "now": at(10), "seed": 7,
        "service_level": ServiceLevel.ALL_WELL, "versions": Versions(catalog="telecom@1", model="m1"),
        "candidates": (
            Candidate(
                action_id=the_prompt.action_id, kind=ActionKind.RETENTION, fate=Fate.WON, reason="highest priority",
                propensity=0.4, context_weight=1.2, value=80.0, lever=1.0, priority=38.4,
            ),
        ),
        "winner": the_prompt.action_id, "prompts": (the_prompt,), "endings": (),
    }  # fmt: skip
    return Decision(**{**values, **fields})


def outcome(state: PromptState = PromptState.ACCEPTED, **fields: Any) -> PromptOutcome:
    the_prompt = prompt()
    values = {
        "outcome_id": f"{the_prompt.prompt_id}:{state.value}", "prompt_id": the_prompt.prompt_id,
        "decision_id": the_prompt.decision_id, "conversation_id": "c1", "route_key": "dana", "agent_id": "ada",
        "action_id": the_prompt.action_id, "state": state, "at": at(20),
    }  # fmt: skip
    return PromptOutcome(**{**values, **fields})


def business_outcome(**fields: Any) -> BusinessOutcome:
    the_prompt = prompt()
    values = {
        "outcome_id": "crm-1", "decision_id": the_prompt.decision_id, "conversation_id": "c1", "route_key": "dana",
        "action_id": the_prompt.action_id, "result": "accepted", "value": 120.0, "at": at(4000),
    }  # fmt: skip
    return BusinessOutcome(**{**values, **fields})


def lesson(**fields: Any) -> Lesson:
    the_prompt = prompt()
    values = {
        "decision_id": the_prompt.decision_id, "action_id": the_prompt.action_id, "features": (1.0, 0.5),
        "features_revision": "f1", "prior": 0.4, "selection_probability": 0.7, "reward": 1.0, "settled_by": "agent",
        "group": "guided", "decided_at": at(10), "settled_at": at(20),
    }  # fmt: skip
    return Lesson(**{**values, **fields})


def posterior(**fields: Any) -> Posterior:
    values = {
        "action_id": "keep_loyalty_discount", "version": 1, "features_revision": "f1", "mean": (-0.4, 0.0),
        "covariance": ((1.0, 0.0), (0.0, 1.0)), "lessons": 1, "at": at(20),
    }  # fmt: skip
    return Posterior(**{**values, **fields})


_DESK = {"conversation_id": "c1", "agent_id": "ada"}


def opened(**fields: Any) -> ConversationOpened:
    values = {
        "record_id": "c1-opened", "channel": Channel.VOICE, "customer_id": "dana", "customer_name": "Dana W.",
        "team": "voice", "started_at": T0, **_DESK,
    }  # fmt: skip
    return ConversationOpened(**{**values, **fields})


def desk_turn(**fields: Any) -> DeskTurn:
    values = {
        "record_id": "c1-t1-desk", "turn_id": "c1-t1", "speaker": Speaker.CUSTOMER, "text": "I'm thinking of leaving",
        "is_final": True, "ended_at": at(10), "received_at": at(10), "intents": ("cancel_service",),
        "sentiment": "negative", "churn_risk": 1.8, **_DESK,
    }  # fmt: skip
    return DeskTurn(**{**values, **fields})


def issued(the_prompt: Prompt | None = None, **fields: Any) -> PromptIssued:
    chosen = the_prompt or prompt()
    return PromptIssued(**{"record_id": f"{chosen.prompt_id}-issued", "prompt": chosen, **_DESK, **fields})


def prompt_ended(state: PromptState = PromptState.RETRACTED, **fields: Any) -> PromptEnded:
    ending = PromptEnding(prompt_id=prompt().prompt_id, action_id=prompt().action_id, state=state, reason="she said no")
    return PromptEnded(**{"record_id": "c1-ended-prompt", "ending": ending, **_DESK, **fields})


def asked(**fields: Any) -> OutcomeAsked:
    of = prompt()
    offer = AskedOffer(prompt_id=of.prompt_id, decision_id=of.decision_id, action_id=of.action_id, title=of.title)
    values = {
        "record_id": "c1-asked", "route_key": "dana", "customer_name": "Dana W.", "channel": Channel.VOICE,
        "offers": (offer,), "ask_disposition": True, "until": at(480), **_DESK,
    }  # fmt: skip
    return OutcomeAsked(**{**values, **fields})


def wrap_up(**fields: Any) -> WrapUp:
    values = {
        "outcome_id": wrap_up_id_of("c1-asked"), "conversation_id": "c1", "route_key": "dana", "agent_id": "ada",
        "at": at(330),
    }  # fmt: skip
    return WrapUp(**{**values, **fields})


def snapshot(**fields: Any) -> Snapshot:
    values = {
        "conversation_id": "c1", "route_key": "dana", "channel": Channel.VOICE, "customer_id": "dana",
        "customer_name": "Dana W.", "agent_id": "ada", "team": "voice", "started_at": T0, "updated_at": at(10),
        "live_prompt": prompt(), "pinned": (), "spans": (DeskSpan(agent_id="ada", since=T0),),
    }  # fmt: skip
    return Snapshot(**{**values, **fields})


def record(
    contract: Any, topic: str, key: str, *, offset: int = 0, when: datetime = T0, partitions: int = 12
) -> Record:
    """`contract` as it would be read from Kafka, on the partition where its key belongs."""
    milliseconds = round(when.timestamp() * 1000)
    return Record(topic, partition_for(key, partitions), offset, milliseconds, key.encode(), encode(contract))
