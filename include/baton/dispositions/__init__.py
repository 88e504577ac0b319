"""Reason codes and what follows from each."""
