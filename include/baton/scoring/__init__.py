"""The score: points with their reasons, bands, and triggers."""
