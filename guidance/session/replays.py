"""What a desk that knows nothing is told of each live conversation."""

from collections.abc import Sequence

from schemas.desk import ConversationClosed, DeskRecord, PromptEnded, PromptIssued, Snapshot
from schemas.desktop import ConversationReplay
from schemas.guidance import Prompt

MOST_RECORDS = 500
"""Records of one conversation that are replayed, the latest."""


def replay_of(snapshot: Snapshot, records: Sequence[DeskRecord], agent_id: str) -> ConversationReplay | None:
    """The conversation for `agent_id`, from its desk records in order; None: it is closed for them.

    The prompts on the desk are worked out from the records, so that they agree with them even where the snapshot was
    read a moment earlier or later.
    """
    own = [record for record in records if record.agent_id == agent_id]
    if own and isinstance(own[-1], ConversationClosed):
        return None
    standing: dict[str, Prompt] = {}
    for record in own:
        if isinstance(record, PromptIssued):
            standing[record.prompt.prompt_id] = record.prompt
        elif isinstance(record, PromptEnded):
            standing.pop(record.ending.prompt_id, None)
    live = [prompt for prompt in standing.values() if not prompt.pinned]
    as_it_stands = snapshot.model_copy(
        update={
            "live_prompt": live[-1] if live else None,
            "pinned": tuple(prompt for prompt in standing.values() if prompt.pinned),
        }
    )
    return ConversationReplay(snapshot=as_it_stands, records=tuple(records[-MOST_RECORDS:]))
