"""Links between events."""
