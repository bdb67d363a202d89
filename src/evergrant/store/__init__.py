"""The only SQL: every method is one transaction, named by what it keeps or finds."""
