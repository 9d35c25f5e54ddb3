"""The learning curve and the regret, as a picture."""

from collections.abc import Callable, Sequence

import numpy as np

from deploy.charts import Lines, Point, svg
from deploy.sim.trial import Trial, Vector

_WINDOW = 500
_NAMES: dict[str, Callable[[Trial], Vector]] = {
    "learned": lambda trial: trial.learned,
    "fixed rule": lambda trial: trial.fixed,
    "random": lambda trial: trial.random,
}


def picture(trials: Sequence[Trial]) -> str:
    """Share of oracle acceptance, and cumulative regret, over the decisions; thick the mean, thin each world."""
    kept = min(len(each.learned) for each in trials)
    window = min(_WINDOW, max(1, kept // 10))
    ends = np.arange(window, kept + 1, window)

    def shares(of: Callable[[Trial], Vector]) -> list[list[Point]]:
        return [
            [
                (float(end), float(of(each)[end - window : end].sum() / each.oracle[end - window : end].sum()))
                for end in ends
            ]
            for each in trials
        ]

    def regrets(of: Callable[[Trial], Vector]) -> list[list[Point]]:
        return [
            [(0.0, 0.0), *((float(end), float(regret[end - 1])) for end in ends)]
            for regret in (each.regret(of(each)) for each in trials)
        ]

    def chart(title: str, curves: dict[str, list[list[Point]]], *, percent: bool) -> Lines:
        return Lines(
            title=title,
            below="decisions outside the control group",
            curves={name: _mean(each) for name, each in curves.items()},
            faint={"learned": curves["learned"]},
            percent=percent,
        )

    return svg(
        "Learning in made-up worlds, against who knows the truth",
        [
            chart("Share of oracle acceptance", {name: shares(of) for name, of in _NAMES.items()}, percent=True),
            chart("Acceptances lost to the oracle", {name: regrets(of) for name, of in _NAMES.items()}, percent=False),
        ],
    )


def _mean(curves: Sequence[Sequence[Point]]) -> list[Point]:
    mean = np.array(curves).mean(axis=0)
    return [(float(across), float(up)) for across, up in mean]
