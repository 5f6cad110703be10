"""Granules: spans, lines, events, episodes and days, and the keys by which they are found."""
