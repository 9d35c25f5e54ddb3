"""A channel without an agent is answered by the same rules as an agent's turn."""

from builders import at, customer_event, routed, scored, scores, started, turn
from guidance.decision.advance import advance
from guidance.decision.rules import Rules
from guidance.decision.state import CustomerState
from schemas.codec import encode
from schemas.requests import DecisionRequest
from small_catalog import changed, small

CATALOG = changed(
    ("channels: [voice, chat], words: Let us look", "channels: [voice, chat, web], words: Let us look"),
    ("  review:\n    kind: retention", "  review:\n    channels: [voice, chat, web]\n    kind: retention"),
)


def request(**fields) -> DecisionRequest:
    values = {
        "request_id": "r1", "customer_id": "dana", "channel": "chat", "intents": {"cancel_service": 0.9},
        "asked_at": at(10), "reply_to": "g1",
    }  # fmt: skip
    return DecisionRequest(**{**values, **fields})


def asked(catalog=CATALOG, before=(), **fields):
    state = CustomerState()
    for event in (customer_event(), *before):
        state = advance(state, event, Rules(catalog), partition=3, now=at(0)).state
    return state, advance(state, request(**fields), Rules(catalog), partition=3, now=at(10))


def offered(advanced) -> list[str]:
    return [each.action_id for each in advanced.reply.actions]


def test_what_an_agent_would_be_told_the_web_page_is_told():
    _, advanced = asked()
    said = scored(turn(), scores=scores("cancel_service"), channel="chat")
    begun = advance(CustomerState(), routed(started(), channel="chat"), Rules(CATALOG), partition=3, now=at(0)).state
    decided = advance(begun, said, Rules(CATALOG), partition=3, now=at(10)).decision

    assert [decided.winner] == offered(advanced) == ["review"]
    assert advanced.reply.actions[0].words == decided.prompts[0].words
    assert ("request", "request:r1", ()) == (
        advanced.decision.occasion, advanced.decision.conversation_id, advanced.decision.prompts,
    )  # fmt: skip
    assert advanced.reply.decision_id == advanced.decision.decision_id


def test_compliance_comes_first_and_the_limit_is_kept():
    catalog = changed(
        ("channels: [voice]\n    triggers:\n      - {when: turns", "triggers:\n      - {when: turns"),
        ("{channels: [voice], words: This call", "{channels: [voice, chat], words: This call"),
    )
    _, advanced = asked(catalog, intents={"cancel_service": 0.9, "escalation": 0.8})
    assert "record" == offered(advanced)[0]
    assert {"record", "review", "calm"} == set(offered(advanced))
    assert ["record"] == offered(asked(catalog, intents={"cancel_service": 0.9}, limit=1)[1])


def test_what_the_channel_is_unsure_of_calls_for_nothing():
    assert [] == offered(asked(intents={"cancel_service": 0.49})[1])
    assert [] == offered(asked(intents={})[1])


def test_a_refusal_elsewhere_is_honoured_here():
    refused = customer_event(event_id="e2", kind="offer.declined", action_id="review", channel="mail", facts={})
    assert [] == offered(asked(before=[refused])[1])


def test_facts_of_the_moment_count_and_are_not_remembered():
    catalog = changed(("  review:\n", "  review:\n    eligible_if: ['contains(products, \"tv\")']\n"))
    assert [] == offered(asked(catalog)[1])
    state, advanced = asked(catalog, facts={"products": ("tv",)})
    assert ["review"] == offered(advanced)
    assert "products" not in advanced.state.journey.facts
    assert advanced.state == state.model_copy(update={"sequence": state.sequence + 1})


def test_asked_twice_the_bytes_are_the_same():
    first, again = asked()[1], asked()[1]
    assert encode(first.reply) == encode(again.reply)
    assert encode(first.decision) == encode(again.decision)


def test_a_channel_on_which_nothing_is_said_gets_nothing():
    assert [] == offered(asked(small(), channel="ivr")[1])
