"""What version 2 adds for Seller Center: what its people may do, incidents."""

STATEMENTS = ""
