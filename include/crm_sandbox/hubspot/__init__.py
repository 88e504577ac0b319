"""A HubSpot portal: its records, its rules and its HTTP API."""
