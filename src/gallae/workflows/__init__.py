"""What a command does, as a function: train, compare, predict, submit, audit, clean, demo."""
