"""Rates and days of calls that all processes share."""
