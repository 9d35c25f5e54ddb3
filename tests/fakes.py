"""Small real stand-ins for ports, for tests that need no bus."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from streams.bus.ports import Write


@dataclass
class Rows:
    """A `Table` in a dict."""

    rows: dict[tuple[int, str], bytes] = field(default_factory=dict)

    def get(self, partition: int, key: str) -> bytes | None:
        return self.rows.get((partition, key))

    def scan(self, partition: int, prefix: str) -> Iterator[tuple[str, bytes]]:
        yield from sorted((k, v) for (p, k), v in self.rows.items() if p == partition and k.startswith(prefix))

    def carry_out(self, writes: Sequence[Write]) -> None:
        for write in writes:
            if write.value is None:
                self.rows.pop((write.partition, write.key), None)
            else:
                self.rows[write.partition, write.key] = write.value
