"""Conversations end while the workers of `decisions` are killed: an independent client counts what the CRM is told."""

import asyncio
import json
import random
import signal
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from builders import customer_event, ended, outcome, routed, scored, scores, started, turn
from deploy.kafka import topics
from deploy.local import Child, LocalProcesses, free_port
from guidance.decision.identity import decision_id_of, prompt_id_of
from schemas.codec import encode
from schemas.guidance import PromptState
from schemas.outcomes import outcome_id_of
from schemas.topics import CRM_ACTIONS, CUSTOMER_EVENTS, INTENTS_TOPIC, OUTCOMES
from streams.bus.connection import KafkaSettings
from streams.bus.partitioner import partition_for
from talking import richer_text

pytestmark = [pytest.mark.broker, pytest.mark.faults]
PARTITIONS = 12
KINDS = {"lead", "churn_flag", "follow_up"}
NEEDS = {"upgrade_interest": 0.95, "technical_problem": 0.8}


def known(run: str, number: int, now: datetime) -> Any:
    who = f"{run}-{number}"
    return customer_event(event_id=f"{who}-e", customer_id=who, at=now, facts={"products": ("fibre",)})


def told(run: str, number: int, now: datetime) -> list[tuple[str, Any]]:
    """One customer's conversation up to its end, by topic. Every other one's agent takes the offer, and is asked."""
    who = f"{run}-{number}"
    route = {"route_key": who, "customer_id": who, "agent_id": f"agent-{number % 5}"}
    said = turn(turn_id=f"{who}-t", conversation_id=who, started_at=now - timedelta(seconds=1), ended_at=now)
    heard = scored(said, scores=scores(*NEEDS, intents=NEEDS, churn_risk=1.9), **route)
    decision_id = decision_id_of(partition_for(who, PARTITIONS), heard)
    prompt_id = prompt_id_of(decision_id, "faster")
    taken = outcome(
        outcome_id=outcome_id_of(prompt_id, PromptState.ACCEPTED), prompt_id=prompt_id, decision_id=decision_id,
        conversation_id=who, route_key=who, agent_id=route["agent_id"], action_id="faster", at=now,
    )  # fmt: skip
    begins = started(who, customer_id=who, agent_id=route["agent_id"], at=now)
    return [
        (INTENTS_TOPIC.name, routed(begins, **route)),
        (INTENTS_TOPIC.name, heard),
        *([(OUTCOMES.name, taken)] if number % 2 else []),
    ]


def the_end(run: str, number: int, now: datetime) -> Any:
    who = f"{run}-{number}"
    return routed(ended(who, at=now), route_key=who, customer_id=who, agent_id=f"agent-{number % 5}")


class Crm:
    """What a CRM would have: every record of its topic from the start, by plain kafka-python and JSON."""

    def __init__(self, bootstrap: str, run: str) -> None:
        self._run = run
        self._consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=None, enable_auto_commit=False)
        sources = [TopicPartition(CRM_ACTIONS.name, p) for p in self._consumer.partitions_for_topic(CRM_ACTIONS.name)]
        self._consumer.assign(sources)
        self._consumer.seek_to_beginning(*sources)
        self.records = 0
        self.bytes_by_id: dict[str, set[bytes]] = defaultdict(set)
        self.ids: dict[tuple[str, str], set[str]] = defaultdict(set)
        """By customer and kind."""

    def read(self) -> None:
        """What has come by now."""
        for records in self._consumer.poll(timeout_ms=500, max_records=5000).values():
            for record in records:
                action = json.loads(record.value)
                if action["customer_id"].startswith(self._run):
                    assert record.key == action["customer_id"].encode()
                    self.records += 1
                    self.bytes_by_id[action["crm_action_id"]].add(record.value)
                    self.ids[action["customer_id"], action["kind"]].add(action["crm_action_id"])


async def count(bootstrap: str, home: Path, *, customers: int, kills: int, seed: int = 11) -> dict[str, Any]:
    """One run: conversations that end, workers that are killed meanwhile, and what the CRM was told."""
    await asyncio.to_thread(topics.create, KafkaSettings(servers=(bootstrap,)))
    catalog = home / "actions.yaml"
    catalog.write_text(richer_text(wrap_up_minutes=0.1, control_share=0))
    workers = []
    for number in range(2):
        port, name = free_port(), f"decisions-{number}"
        arguments = [
            "worker",
            "decisions",
            "--http-port",
            str(port),
            "--data",
            str(home / name),
            "--catalog",
            str(catalog),
        ]
        environment = {"LIVECUE_KAFKA": bootstrap}
        workers.append(Child(name, arguments, f"http://127.0.0.1:{port}/readyz", home / f"{name}.log", environment))
    run = f"crm{time.time_ns() % 10**8:x}"
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=0, retries=10)

    def send(topic: str, event: Any) -> None:
        key = event.customer_id if topic == CUSTOMER_EVENTS.name else event.route_key
        producer.send(topic, key=key.encode(), value=encode(event))

    async with LocalProcesses(workers) as processes:
        await processes.ready(within_s=90)
        for number in range(customers):
            send(CUSTOMER_EVENTS.name, known(run, number, datetime.now(UTC)))
        await asyncio.sleep(5)  # on another topic: what is not known yet makes ineligible
        for number in range(customers):
            for topic, event in told(run, number, datetime.now(UTC)):
                send(topic, event)
        await asyncio.sleep(5)
        chosen = random.Random(seed)
        killing = asyncio.create_task(_kill(workers, kills, chosen))
        for number in range(customers):
            send(INTENTS_TOPIC.name, the_end(run, number, datetime.now(UTC)))
            await asyncio.sleep(10 / customers)
        await asyncio.to_thread(producer.flush, 60)
        killed = await killing
        crm, expected = Crm(bootstrap, run), customers * len(KINDS)
        until = time.monotonic() + 90
        while len(crm.bytes_by_id) < expected and time.monotonic() < until:
            await asyncio.to_thread(crm.read)
        await asyncio.sleep(5)
        await asyncio.to_thread(crm.read)
        result = {
            "conversations": customers,
            "killed": killed,
            "restarts": sum(child.restarts for child in workers),
            "expected": expected,
            "told": len(crm.bytes_by_id),
            "told_twice_under_two_ids": sum(len(ids) > 1 for ids in crm.ids.values()),
            "changed_bytes": sum(len(values) > 1 for values in crm.bytes_by_id.values()),
            "missing": sorted(
                f"{run}-{n} {kind}" for n in range(customers) for kind in KINDS if (f"{run}-{n}", kind) not in crm.ids
            )[:5],
            "redelivered_records": crm.records - len(crm.bytes_by_id),
        }
    producer.close()
    print(json.dumps(result))
    return result


async def _kill(workers: list[Child], kills: int, chosen: random.Random) -> list[str]:
    done = []
    for _ in range(kills):
        await asyncio.sleep(3.0)
        worker = chosen.choice([each for each in workers if each.is_running()])
        worker.process.send_signal(signal.SIGKILL)
        done.append(worker.name)
    return done


@pytest.mark.long
@pytest.mark.timeout(400)
async def test_leads_flags_and_follow_ups_are_told_once_under_kill_9(kafka: str, tmp_path: Path) -> None:
    result = await count(kafka, tmp_path, customers=60, kills=3)

    assert 3 == len(result["killed"]) == result["restarts"]
    assert result["expected"] == result["told"]
    assert 0 == result["told_twice_under_two_ids"] == result["changed_bytes"]
    assert [] == result["missing"]
