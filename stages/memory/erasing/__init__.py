"""Forgetting on purpose: a plan, its rows, events and files, and the proof."""
