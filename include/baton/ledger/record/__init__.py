"""What is recorded once and never changed: batches, decisions, changes of state, acts by hand."""
