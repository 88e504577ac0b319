"""Leads: what was seen of them, the facts read from it, their states, permissions and relations."""
