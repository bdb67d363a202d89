"""The machine's side of the platform: the token host and the signed API."""
