"""Working time: when somebody works, and what that makes of a deadline."""
