"""What business people publish to running workers: catalogues (`guidance.catalogs.v1`) and levers
(`guidance.levers.v1`). Both topics are compacted, keyed id@version, and every version is kept."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from schemas.base import Contract, Id, Instant

Multiplier = Annotated[float, Field(gt=0.0, le=10.0)]


class TreatmentEmbedding(Contract):
    """What one treatment says, as the intent model's similarity embedding."""

    action_id: Id
    treatment: int = Field(ge=0)
    """Its place among the action's treatments, from 0."""
    embedding: str
    """As `Scores.embedding`: base64 of int8, of a unit vector."""


class PublishedCatalog(Contract):
    """A catalogue in force from the moment it is the last one published; rollback publishes an older one again."""

    type: Literal["catalog"] = "catalog"
    version: Id
    """id@revision, where the revision comes from the text."""
    text: str
    """The YAML, as it was checked."""
    embeddings: tuple[TreatmentEmbedding, ...] = ()
    model_revision: Id | None = None
    """Of the model that made `embeddings`; they are compared only with turns of that revision. None: there are none."""
    published_at: Instant
    published_by: Id
    note: str | None = Field(default=None, max_length=500)
    """Why, in the publisher's words."""


CATALOG: TypeAdapter[PublishedCatalog] = TypeAdapter(PublishedCatalog)
"""What `guidance.catalogs.v1` carries."""


class PublishedLevers(Contract):
    """What supervisors want more or less of, just now; in force from the moment it is the last one published."""

    type: Literal["levers"] = "levers"
    version: Id
    """id@revision."""
    by_action: dict[Id, Multiplier] = Field(default_factory=dict)
    """Multiplies the action's own lever. What is not named is 1."""
    by_kind: dict[Id, Multiplier] = Field(default_factory=dict)
    by_metric: dict[Literal["retention", "revenue", "cost", "satisfaction", "compliance"], Multiplier] = Field(
        default_factory=dict
    )
    """How much each business metric counts."""
    set_at: Instant
    set_by: Id
    note: str | None = Field(default=None, max_length=500)


LEVERS: TypeAdapter[PublishedLevers] = TypeAdapter(PublishedLevers)
"""What `guidance.levers.v1` carries."""
