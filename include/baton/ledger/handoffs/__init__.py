"""Handoffs and their hops: opened, moved, worked, answered, and counted against whoever has them."""
