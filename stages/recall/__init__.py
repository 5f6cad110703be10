"""From a question to what is worth telling."""
