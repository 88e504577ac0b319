"""The database itself: engines, the embedded server, migrations, and how values travel to it."""
