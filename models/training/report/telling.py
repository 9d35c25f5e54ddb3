"""How figures and tables are written in the card."""

from collections.abc import Callable, Iterable, Mapping, Sequence

NOT_MEASURED = "–"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; a cell's own bars are escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |" for cells in lines)


class Figures:
    """Scores by name, written out; a dash for what was not measured."""

    def __init__(self, scores: Mapping[str, float]) -> None:
        self._scores = scores

    def __contains__(self, name: str) -> bool:
        return name in self._scores

    def share(self, name: str) -> str:
        """As percent."""
        return self._told(name, lambda score: f"{score * 100:.1f} %")

    def points(self, name: str) -> str:
        """A difference of shares, in points of percent."""
        return self._told(name, lambda score: f"{score * 100:+.2f}")

    def plain(self, name: str) -> str:
        return self._told(name, lambda score: f"{score:.3f}")

    def count(self, name: str) -> str:
        return self._told(name, lambda score: f"{score:,.0f}")

    def ms(self, name: str) -> str:
        return self._told(name, lambda score: f"{score:.2f}")

    def times(self, name: str) -> str:
        return self._told(name, lambda score: f"{score:.1f}×")

    def _told(self, name: str, written: Callable[[float], str]) -> str:
        return written(self._scores[name]) if name in self._scores else NOT_MEASURED
