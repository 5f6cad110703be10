"""The steps that a graph is made of, one a file."""
