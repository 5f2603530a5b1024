"""gallae (갈래): a Korean-first workbench for text classification."""
