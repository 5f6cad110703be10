"""Who spoke: speakers, talkers on one microphone, and the names that people give."""
