"""The only SQL: everything the platform must not forget, in one SQLite file."""
