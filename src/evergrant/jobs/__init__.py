"""What happens by itself, and how often."""
