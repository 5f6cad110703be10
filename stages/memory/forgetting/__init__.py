"""Forgetting by itself: strength, what recalls restore, and what fades or takes less room with age."""
