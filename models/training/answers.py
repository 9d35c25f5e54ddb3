"""What each stage of an artefact says of turns, as arrays of probabilities: what every measurement begins with.

Serving asks the encoder only where the first stage is not sure. Here both are asked about every turn, so that one
reading gives the encoder alone, and the cascade as it serves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.serving import IntentModel
from models.serving.graph import Logits
from models.serving.heads import is_sure
from models.training.calibration import sigmoid, softmax, softmax_beside_none
from models.training.measures import Mask, Matrix
from schemas.conversation import Speaker

Said = tuple[str, str]
"""Who speaks, and the text."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Probabilities, one row a turn. A head that the model lacks is None."""

    intents: Matrix
    """(n, labels); 0 where the turn's speaker cannot carry the label, or the turn has no letter and no digit."""
    sentiment: Matrix | None
    """(n, classes), each row summing to 1."""
    churn_risk: Matrix | None
    """(n, 2): P(at least some) and P(high); the expected risk is their sum. They mean nothing on agents' turns."""

    def but_where(self, mask: Mask, other: "Answers") -> "Answers":
        """These answers, and the other's on the turns of ``mask`` (n,)."""

        def choose(mine: Matrix | None, others: Matrix | None) -> Matrix | None:
            return None if mine is None or others is None else np.where(mask[:, None], others, mine)

        return Answers(
            intents=np.where(mask[:, None], other.intents, self.intents),
            sentiment=choose(self.sentiment, other.sentiment),
            churn_risk=choose(self.churn_risk, other.churn_risk),
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """What the stages say of the same turns."""

    encoder: Answers
    first: Answers | None
    """None: the artefact has no first stage."""
    by_first: Mask
    """(n,), where the first stage is sure enough to answer."""

    @property
    def cascade(self) -> Answers:
        """As it serves: the first stage where it is sure, the encoder elsewhere."""
        return self.encoder if self.first is None else self.encoder.but_where(self.by_first, self.first)


class Stages:
    """A model of which each stage can be asked by itself."""

    def __init__(self, model: IntentModel) -> None:
        self.model = model
        self.manifest = model.manifest
        self.names = tuple(label.name for label in self.manifest.intents.labels) if self.manifest.intents else ()
        """Of the labels, in the order of the columns."""

    def read(self, turns: Sequence[Said]) -> Reading:
        """Ask both stages about every turn, each run by itself."""
        ids = [self.model.token_ids(text) for _, text in turns]
        encoder = self._answers(turns, [self.model.encoder.run(row) for row in ids])
        if self.model.first_stage is None:
            return Reading(encoder, None, np.zeros(len(turns), dtype=bool))
        said = [self.model.first_stage.run(row) for row in ids]
        return Reading(encoder, self._answers(turns, said), self._by_first(turns, said))

    def fires(self, intents: Matrix, *, partial: bool = False) -> Mask:
        """Which labels fire at probabilities (n, labels); of an exclusive head at most the likeliest."""
        head = self.manifest.intents
        if head is None:
            return np.zeros_like(intents, dtype=bool)
        chosen = [label.partial_threshold if partial else label.threshold for label in head.labels]
        at = np.array([np.inf if each is None else each for each in chosen])
        fires = (intents >= at) & (intents > 0)
        if head.exclusive:
            fires &= intents == intents.max(axis=1, keepdims=True)
        return np.asarray(fires)

    def can_carry(self, turns: Sequence[Said]) -> Mask:
        """(n, labels), true where the turn's speaker can carry the label."""
        labels = self.manifest.intents.labels if self.manifest.intents else ()
        carried = [[Speaker(who) in label.speakers for label in labels] for who, _ in turns]
        return np.array(carried, dtype=bool).reshape(len(turns), len(labels))

    def _by_first(self, turns: Sequence[Said], logits: Sequence[Mapping[str, Logits]]) -> Mask:
        head = self.manifest.first_stage
        sure = [
            head is not None and is_sure(said, Speaker(who), head.sure_at)
            for (who, _), said in zip(turns, logits, strict=True)
        ]
        return np.array(sure, dtype=bool)

    def _answers(self, turns: Sequence[Said], logits: Sequence[Mapping[str, Logits]]) -> Answers:
        def stacked(name: str) -> Matrix:
            return np.array([row[name] for row in logits], dtype=np.float64)

        manifest = self.manifest
        intents = np.zeros((len(turns), len(self.names)))
        if manifest.intents is not None and turns:
            raw = stacked("intents")
            says_something = np.array([any(map(str.isalnum, text)) for _, text in turns])
            asked = self.can_carry(turns) & says_something[:, None]
            probabilities = softmax_beside_none(raw) if manifest.intents.exclusive else sigmoid(raw)
            intents = np.where(asked, probabilities.round(4), 0.0)  # rounded before it is held to a threshold
        return Answers(
            intents=intents,
            sentiment=softmax(stacked("sentiment")) if manifest.sentiment and turns else None,
            churn_risk=sigmoid(stacked("churn_risk")) if manifest.churn_risk and turns else None,
        )
