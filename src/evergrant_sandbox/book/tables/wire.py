"""What version 2 adds for the signed API."""

STATEMENTS = ""
