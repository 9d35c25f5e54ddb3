"""What the pages are shown in tests and pictures: whole frames, at times near now."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from schemas.agent_frames import ConversationReplay
from schemas.conversation import Channel, Speaker
from schemas.desk import (
    AskedOffer,
    ConversationClosed,
    ConversationOpened,
    DeskRecord,
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
from schemas.supervisor_frames import (
    ConversationView,
    FeedTurn,
    Figures,
    PromptStanding,
    Series,
    Trend,
    Trends,
    Wall,
    WallRow,
)

CONVERSATION = "call-4711"
WORDS = "I can bring that down to £24 for the next 12 months."


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


# The agent's desk


def opened(conversation_id: str = CONVERSATION, **fields: Any) -> ConversationOpened:
    values = {
        "record_id": f"{conversation_id}:opened", "conversation_id": conversation_id, "agent_id": "ada",
        "channel": Channel.VOICE, "customer_id": "c-1", "customer_name": "Dana Whitfield", "team": "voice",
        "started_at": ago(96), "journey": ("chat 2 h ago, unsolved", "call 3 weeks ago, price rise explained"),
    }  # fmt: skip
    return ConversationOpened(**{**values, **fields})


def turn(text: str, turn_id: str, *intents: str, seconds_ago: float = 3, **fields: Any) -> DeskTurn:
    values = {
        "record_id": f"turn:{turn_id}:{fields.get('is_final', True)}", "conversation_id": CONVERSATION,
        "agent_id": "ada", "turn_id": turn_id, "speaker": Speaker.CUSTOMER, "text": text, "is_final": True,
        "ended_at": ago(seconds_ago), "received_at": ago(seconds_ago - 0.1), "intents": intents,
        "sentiment": None, "churn_risk": None,
    }  # fmt: skip
    return DeskTurn(**{**values, **fields})


def prompt(prompt_id: str = "p1", **fields: Any) -> Prompt:
    values = {
        "prompt_id": prompt_id, "decision_id": "d1", "conversation_id": CONVERSATION, "route_key": "c-1",
        "agent_id": "ada", "action_id": "keep_loyalty_discount", "kind": ActionKind.RETENTION,
        "title": "Loyalty discount", "words": WORDS,
        "steps": ("mention the 30-day cooling-off", "ask whether £24 would keep them"),
        "why": ("wants to leave", "price", "6 yrs a customer"), "channel": Channel.VOICE, "turn_id": "t5",
        "turn_ended_at": ago(0.2), "created_at": ago(0.1), "expires_at": ago(-40),
    }  # fmt: skip
    return Prompt(**{**values, **fields})


def issued(the_prompt: Prompt) -> PromptIssued:
    return PromptIssued(
        record_id=f"{the_prompt.prompt_id}:issued", conversation_id=the_prompt.conversation_id, agent_id="ada",
        prompt=the_prompt,
    )  # fmt: skip


def over(the_prompt: Prompt, state: PromptState, reason: str = "") -> PromptEnded:
    ending = PromptEnding(prompt_id=the_prompt.prompt_id, action_id=the_prompt.action_id, state=state, reason=reason)
    return PromptEnded(
        record_id=f"{the_prompt.prompt_id}:{state.value}", conversation_id=the_prompt.conversation_id,
        agent_id="ada", ending=ending,
    )  # fmt: skip


def asked(**fields: Any) -> OutcomeAsked:
    of = prompt()
    offer = AskedOffer(prompt_id=of.prompt_id, decision_id=of.decision_id, action_id=of.action_id, title=of.title)
    values = {
        "record_id": "asked-1", "conversation_id": CONVERSATION, "agent_id": "ada", "route_key": "c-1",
        "customer_name": "Dana Whitfield", "channel": Channel.VOICE, "offers": (offer,), "ask_disposition": True,
        "until": ago(-180),
    }  # fmt: skip
    return OutcomeAsked(**{**values, **fields})


def closed(conversation_id: str = CONVERSATION) -> ConversationClosed:
    return ConversationClosed(
        record_id=f"{conversation_id}:closed", conversation_id=conversation_id, agent_id="ada", reason="ended"
    )


def pinned(action_id: str, title: str, words: str) -> Prompt:
    return prompt(
        f"pin-{action_id}", action_id=action_id, kind=ActionKind.COMPLIANCE, title=title, words=words, steps=(),
        why=(), pinned=True, expires_at=ago(-600),
    )  # fmt: skip


def call() -> tuple[DeskRecord, ...]:
    """A call about leaving, up to the words that call for an offer."""
    recording = pinned("say_recording", "recording", "This call is recorded to improve our service.")
    identity = pinned("verify_identity", "identity", "Could you tell me the first line of your address, please?")
    agent = {"speaker": Speaker.AGENT}
    return (
        opened(),
        issued(recording),
        issued(identity),
        turn("Good morning, Ada speaking. This call is recorded. How can I help?", "t1", seconds_ago=92, **agent),
        over(recording, PromptState.FULFILLED),
        turn("My bill has gone up again, it's £41 now.", "t2", "price_complaint", seconds_ago=61, sentiment="negative"),
        turn("Let me look. The card ending [CARD], is that still the right one?", "t3", seconds_ago=48, **agent),
        turn("Yes. I did ask about this in the chat this morning.", "t4", "repeat_contact", seconds_ago=30),
        turn(
            "Honestly, I'm thinking of leaving, my neighbour pays half.", "t5", "cancel_service", "price_complaint",
            seconds_ago=0.2, sentiment="negative", churn_risk=1.5,
        ),
    )  # fmt: skip


def replay(
    records: Sequence[DeskRecord], live: Prompt | None = None, pins: Sequence[Prompt] = ()
) -> ConversationReplay:
    first = opened()
    return ConversationReplay(
        snapshot=Snapshot(
            conversation_id=CONVERSATION, route_key="c-1", channel=first.channel, customer_id=first.customer_id,
            customer_name=first.customer_name, agent_id="ada", team="voice", started_at=first.started_at,
            updated_at=ago(0), live_prompt=live, pinned=tuple(pins),
            spans=(DeskSpan(agent_id="ada", since=first.started_at),),
        ),
        records=tuple(records),
    )  # fmt: skip


# The supervisor's wall


def _series(now: float, *points: float) -> Series:
    """A series that wanders through `points` to `now`."""
    chance = Random(now)
    wave = [points[i * len(points) // 60] + chance.gauss(0, now * 0.03) for i in range(59)]
    return Series(now=now, points=(*(max(0.0, value) for value in wave), now))


def figures(**fields: Any) -> Figures:
    well, rules = ServiceLevel.ALL_WELL, ServiceLevel.RULES_ONLY
    values = {
        "step_s": 15, "live_conversations": _series(12, 8, 9, 9, 11, 10, 12),
        "prompts_per_minute": _series(6.4, 4, 5, 5.5, 5, 6), "accepted_share": _series(0.42, 0.35, 0.38, 0.44, 0.41),
        "turn_to_desktop_p95_ms": _series(184, 170, 190, 180, 210, 176), "lag_s": _series(0.2, 0.2, 0.3, 0.2, 0.9, 0.2),
        "service_level": well, "service_levels": (*[well] * 31, *[rules] * 3, *[well] * 26),
    }  # fmt: skip
    return Figures(**{**values, **fields})


def standing(state: PromptState = PromptState.SHOWN, **fields: Any) -> PromptStanding:
    the_prompt = prompt()
    shared = ("prompt_id", "action_id", "kind", "title", "words", "why", "pinned", "created_at", "expires_at")
    values = {name: getattr(the_prompt, name) for name in shared} | {"state": state, "reason": None, "at": ago(1)}
    return PromptStanding(**{**values, **fields})


def row(conversation_id: str = CONVERSATION, **fields: Any) -> WallRow:
    values = {
        "conversation_id": conversation_id, "customer_id": "c-1", "customer_name": "Dana Whitfield",
        "channel": Channel.VOICE, "started_at": ago(252), "agent_id": "ada", "team": "voice",
        "intents": ("cancel_service", "price_complaint"), "sentiment": (0.2, 0.1, -0.2, -0.1, -0.5, -0.7),
        "churn_risk": 1.5, "prompt": standing(), "need": 0.82, "need_why": "churn risk high, upset",
    }  # fmt: skip
    return WallRow(**{**values, **fields})


def many(count: int) -> tuple[WallRow, ...]:
    return tuple(
        row(f"call-{i:04}", customer_name=f"Customer {i:04}", need=round(1 - i / count, 4), need_why="", prompt=None)
        for i in range(count)
    )


def wall(*rows: WallRow, live: int | None = None, **fields: Any) -> Wall:
    return Wall(at=ago(0), figures=figures(), live=len(rows) if live is None else live, rows=rows, **fields)


def team_wall() -> Wall:
    """A wall as on a busy morning."""
    month = {"title": "Free month", "words": "I can take this month off your bill."}
    fibre = {"title": "Fibre upgrade", "words": "For £6 more you would have five times the speed."}
    sent_away, accepted = PromptState.DISMISSED, PromptState.ACCEPTED
    rows = (
        _person(
            "Dana Whitfield", 252, "ada", "cancel_service", "price_complaint", "repeat_contact",
            conversation_id=CONVERSATION, sentiment=(0.2, 0.1, 0.0, -0.2, -0.1, -0.4, -0.5, -0.7), churn_risk=1.5,
            prompt=standing(), need=0.91, need_why="churn risk high, upset",
        ),
        _person(
            "Óscar Núñez", 731, "ben", "escalation", "billing_dispute",
            sentiment=(0.0, -0.3, -0.4, -0.6, -0.8, -0.8), churn_risk=1.1,
            prompt=standing(sent_away, reason="customer mood", **month),
            need=0.84, need_why="upset, 2 prompts dismissed",
        ),
        _person(
            "נועה לוי", 403, "mira", "vulnerability", "payment_trouble", channel=Channel.CHAT,
            sentiment=(-0.1, -0.2, -0.5, -0.4), churn_risk=0.7, need=0.61, need_why="upset",
        ),
        _person(
            "Grace Okafor", 1043, "ben", "competitor_mention", "price_complaint",
            sentiment=(0.3, 0.1, 0.2, -0.1, -0.3, -0.2), churn_risk=1.4,
            prompt=standing(sent_away, reason="already said"),
            need=0.58, need_why="churn risk high, 2 prompts dismissed",
        ),
        _person(
            "Tomasz Zieliński", 318, "mira", "technical_problem", "repeat_contact", channel=Channel.CHAT,
            sentiment=(-0.2, -0.4, -0.3, -0.4, -0.5), churn_risk=0.8, prompt=standing(title="Engineer visit"),
            need=0.41, need_why="upset",
        ),
        _person(
            "Li Wei", 175, "ada", "plan_inquiry", "upgrade_interest",
            sentiment=(0.1, 0.3, 0.2, 0.4), prompt=standing(accepted, **fibre),
        ),
        _person(None, 64, "noor", "order_status", channel=Channel.CHAT, sentiment=(0.0, 0.1), churn_risk=None),
        _person(
            "Priya Raman", 522, "noor", "refund_return",
            sentiment=(-0.1, 0.0, -0.2, 0.1, 0.1), churn_risk=0.5, prompt=standing(PromptState.EXPIRED, **month),
        ),
        _person("Aoife Byrne", 88, "sam", "account_access", sentiment=(0.0, -0.1, 0.1), churn_risk=0.3),
        _person(
            "Jonas Lindqvist", 640, "mira", "add_product", channel=Channel.CHAT,
            sentiment=(0.2, 0.4, 0.5, 0.6), prompt=standing(accepted, title="Second line"),
        ),
        _person("Ruth Adler", 39, "sam", "account_change", sentiment=(0.1,)),
        _person(
            "Marcus Bell", 301, "ida", "gratitude", "closing",
            sentiment=(0.1, 0.3, 0.6, 0.7), prompt=standing(accepted, **fibre),
        ),
    )  # fmt: skip
    return wall(*rows)


def _person(name: str | None, seconds: float, agent_id: str, *intents: str, **fields: Any) -> WallRow:
    """The row of somebody who has been there for `seconds`, and of whom nothing stands out but what `fields` say."""
    channel = fields.get("channel", Channel.VOICE)
    values = {
        "conversation_id": f"conversation-{seconds}", "customer_name": name, "started_at": ago(seconds),
        "agent_id": agent_id, "team": str(channel), "intents": intents, "churn_risk": 0.1, "prompt": None,
        "need": 0.1, "need_why": "",
    }  # fmt: skip
    return row(**{**values, **fields})


def trends() -> Trends:
    """An hour in which a fault began ten minutes ago."""
    usual = [
        ("price_complaint", 4), ("technical_problem", 3), ("plan_inquiry", 3), ("billing_dispute", 2),
        ("cancel_service", 2), ("order_status", 2), ("upgrade_interest", 1), ("account_access", 1),
        ("repeat_contact", 1), ("refund_return", 1), ("add_product", 1), ("competitor_mention", 1), ("escalation", 0),
    ]  # fmt: skip
    made = []
    chance = Random(7)
    for intent, level in usual:
        counts = [chance.choice((0, level, level, level + 1, 2 * level)) for _ in range(60)]
        spike = intent == "technical_problem"
        if spike:
            counts[-10:] = [4, 6, 9, 12, 15, 14, 17, 16, 18, 5]
        made.append(Trend(intent=intent, counts=tuple(counts), spike=spike))
    return Trends(at=ago(0), trends=tuple(sorted(made, key=lambda trend: -sum(trend.counts))))


def decision() -> Decision:
    winner = "keep_loyalty_discount"
    return Decision(
        decision_id="d1", input_id="t5", turn_id="t5", conversation_id=CONVERSATION, route_key="c-1",
        customer_id="c-1", agent_id="ada", sequence=9, now=ago(0.1), seed=7, service_level=ServiceLevel.ALL_WELL,
        versions=Versions(catalog="telecom@12", model="intent-2026-11", levers="levers@3", propensities="p-91ab"),
        group="control",
        candidates=(
            _weighed(
                winner, ActionKind.RETENTION, Fate.WON, "won: 102.34 over keep_free_month 50.16", 0.41, 1.3, 192, 0.7215
            ),
            _weighed(
                "keep_free_month", ActionKind.RETENTION, Fate.LOST, f"lost to {winner} 102.34", 0.38, 1.1, 120, 0.2781
            ),
            _weighed(
                "ask_what_they_pay", ActionKind.COACHING, Fate.LOST, f"lost to {winner} 102.34", 0.55, 1.0, 20, 0.0004
            ),
            _fallen("hardship_plan", ActionKind.SERVICE, Fate.NOT_TRIGGERED, "no payment trouble"),
            _fallen("keep_contract_pause", ActionKind.RETENTION, Fate.INELIGIBLE, "needs contract_months_left"),
            _fallen("offer_fibre_upgrade", ActionKind.UPSELL, Fate.SUPPRESSED, "cooling down until 26 Nov 09:12"),
            _fallen("say_cooling_off", ActionKind.COMPLIANCE, Fate.PINNED, "pinned: offer made"),
            _fallen("second_line", ActionKind.CROSS_SELL, Fate.NOT_TRIGGERED, "nothing said about it"),
        ),
        winner=winner, prompts=(prompt(),), endings=(),
    )  # fmt: skip


def _fallen(action_id: str, kind: ActionKind, fate: Fate, reason: str, **numbers: float) -> Candidate:
    return Candidate(action_id=action_id, kind=kind, fate=fate, reason=reason, **numbers)


def _weighed(
    action_id: str, kind: ActionKind, fate: Fate, reason: str, p: float, c: float, v: float, chance: float
) -> Candidate:
    """A candidate that got as far as arbitration, with a neutral lever."""
    numbers = {"propensity": p, "context_weight": c, "value": v, "lever": 1.0, "priority": p * c * v}
    numbers["selection_probability"] = chance
    return _fallen(action_id, kind, fate, reason, **numbers)


def view(**fields: Any) -> ConversationView:
    """Dana's call in the drawer."""
    moods = {"t2": -0.5, "t4": -0.2, "t5": -0.7}
    turns = tuple(
        FeedTurn(
            turn_id=record.turn_id, speaker=record.speaker, text=record.text, ended_at=record.ended_at,
            intents=record.intents, sentiment=moods.get(record.turn_id), churn_risk=record.churn_risk,
        )
        for record in call()
        if isinstance(record, DeskTurn)
    )  # fmt: skip
    recording = standing(
        PromptState.FULFILLED, prompt_id="pin", title="recording", pinned=True, created_at=ago(95),
        words="This call is recorded to improve our service.",
    )  # fmt: skip
    values = {
        "row": team_wall().rows[0], "ended": False, "journey": opened().journey, "turns": turns,
        "prompts": (recording, standing()), "decisions": (decision(),),
    }  # fmt: skip
    return ConversationView(**{**values, **fields})
