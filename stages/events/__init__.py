"""Where one event ends and the next begins."""
