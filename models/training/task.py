"""What a model is to learn: its labels and heads, read off the turns that it learns from."""

from collections.abc import Iterable
from dataclasses import dataclass

from models.training.taxonomy import LABELS
from models.training.turns import LabelledTurn
from schemas.conversation import Speaker


@dataclass(frozen=True, slots=True)
class Task:
    """One set of labels, in the order of the logits, and the heads beside them."""

    labels: tuple[str, ...]
    speakers: tuple[tuple[Speaker, ...], ...]
    """For each label, whose turns can carry it."""
    exclusive: bool
    """At most one label holds on each turn: probabilities are a softmax, and training is of one class, or of none of
    them where there are turns without a label."""
    sentiment: bool
    churn_risk: bool

    @classmethod
    def of(cls, turns: Iterable[LabelledTurn]) -> "Task":
        """The task that ``turns`` describe. Labels of ours keep our order, others come by name.

        Raises:
            ValueError: no turn has a label, or only one label exists: there is nothing to tell apart.
        """
        turns = list(turns)
        found = {label for turn in turns for label in turn.labels}
        labels = tuple(label for label in LABELS if label in found) + tuple(sorted(found - set(LABELS)))
        if len(labels) < 2:
            raise ValueError(f"training needs turns of at least two labels, these have {len(labels)}")
        heard_from = {
            label: tuple(who for who in Speaker if any(label in t.labels and t.speaker == who for t in turns))
            for label in labels
        }
        return cls(
            labels=labels,
            speakers=tuple(heard_from[label] for label in labels),
            exclusive=all(len(turn.labels) <= 1 and turn.known is None for turn in turns),
            sentiment=any(turn.sentiment is not None for turn in turns),
            churn_risk=any(turn.churn_risk is not None for turn in turns),
        )

    def labels_of(self, speaker: str) -> frozenset[str]:
        """The labels that a turn of ``speaker`` can carry."""
        return frozenset(name for name, whose in zip(self.labels, self.speakers, strict=True) if speaker in whose)
