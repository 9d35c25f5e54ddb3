"""What each treatment of a catalogue says, as the intent model's similarity embedding: made when it is published."""

import base64
from collections.abc import Iterator

from guidance.decision.catalog import Catalog
from guidance.decision.facts import FactDeclaration, Facts, FactType
from models.serving import IntentModel
from schemas.customer import Fact
from schemas.published import TreatmentEmbedding

_PLAUSIBLE: dict[FactType, Fact] = {
    "number": 4,
    "money": 24,
    "text": "standard",
    "flag": True,
    "list": ("fibre", "mobile"),
}
"""What stands for a fact in words whose meaning is compared: the meaning hardly depends on the figure."""


def embed_treatments(catalog: Catalog, model: IntentModel) -> tuple[TreatmentEmbedding, ...]:
    """Each treatment's words, placeholders filled with something plausible, in the order of actions and treatments.

    Comparable with turns that were scored by the very same model: publish them with `model.manifest.revision`.

    Raises:
        ArtifactError: the model has no first stage, which embeds.
    """
    spoken = list(_spoken(catalog))
    embedded = model.embed([words for _, _, words in spoken])
    return tuple(
        TreatmentEmbedding(action_id=action_id, treatment=place, embedding=base64.b64encode(each).decode("ascii"))
        for (action_id, place, _), each in zip(spoken, embedded, strict=True)
    )


def _spoken(catalog: Catalog) -> Iterator[tuple[str, int, str]]:
    """(action id, place of the treatment, its words as an agent might say them)."""
    told = {name: FactDeclaration(fact.type, fact.about) for name, fact in catalog.facts.items()}  # computed ones too
    facts = Facts(told, {name: _PLAUSIBLE[fact.type] for name, fact in told.items()})
    for action in catalog.actions:
        for place, treatment in enumerate(action.treatments):
            words = treatment.words.fill(facts, catalog.currency)
            assert words is not None, "a checked catalogue's words have only facts that it knows"
            yield action.id, place, words
