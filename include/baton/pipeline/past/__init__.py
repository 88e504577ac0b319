"""Looking back: why a decision came out so, whether it does so again, and what another policy would have done."""
