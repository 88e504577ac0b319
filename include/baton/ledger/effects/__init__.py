"""The outbox and what it did: effects, their outcomes, what is held back, and what we wrote."""
