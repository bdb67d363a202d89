"""A small client for vendors' own code: fresh tokens, link sessions, connections."""
