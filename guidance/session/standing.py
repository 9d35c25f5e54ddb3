"""How an agent's live conversations stand, for a desk that knows nothing of them: snapshots joined with records."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain

from schemas.agent_frames import ConversationReplay
from schemas.desk import (
    ConversationClosed,
    ConversationOpened,
    DeskRecord,
    DeskTurn,
    PromptEnded,
    PromptIssued,
    Snapshot,
)
from schemas.guidance import Prompt

MOST_RECORDS = 500
"""How many of a conversation's records a desk is given at most, the latest."""


def replays(
    agent_id: str,
    snapshots: Iterable[Snapshot],
    earlier: Mapping[str, Sequence[DeskRecord]],
    own: Iterable[DeskRecord],
    now: datetime,
) -> tuple[list[ConversationReplay], list[DeskRecord]]:
    """The agent's live conversations, oldest first, and what is to follow them one by one.

    `snapshots`: of the agent's live conversations. `earlier`: by conversation, the records of agents who had it
    before. `own`: the agent's own records up to the present, in order, from the first one that a snapshot needs.

    Snapshots and records travel on two topics, so that either may be ahead. A conversation that the records close is
    left out, whatever its snapshot says; one that they open and no snapshot knows yet follows record by record.
    """
    by_conversation: dict[str, list[DeskRecord]] = {}
    for record in own:
        theirs = by_conversation.setdefault(record.conversation_id, [])
        if isinstance(record, ConversationOpened):
            theirs.clear()  # transferred away and back: what came before is among the spans
        theirs.append(record)
    told = []
    for snapshot in sorted(snapshots, key=lambda each: (each.started_at, each.conversation_id)):
        records = by_conversation.pop(snapshot.conversation_id, [])
        if not (records and isinstance(records[-1], ConversationClosed)):
            former = [each for each in earlier.get(snapshot.conversation_id, ()) if isinstance(each, DeskTurn)]
            told.append(_replay(snapshot, former, records, now))
    unknown = [
        records
        for records in by_conversation.values()
        if isinstance(records[0], ConversationOpened) and not isinstance(records[-1], ConversationClosed)
    ]
    return told, list(chain.from_iterable(unknown))


def _replay(
    snapshot: Snapshot, former: Sequence[DeskRecord], own: Sequence[DeskRecord], now: datetime
) -> ConversationReplay:
    live, pinned = _live_prompts(snapshot, own, now)
    return ConversationReplay(
        snapshot=snapshot.model_copy(update={"live_prompt": live, "pinned": pinned}),
        records=tuple(_without_replaced_partials([*former, *own])[-MOST_RECORDS:]),
    )


def _live_prompts(
    snapshot: Snapshot, records: Iterable[DeskRecord], now: datetime
) -> tuple[Prompt | None, tuple[Prompt, ...]]:
    """What is to be shown: the snapshot's prompts, brought up to date by the records. Stale ones are not."""
    ended = {record.ending.prompt_id for record in records if isinstance(record, PromptEnded)}
    prompts = {prompt.prompt_id: prompt for prompt in (*snapshot.pinned, snapshot.live_prompt) if prompt is not None}
    prompts |= {record.prompt.prompt_id: record.prompt for record in records if isinstance(record, PromptIssued)}
    shown = [each for each in prompts.values() if each.prompt_id not in ended and each.expires_at > now]
    live = max((each for each in shown if not each.pinned), key=lambda each: each.created_at, default=None)
    return live, tuple(each for each in shown if each.pinned)


def _without_replaced_partials(records: Iterable[DeskRecord]) -> list[DeskRecord]:
    """Each turn once, at its first place, as its latest record has it."""
    kept: dict[str, DeskRecord] = {}
    for record in records:
        kept[f"turn {record.turn_id}" if isinstance(record, DeskTurn) else record.record_id] = record
    return list(kept.values())
