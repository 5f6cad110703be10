"""What was heard besides speech."""
