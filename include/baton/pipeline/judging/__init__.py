"""Deciding and what follows: decisions recorded with their plans, handoffs that move to somebody else."""
