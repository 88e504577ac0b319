"""What marketing and sales agreed: policies, rosters, and whose turn it is in each pool."""
