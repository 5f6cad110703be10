"""The bytes that a memory takes, and what leaves to keep its bounds."""
