"""Small charts as SVG, written by hand: no plotting library. Readable on white and on black."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

Point = tuple[float, float]

_WIDTH, _HEIGHT = 640, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 66, 26, 34, 50
_STYLE = """\
  <style>
    text { font: 13px system-ui, sans-serif; fill: #57606a }
    .title { font-weight: 600 }
    .grid { stroke: #8c959f; stroke-opacity: .35 }
    polyline, .bar { fill: none; stroke-width: 2.5; stroke-linejoin: round }
    .faint { stroke-width: 1; stroke-opacity: .45 }
    .c0 { stroke: #0969da } .c1 { stroke: #bc4c00 } .c2 { stroke: #8250df } .c3 { stroke: #1a7f37 }
    circle.c0 { fill: #0969da } circle.c1 { fill: #bc4c00 } circle.c2 { fill: #8250df } circle.c3 { fill: #1a7f37 }
    @media (prefers-color-scheme: dark) {
      text { fill: #9da7b1 }
      .c0 { stroke: #58a6ff } .c1 { stroke: #f0883e } .c2 { stroke: #bc8cff } .c3 { stroke: #56d364 }
      circle.c0 { fill: #58a6ff } circle.c1 { fill: #f0883e } circle.c2 { fill: #bc8cff } circle.c3 { fill: #56d364 }
    }
  </style>"""


@dataclass(frozen=True, slots=True)
class Lines:
    """Curves over one axis, up to four, each under its name."""

    title: str
    below: str
    """What the horizontal axis is."""
    curves: Mapping[str, Sequence[Point]]
    faint: Mapping[str, Sequence[Sequence[Point]]]
    """By a curve's name: what it is the mean of, drawn thinly."""
    percent: bool
    """The vertical axis is a share in [0, 1], and shown whole."""

    @property
    def height(self) -> int:
        return _HEIGHT

    def draw(self, down: int) -> list[str]:
        """The chart's elements, `down` pixels from the top."""
        points = [point for points in self.curves.values() for point in points]
        x = _Scale(0.0, max(at for at, _ in points), _LEFT, _WIDTH - _RIGHT)
        high = 1.0 if self.percent else max(at for _, at in points)
        y = _Scale(0.0, high, down + _HEIGHT - _BOTTOM, down + _TOP)
        lines = [_title(self.title, down)]
        lines += [_text(x(tick), y.start + 19, f"{tick:,.0f}", "middle") for tick in x.ticks()]
        for tick in y.ticks():
            lines.append(_rule(x.start, y(tick), x.end, y(tick)))
            lines.append(_text(x.start - 8, y(tick) + 4, f"{tick:.0%}" if self.percent else f"{tick:,.0f}", "end"))
        lines.append(_text((x.start + x.end) / 2, y.start + 40, self.below, "middle"))
        for number, (name, curve) in enumerate(self.curves.items()):
            lines += [_polyline(each, x, y, f"c{number} faint") for each in self.faint.get(name, ())]
            lines.append(_polyline(curve, x, y, f"c{number}"))
            right, at = curve[-1]
            lines.append(_text(x(right) - 4, y(at) - 7, name, "end"))
        return lines


@dataclass(frozen=True, slots=True)
class Interval:
    """One row: a figure and its interval; the colour is one of four."""

    name: str
    value: float
    low: float
    high: float
    colour: int = 0


@dataclass(frozen=True, slots=True)
class Intervals:
    """Figures with their intervals, one under the other."""

    title: str
    rows: Sequence[Interval]
    percent: bool

    @property
    def height(self) -> int:
        return _TOP + 30 * len(self.rows) + 34

    def draw(self, down: int) -> list[str]:
        """The chart's elements, `down` pixels from the top."""
        low, high = min(0.0, *(row.low for row in self.rows)), max(row.high for row in self.rows)
        x = _Scale(low, high, _LEFT + 124, _WIDTH - _RIGHT - 20)
        bottom = down + self.height - 34
        lines = [_title(self.title, down)]
        for tick in x.ticks():
            lines.append(_rule(x(tick), down + _TOP, x(tick), bottom))
            lines.append(_text(x(tick), bottom + 18, f"{tick:.0%}" if self.percent else f"{tick:,.4g}", "middle"))
        for number, row in enumerate(self.rows):
            at = down + _TOP + 30 * number + 18
            lines += [
                _text(_LEFT + 112, at + 4, row.name, "end"),
                f'  <path class="bar c{row.colour}" d="M{x(row.low):.1f} {at}H{x(row.high):.1f}"/>',
                f'  <circle class="c{row.colour}" cx="{x(row.value):.1f}" cy="{at}" r="4"/>',
            ]
        return lines


def svg(title: str, charts: Sequence[Lines | Intervals]) -> str:
    """The charts under each other, as one SVG."""
    lines: list[str] = []
    down = 0
    for chart in charts:
        lines += chart.draw(down)
        down += chart.height + 12
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {down}" role="img">'
    return "\n".join([head, f"  <title>{escape(title)}</title>", _STYLE, *lines, "</svg>", ""])


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / ((self.high - self.low) or 1.0) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Four to eight round numbers."""
        span = (self.high - self.low) or 1.0
        power = 10.0 ** floor(log10(span))
        step = next(each * power for each in (0.1, 0.2, 0.5, 1.0, 2.0) if span / (each * power) <= 8)
        first, last = ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]


def _title(text: str, down: int) -> str:
    return f'  <text class="title" x="{_LEFT}" y="{down + 20}">{escape(text)}</text>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'  <text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _rule(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'  <line class="grid" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _polyline(points: Sequence[Point], x: _Scale, y: _Scale, css: str) -> str:
    path = " ".join(f"{x(across):.1f},{y(up):.1f}" for across, up in points)
    return f'  <polyline class="{css}" points="{path}"/>'
