"""Measuring a model and telling of it: what `livecue model report` runs, and the model card made of it."""

from models.training.report.card import render
from models.training.report.measuring import Measured, measure
from models.training.report.record import Report, read_explanations, read_report, write_report

__all__ = ["Measured", "Report", "measure", "read_explanations", "read_report", "render", "write_report"]
