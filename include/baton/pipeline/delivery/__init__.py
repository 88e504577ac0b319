"""The way out: the one drain of the outbox, and a carrier for each kind of effect."""
