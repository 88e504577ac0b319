"""From observing to live, step by step: modes, comparison, held batches, backfills."""
