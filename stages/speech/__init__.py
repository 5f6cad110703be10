"""When somebody speaks, and what they say."""
