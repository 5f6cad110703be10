"""Where sound is in the room, and a beam for each talker."""
