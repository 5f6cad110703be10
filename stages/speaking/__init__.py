"""Answers aloud: voices, and what plays them."""
