"""What comes in: changed contacts, references, accounts, answers and what is known of them before deciding."""
