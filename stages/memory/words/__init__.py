"""Search by words, now and as of a moment."""
