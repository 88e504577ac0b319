"""A Salesforce org in memory, and the REST API that serves it."""
