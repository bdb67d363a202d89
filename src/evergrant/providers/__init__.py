"""The platform's dialects, pure: a request out, a reply read. Nothing is sent from here."""
