"""The ledger's tables, as SQLAlchemy Core metadata. The migrations must arrive at exactly this.

Conventions: instants are `timestamptz`; money is in cents; points are in thousandths (`milli`);
JSON columns hold no personal data, except those of `person`, the only table that does. Staff
(owners, users) are named by their e-mail address, called a key. Deleting one `person` row forgets
someone.
"""
