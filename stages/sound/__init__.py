"""Where a stream ends outside the memory."""
