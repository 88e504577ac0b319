"""Who gets a lead: the ladder of reasons, and fair distribution within a pool."""
