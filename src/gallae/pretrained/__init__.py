"""Checkpoints of the Hugging Face hub: finding, reading safely, their tokenizers, and small ones from scratch."""
