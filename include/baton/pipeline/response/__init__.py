"""What sales does with a handoff: the response clock, touches, dispositions, conversions."""
