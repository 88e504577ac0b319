"""Telling people: Slack messages and the card that a rep reads."""
