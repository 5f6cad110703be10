"""Questions that are asked aloud in the room, and their answers."""
