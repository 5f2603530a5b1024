"""Checkpoints of the Hugging Face hub: found, read safely, with their tokenizers; small ones from scratch."""
