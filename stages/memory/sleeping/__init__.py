"""Sleep: consolidation in small steps, and what it finds out."""
