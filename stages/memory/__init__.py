"""The stores, and what is written into them."""
