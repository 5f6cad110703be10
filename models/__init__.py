"""Networks and signal algorithms: arrays in, arrays out."""
