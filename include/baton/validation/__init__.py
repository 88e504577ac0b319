"""Judging a batch of leads with Great Expectations; the verdict is an input of the decision."""
