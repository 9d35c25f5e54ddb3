"""Both colour schemes can be read: the contrasts that tokens.css promises, by WCAG's formula. Needs no browser."""

import re
from itertools import product

import pytest

from guidance.desktop import STATIC

TOKEN = re.compile(r"--([a-z-]+):\s*(#[0-9a-f]{6})")
READ = ("text", "muted", "accent", "amber", "red")
GROUNDS = ("page", "surface", "sunken")
PAIRS = [*product(READ, GROUNDS), ("on-accent", "accent"), ("amber", "amber-soft"), ("red", "red-soft")]


def schemes() -> dict[str, dict[str, str]]:
    light, dark = (STATIC / "tokens.css").read_text().split("prefers-color-scheme: dark")
    return {"light": dict(TOKEN.findall(light)), "dark": dict(TOKEN.findall(dark))}


def luminance(colour: str) -> float:
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_text_can_be_read(scheme: str, ink: str, ground: str) -> None:
    tokens = schemes()[scheme]

    assert contrast(tokens[ink], tokens[ground]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("ground", ["page", "surface"])
def test_controls_can_be_seen(scheme: str, ground: str) -> None:
    tokens = schemes()[scheme]

    assert contrast(tokens["control"], tokens[ground]) >= 3
