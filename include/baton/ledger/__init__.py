"""The ledger: Baton's own PostgreSQL database, and every SQL statement of the product.

One module a subject. Functions take a connection first and never commit: the caller owns the
transaction, and decides when it ends. Instants are passed in. `tables` holds the schema,
`migrate` brings a database to it, `embedded` runs a PostgreSQL server where there is none.
"""
