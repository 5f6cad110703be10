"""Vectors: how they are stored, and the indexes that find them by meaning."""
