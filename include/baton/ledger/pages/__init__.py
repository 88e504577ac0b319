"""What the pages ask, one module a page: bounded, by key, each with its index."""
