"""What the learner keeps of one action: the belief that its lessons have led to, and what of it has been published."""

from pydantic import BaseModel, ConfigDict, Field

from guidance.decision.features import FEATURES, FEATURES_REVISION, prior_covariance, prior_mean
from guidance.decision.posterior import Matrix, Vector, observe
from schemas.base import Instant
from schemas.learning import Lesson, Posterior

_NEWS = 100
"""A new version is published once what it learned from has grown by a hundredth. All versions are kept for ever; so
there are about 100 + 100·ln(lessons / 100) of them, not one a lesson, and none is ever more than that far behind."""


class Learned(BaseModel):
    """Immutable; `learn` makes the next one."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    action_id: str
    features_revision: str
    mean: Vector
    covariance: Matrix
    lessons: int = Field(ge=1)
    version: int = 0
    """Of the latest publication; 0: there was none."""
    told: int = 0
    """How many lessons that one had learned from."""
    at: Instant

    def news(self) -> "tuple[Learned, Posterior] | None":
        """The next version, and what is kept once it is published; None: little has changed since the last."""
        if self.lessons - self.told < max(1, self.told // _NEWS):
            return None
        published = self.model_copy(update={"version": self.version + 1, "told": self.lessons})
        posterior = Posterior(
            action_id=published.action_id,
            version=published.version,
            features_revision=published.features_revision,
            mean=published.mean,
            covariance=published.covariance,
            lessons=published.lessons,
            at=published.at,
        )
        return published, posterior


def teaches(lesson: Lesson) -> bool:
    """Whether `lesson` is of the features that are in use."""
    return lesson.features_revision == FEATURES_REVISION and len(lesson.features) == len(FEATURES)


def learn(before: Learned | None, lesson: Lesson, at: Instant) -> Learned:
    """What is known after `lesson`, which reached Kafka `at`.

    `before` None: it is the action's first, and learning begins at the prior that the lesson brings. It begins anew
    where `before` is of other features, too; versions go on counting.

    Raises:
        ValueError: `teaches` says no.
    """
    if before is None or before.features_revision != lesson.features_revision:
        mean, covariance, lessons, told = prior_mean(lesson.prior), prior_covariance(), 0, 0
    else:
        mean, covariance, lessons, told = before.mean, before.covariance, before.lessons, before.told
    mean, covariance = observe(mean, covariance, lesson.features, lesson.reward)
    return Learned(
        action_id=lesson.action_id,
        features_revision=lesson.features_revision,
        mean=mean,
        covariance=covariance,
        lessons=lessons + 1,
        version=0 if before is None else before.version,
        told=told,
        at=at,
    )
