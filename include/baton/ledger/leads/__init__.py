"""Leads: who they are, what they said, what happened to them, and what they wait for."""
