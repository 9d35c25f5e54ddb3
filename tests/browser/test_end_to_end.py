"""From a customer's sentence to the agent's answer and back to Kafka: real Kafka, workers, model, gateway, browser."""

import asyncio
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from kafka import KafkaConsumer
from playwright.async_api import expect

import builders
from browser.chromium import NO_BROWSER, chromium, left_out
from deploy.recording import Line
from schemas.conversation import Speaker
from stack import TOKEN, running_stack
from streams.bus.producer import KafkaPublisher

pytestmark = [pytest.mark.broker, pytest.mark.browser, pytest.mark.timeout(180)]

SAID = "I'm thinking of leaving, my neighbour pays half"
PICTURES = os.environ.get("LIVECUE_PICTURES")
"""A folder for screenshots to look at; none are taken without it."""


class Call:
    """One live call, told as it happens."""

    def __init__(self, publisher: KafkaPublisher) -> None:
        self.id = f"call-{uuid4().hex[:8]}"
        self._publisher = publisher
        self._turns = 0

    async def begin(self, agent_id: str) -> None:
        customer = f"{self.id}-customer"
        profile = builders.customer_event(
            event_id=f"{self.id}-crm", customer_id=customer, at=_now(),
            facts={"tenure_months": 74, "monthly_bill": 48.0, "value_band": "high", "plan": "Fibre 300"},
        )  # fmt: skip
        start = builders.started(
            self.id, at=_now(), customer_id=customer, customer_name="Dana Whitfield", agent_id=agent_id
        )
        await self._publisher.publish([Line(profile).message, Line(start).message])

    async def say(self, speaker: Speaker, text: str) -> None:
        self._turns += 1
        turn = builders.turn(
            text, f"{self.id}-t{self._turns}", conversation_id=self.id, speaker=speaker,
            started_at=_now() - timedelta(seconds=2), ended_at=_now(),
        )  # fmt: skip
        await self._publisher.publish([Line(turn).message])


def _now() -> datetime:
    return datetime.now(UTC)


def outcomes_of(bootstrap: str, conversation_id: str) -> list[dict]:
    """What an independent client reads of the conversation's prompts."""
    consumer = KafkaConsumer(
        "guidance.outcomes.v1", bootstrap_servers=bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=3000
    )
    told = [json.loads(record.value) for record in consumer]
    consumer.close()
    return [outcome for outcome in told if outcome["conversation_id"] == conversation_id]


async def picture(page, name: str) -> None:
    if PICTURES:
        await page.screenshot(path=str(Path(PICTURES) / f"{name}.png"))


@pytest.mark.skipif(left_out(), reason=f"{NO_BROWSER} is set")
async def test_a_retention_prompt_reaches_the_agent_and_the_answer_reaches_kafka(kafka, tmp_path) -> None:
    async with (
        running_stack(kafka, tmp_path) as stack,
        KafkaPublisher(stack.kafka) as publisher,
        chromium() as browser,
    ):
        call = Call(publisher)
        agent = await browser.new_page(viewport={"width": 400, "height": 760})
        await agent.goto(f"{stack.http_url}/agent?agent=e2e-ada#token={TOKEN}")
        await expect(agent.locator("#connection")).to_have_attribute("data-state", "live")
        await call.begin("e2e-ada")
        await call.say(Speaker.AGENT, "hi thanks for calling northline this call is recorded how can i help")
        await call.say(Speaker.CUSTOMER, SAID)

        card = agent.locator("#card")
        await expect(card).to_contain_text("Retention", ignore_case=True, timeout=10_000)
        await expect(card.locator("[data-action=accept]")).to_be_visible()
        await expect(agent.locator("#transcript")).to_contain_text(SAID)
        await expect(agent.locator("#transcript")).to_contain_text("wants to leave")
        await picture(agent, "agent-prompt")

        late = await browser.new_page(viewport={"width": 400, "height": 760})
        await late.goto(f"{stack.http_url}/agent?agent=e2e-ada#token={TOKEN}")
        await expect(late.locator("#transcript")).to_contain_text(SAID)
        await expect(late.locator("#card")).to_contain_text("Retention", ignore_case=True)
        await picture(late, "agent-mid-call")

        supervisor = await browser.new_page(viewport={"width": 1280, "height": 800})
        await supervisor.goto(f"{stack.http_url}/supervisor#token={TOKEN}")
        row = supervisor.locator(f"[data-conversation='{call.id}']")
        await expect(row).to_contain_text("Dana Whitfield", timeout=10_000)
        await expect(row).to_contain_text("wants to leave")
        await row.click()
        await expect(supervisor.locator("#drawer")).to_contain_text(SAID)
        await expect(supervisor.locator("#drawer")).to_contain_text("keep loyalty discount")
        await picture(supervisor, "supervisor")

        await agent.bring_to_front()
        await agent.keyboard.press("a")
        await expect(card.locator("[data-action=accept]")).to_be_hidden(timeout=10_000)
        told = await _until_told(kafka, call.id, "accepted")
        assert {"delivered", "shown", "accepted"} <= {outcome["state"] for outcome in told}
        accepted = next(outcome for outcome in told if outcome["state"] == "accepted")
        assert ("e2e-ada", "keep_loyalty_discount") == (accepted["agent_id"], accepted["action_id"])
        await picture(agent, "agent-accepted")


async def _until_told(bootstrap: str, conversation_id: str, state: str) -> list[dict]:
    told: list[dict] = []
    for _ in range(5):
        told = await asyncio.to_thread(outcomes_of, bootstrap, conversation_id)
        if any(outcome["state"] == state for outcome in told):
            break
    return told
