"""Distillation: what a large model knows, taught to a small one."""
