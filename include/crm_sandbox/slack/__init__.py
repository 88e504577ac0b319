"""A Slack workspace: its people, channels and messages, and its Web API."""
