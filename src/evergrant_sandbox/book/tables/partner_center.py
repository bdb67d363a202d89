"""What version 2 adds for Partner Center: developers, reviews, test accounts."""

STATEMENTS = ""
