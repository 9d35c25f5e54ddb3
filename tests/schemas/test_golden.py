"""What is on the wire today: golden bytes, one file a contract. Changing one is changing a published contract:
`LIVECUE_WRITE_GOLDEN=1 make test` writes them anew, for a reviewer to see."""

import os
from pathlib import Path

import pytest

import builders
from schemas.base import Contract
from schemas.codec import decode, encode
from schemas.conversation import ConversationAssigned, ConversationIdentified, ConversationTransferred
from schemas.crm import CrmAction
from schemas.dead_letter import DeadLetter
from schemas.desk import ConversationClosed
from schemas.guidance import Tick
from schemas.handoff import Forwarded, Handoff
from schemas.published import PublishedCatalog, PublishedLevers, TreatmentEmbedding
from schemas.requests import DecisionReply, DecisionRequest, RankedAction
from schemas.topics import TOPICS

GOLDEN = Path(__file__).parent / "golden"
_EVENT = {"event_id": "e9", "conversation_id": "c1", "at": builders.at(1)}
_LETTER = DeadLetter(
    letter_id="t/0/1", topic="conversation.turns.v1", partition=0, offset=1, key="c1", reason="text: missing",
    processor="intents", buried_at=builders.at(2), value="{",
)  # fmt: skip
SPECIMENS: dict[str, list[Contract]] = {
    "conversation.turns.v1": [
        builders.turn(), builders.started(), builders.ended(), ConversationAssigned(agent_id="ada", **_EVENT),
        ConversationTransferred(agent_id="ben", **_EVENT), ConversationIdentified(customer_id="dana", **_EVENT),
    ],
    "conversation.intents.v1": [
        builders.scored(None, "cancel_service"), builders.scored(scores=None), builders.routed(),
    ],
    "customer.events.v1": [builders.customer_event()],
    "guidance.desk.v1": [
        builders.opened(), builders.desk_turn(), builders.issued(), builders.prompt_ended(), builders.asked(),
        ConversationClosed(record_id="r9", conversation_id="c1", agent_id="ada", reason="ended"),
    ],
    "conversation.snapshots.v1": [builders.snapshot()],
    "guidance.outcomes.v1": [builders.outcome(), builders.business_outcome(), builders.wrap_up()],
    "customer.handoffs.v1": [
        Handoff(conversation_id="c1", customer_id="dana", route_key="c1", carried="{}"),
        Forwarded(conversation_id="c1", customer_id="dana", record=builders.scored(None, "cancel_service")),
    ],
    "guidance.lessons.v1": [builders.lesson()],
    "guidance.propensities.v1": [builders.posterior()],
    "guidance.catalogs.v1": [
        PublishedCatalog(
            version="telecom@1", text="id: telecom", published_at=builders.at(1), published_by="mia",
            model_revision="m1",
            embeddings=(TreatmentEmbedding(action_id="keep_loyalty_discount", treatment=0, embedding="TJo="),),
        ),
    ],
    "guidance.levers.v1": [
        PublishedLevers(version="levers@1", by_kind={"retention": 1.5}, set_at=builders.at(1), set_by="mia"),
    ],
    "guidance.requests.v1": [
        DecisionRequest(
            request_id="r1", customer_id="dana", channel="web", intents={"upgrade_interest": 0.8},
            asked_at=builders.at(1), reply_to="gateway-1",
        ),
    ],
    "guidance.replies.v1": [
        DecisionReply(
            request_id="r1", reply_to="gateway-1", decision_id="003-1767603610000-abcdefabcdef", customer_id="dana",
            decided_at=builders.at(2), actions=(
                RankedAction(
                    action_id="faster_fibre", kind="upsell", title="Faster fibre", words="Go faster for £5 more.",
                    language="en", propensity=0.2, priority=12.0,
                ),
            ),
        ),
    ],
    "crm.actions.v1": [
        CrmAction(
            crm_action_id="c1:churn_flag", customer_id="dana", conversation_id="c1", kind="churn_flag",
            summary="wants to leave: my neighbour pays half", churn_risk=1.8, at=builders.at(300),
        ),
    ],
    "guidance.decisions.v1": [builders.decision()],
    "livecue.ticks.v1": [Tick(at=builders.at(3))],
    "livecue.dead-letters.v1": [_LETTER],
}  # fmt: skip


def test_every_topic_has_specimens() -> None:
    assert {topic.name for topic in TOPICS} == SPECIMENS.keys()


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_written_bytes_are_golden(topic) -> None:
    written = b"".join(encode(specimen) + b"\n" for specimen in SPECIMENS[topic.name])
    golden = GOLDEN / f"{topic.name}.ndjson"
    if os.environ.get("LIVECUE_WRITE_GOLDEN"):
        golden.write_bytes(written)

    assert golden.read_bytes() == written


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_golden_bytes_are_read_back(topic) -> None:
    lines = (GOLDEN / f"{topic.name}.ndjson").read_bytes().splitlines()

    assert SPECIMENS[topic.name] == [decode(topic.adapter, line) for line in lines]
