"""The dataflow core: packets, stages, graphs, and what runs them."""
