"""What version 2 adds for notices: addresses per shop and topic."""

STATEMENTS = ""
