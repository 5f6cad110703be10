"""Whether a memory is whole, and putting in order what can be derived."""
