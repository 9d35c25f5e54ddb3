"""Coverage against precision as the threshold moves, and a picture of it: SVG written by hand, no plotting library."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

import numpy as np

from models.training.measures import Mask, Matrix, Vector

MOST_POINTS = 120


@dataclass(frozen=True, slots=True)
class Point:
    """At one threshold: the share of turns answered, and the share of the answers that are right."""

    coverage: float
    precision: float


def coverage_precision(confidence: Vector, right: Mask, most: int = MOST_POINTS) -> tuple[Point, ...]:
    """From the surest turn to all of them, at most ``most`` points; both arrays (n,).

    Turns of one confidence are answered together or not at all, because a threshold cannot part them.
    """
    order = np.argsort(-confidence, kind="stable")
    sorted_confidence, hits = confidence[order], np.cumsum(right[order])
    ends = np.flatnonzero(np.append(sorted_confidence[1:] != sorted_confidence[:-1], True))[: len(order)]
    if len(ends) > most:
        ends = ends[np.unique(np.linspace(0, len(ends) - 1, most).round().astype(int))]
    return tuple(Point(float(end + 1) / len(order), float(hits[end]) / float(end + 1)) for end in ends)


def curve_of(confidences: Matrix, holds: Mask) -> tuple[Point, ...]:
    """The curve of answering each turn with its likeliest label alone; both (n, labels)."""
    top = confidences.argmax(axis=1)
    return coverage_precision(confidences.max(axis=1), holds[np.arange(len(holds)), top])


_WIDTH, _HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 26, 18, 50
_STYLE = """\
  <style>
    text { font: 13px system-ui, sans-serif; fill: #57606a }
    .grid { stroke: #8c959f; stroke-opacity: .35 }
    polyline { fill: none; stroke-width: 2.5; stroke-linejoin: round }
    .c0 { stroke: #0969da } .c1 { stroke: #bc4c00 } .c2 { stroke: #8250df }
    @media (prefers-color-scheme: dark) {
      text { fill: #9da7b1 }
      .c0 { stroke: #58a6ff } .c1 { stroke: #f0883e } .c2 { stroke: #bc8cff }
    }
  </style>"""


def draw(curves: Mapping[str, tuple[Point, ...]], title: str) -> str:
    """The curves as one SVG, up to three, each under its name; readable on white and on black.

    The precision axis begins at the tenth under the lowest point, so that what differs can be seen.
    """
    lowest = min(point.precision for points in curves.values() for point in points)
    floor = min(9, int(lowest * 10)) / 10
    step = 0.1 if floor < 0.8 else 0.02

    def x(coverage: float) -> float:
        return _LEFT + coverage * (_WIDTH - _LEFT - _RIGHT)

    def y(precision: float) -> float:
        return _TOP + (1 - precision) / (1 - floor) * (_HEIGHT - _TOP - _BOTTOM)

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        f"  <title>{escape(title)}</title>",
        _STYLE,
    ]
    for tick in np.linspace(0, 1, 6):
        at = x(float(tick))
        lines += [
            f'  <line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{y(1):.1f}" y2="{y(floor):.1f}"/>',
            f'  <text x="{at:.1f}" y="{y(floor) + 19:.1f}" text-anchor="middle">{tick:.0%}</text>',
        ]
    for tick in np.arange(floor, 1 + step / 2, step):
        at = y(float(tick))
        lines += [
            f'  <line class="grid" x1="{x(0):.1f}" x2="{x(1):.1f}" y1="{at:.1f}" y2="{at:.1f}"/>',
            f'  <text x="{_LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{tick:.0%}</text>',
        ]
    middle = (y(1) + y(floor)) / 2
    lines += [
        f'  <text x="{x(0.5):.1f}" y="{_HEIGHT - 8}" text-anchor="middle">share of turns answered</text>',
        f'  <text transform="translate(15 {middle:.1f}) rotate(-90)" text-anchor="middle">answers right</text>',
    ]
    for index, (name, points) in enumerate(curves.items()):
        path = " ".join(f"{x(point.coverage):.1f},{y(point.precision):.1f}" for point in points)
        at = y(floor) - 14 - 20 * (len(curves) - 1 - index)
        lines += [
            f'  <polyline class="c{index}" points="{path}"/>',
            f'  <polyline class="c{index}" points="{x(0) + 12:.1f},{at:.1f} {x(0) + 40:.1f},{at:.1f}"/>',
            f'  <text x="{x(0) + 48:.1f}" y="{at + 4:.1f}">{escape(name)}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])
