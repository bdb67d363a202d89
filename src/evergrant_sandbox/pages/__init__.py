"""The person's side of the platform: consent, sign-in and the sandbox's own front page."""
