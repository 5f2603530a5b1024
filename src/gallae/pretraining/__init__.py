"""Pretraining encoders: corpora, rows, objectives, and the engine."""
