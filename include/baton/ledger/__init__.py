"""The ledger: Baton's own PostgreSQL database, and every SQL statement of the product.

A room for each subject, in it one module a question. Functions take a connection first and never
commit: the caller owns the transaction, and decides when it ends. Instants are passed in. `tables`
holds the schema, `database` opens a database and brings it to the schema.
"""
