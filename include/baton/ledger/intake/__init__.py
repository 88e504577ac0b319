"""What comes in of leads: they are created, compared with what is known, and merged."""
