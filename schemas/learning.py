"""What becomes of decisions, as the learner sees it: lessons in (`guidance.lessons.v1`), posteriors out
(`guidance.propensities.v1`)."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from schemas.base import Contract, Id, Instant, Probability

Feature = Annotated[float, Field(ge=-10.0, le=10.0)]


class Lesson(Contract):
    """A decision and what came of the action it chose: one a decision, once its outcome is known or is not to come."""

    type: Literal["lesson"] = "lesson"
    decision_id: Id
    action_id: Id
    features: tuple[Feature, ...]
    """What was known when it was decided, in the order of `features_revision`."""
    features_revision: Id
    """Which features these are: lessons of another revision teach nothing."""
    prior: Annotated[float, Field(gt=0.0, lt=1.0)]
    """What the catalogue held of the action at that time: where learning of a new action begins."""
    selection_probability: Probability
    """How likely it was that this action was chosen, of all that could have been."""
    reward: Probability
    """1 accepted, 0 not."""
    settled_by: Literal["business", "customer", "agent", "expiry", "silence"]
    """Who or what said how it ended: the strongest word wins, in this order."""
    value: float | None = None
    """What it brought, in the catalogue's currency; None where nobody told."""
    group: Literal["guided", "control"] | None
    """None: the conversation began anonymous, and is left out of lift."""
    decided_at: Instant
    settled_at: Instant


LESSON: TypeAdapter[Lesson] = TypeAdapter(Lesson)
"""What `guidance.lessons.v1` carries."""


class Posterior(Contract):
    """What is known of one action's acceptance: a Gaussian over the weights of a logistic model."""

    type: Literal["posterior"] = "posterior"
    action_id: Id
    version: int = Field(ge=1)
    """Counts upwards; the topic's key is `action_id@version`, so that all versions are kept."""
    features_revision: Id
    mean: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    """Symmetric, positive definite, as many rows as `mean` has numbers."""
    lessons: int = Field(ge=0)
    """How many lessons it has learned from."""
    at: Instant
    """When its latest lesson reached Kafka."""


POSTERIOR: TypeAdapter[Posterior] = TypeAdapter(Posterior)
"""What `guidance.propensities.v1` carries."""
