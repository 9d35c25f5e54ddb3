"""Coverage against precision, and the picture of it."""

from xml.etree import ElementTree

import numpy as np
import pytest

from models.training.report.curve import Point, coverage_precision, curve_of, draw


def test_the_surest_turns_come_first() -> None:
    points = coverage_precision(np.array([0.5, 0.9, 0.8, 0.1]), np.array([True, True, False, False]))

    assert points == (Point(0.25, 1.0), Point(0.5, 0.5), Point(0.75, 2 / 3), Point(1.0, 0.5))


def test_turns_of_one_confidence_are_answered_together() -> None:
    points = coverage_precision(np.array([0.9, 0.5, 0.5, 0.5]), np.array([True, True, False, False]))

    assert points == (Point(0.25, 1.0), Point(1.0, 0.5))


def test_long_curves_are_thinned_out_and_keep_their_ends() -> None:
    confidence = np.linspace(1, 0, 1000)

    points = coverage_precision(confidence, confidence > 0.5, most=50)

    assert len(points) <= 50
    assert points[0] == Point(0.001, 1.0)
    assert points[-1] == Point(1.0, pytest.approx(0.5))


def test_a_turn_is_answered_with_its_likeliest_label() -> None:
    confidences = np.array([[0.9, 0.2], [0.3, 0.6]])
    holds = np.array([[True, False], [True, False]])

    assert curve_of(confidences, holds) == (Point(0.5, 1.0), Point(1.0, 0.5))


def test_the_picture_is_an_svg_with_a_line_a_curve() -> None:
    curves = {"ours": (Point(0.1, 1.0), Point(1.0, 0.8)), "theirs": (Point(0.1, 0.9), Point(1.0, 0.5))}

    picture = draw(curves, "Coverage & precision")

    root = ElementTree.fromstring(picture)
    drawn = [each for each in root.iter() if each.tag.endswith("polyline")]
    told = ["".join(each.itertext()) for each in root.iter() if each.tag.endswith("text")]
    assert len(drawn) == 4, "a line and its key for each curve"
    assert {"ours", "theirs", "50%", "100%"} <= set(told)
    (begin, end), _ = (each.attrib["points"].split() for each in (drawn[0], drawn[2]))
    assert float(begin.split(",")[0]) < float(end.split(",")[0]), "coverage goes to the right"
    assert float(begin.split(",")[1]) < float(end.split(",")[1]), "precision goes up"
    assert "prefers-color-scheme: dark" in picture
