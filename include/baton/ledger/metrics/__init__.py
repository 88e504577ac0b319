"""The daily figures, and the SQL that makes them."""
