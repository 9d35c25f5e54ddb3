"""Levers as supervisors set them: within the bounds that the catalogue gives, one setting on top of the last."""

from collections.abc import Collection, Iterator, Mapping

from pydantic import Field

from guidance.decision.arbitration import Levers
from guidance.decision.business_intent import METRICS
from guidance.decision.catalog import Bounds, Catalog
from schemas.base import Contract
from schemas.guidance import ActionKind
from schemas.published import PublishedLevers

NEUTRAL = 1.0


class Settings(Contract):
    """What is set, by what it is set for; what is neutral is not named."""

    by_action: dict[str, float] = Field(default_factory=dict)
    by_kind: dict[str, float] = Field(default_factory=dict)
    by_metric: dict[str, float] = Field(default_factory=dict)

    def changed(self, on_top: "Settings") -> "Settings":
        """These with others on top; one set to 1 is neutral again."""
        return Settings(
            by_action=_on_top(self.by_action, on_top.by_action),
            by_kind=_on_top(self.by_kind, on_top.by_kind),
            by_metric=_on_top(self.by_metric, on_top.by_metric),
        )


def settings_of(published: PublishedLevers | None) -> Settings:
    """What was published; None: nothing ever was."""
    if published is None:
        return Settings()
    by_metric = {str(metric): value for metric, value in published.by_metric.items()}
    return Settings(by_action=published.by_action, by_kind=published.by_kind, by_metric=by_metric)


def levers_of(published: PublishedLevers) -> Levers:
    """As decisions take them."""
    settings = settings_of(published)
    return Levers(published.version, settings.by_action, settings.by_kind, settings.by_metric)


def mistakes(settings: Settings, catalog: Catalog) -> list[str]:
    """Why `settings` cannot be used with `catalog`, each with how to mend it; empty: they can."""
    return list(_mistakes(settings, catalog))


def _mistakes(settings: Settings, catalog: Catalog) -> Iterator[str]:
    bounds = catalog.levers
    kinds = {kind.value: limits for kind, limits in bounds.by_kind.items()}
    metrics = {str(metric): limits for metric, limits in bounds.by_metric.items()}
    known: dict[str, tuple[Mapping[str, float], Collection[str], Mapping[str, Bounds]]] = {
        "action": (settings.by_action, sorted(catalog.by_id), bounds.by_action),
        "kind": (settings.by_kind, [kind.value for kind in ActionKind], kinds),
        "metric": (settings.by_metric, METRICS, metrics),
    }
    for what, (values, names, own) in known.items():
        for name, value in values.items():
            least, most = own.get(name, bounds.any)
            if name not in names:
                yield f"no {what} is called “{name}”; there are {', '.join(names)}"
            elif not least <= value <= most:
                yield f"{what} {name}={value:g} is out of bounds: {catalog.id} allows {least:g} to {most:g}"


def _on_top(of: Mapping[str, float], others: Mapping[str, float]) -> dict[str, float]:
    return dict(sorted((name, value) for name, value in {**of, **others}.items() if value != NEUTRAL))
