"""What people declare that they followed, and when they were away."""
