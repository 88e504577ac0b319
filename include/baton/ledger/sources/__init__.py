"""What is read from outside: how far, and what of Salesforce is kept for reference."""
