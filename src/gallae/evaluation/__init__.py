"""Figures, intervals, tests between models, plots and pages about predictions."""
