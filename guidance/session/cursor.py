"""Where an agent's desk stands in its records: a place in the log, so that any gateway can go on from it."""

from typing import NamedTuple, Self


class Place(NamedTuple):
    """A partition of one topic, and the next offset to be read there. The agent's records all lie in one partition."""

    topic_id: str
    """Kafka's id of the topic: offsets of a topic that was made anew mean something else."""
    partition: int
    offset: int

    @classmethod
    def read(cls, cursor: str) -> Self | None:
        """The place that a desk's cursor names; None where it is not one of ours."""
        topic_id, _, rest = cursor.partition("/")
        partition, _, offset = rest.partition("/")
        if not (topic_id and _is_number(partition) and _is_number(offset)):
            return None
        return cls(topic_id, int(partition), int(offset))

    @property
    def cursor(self) -> str:
        """What desks keep of it."""
        return f"{self.topic_id}/{self.partition}/{self.offset}"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20
