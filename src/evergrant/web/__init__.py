"""The doors: HTTP in, pages and JSON out. Nothing is decided here."""
