"""What the platform sends by itself: the agenda of what falls due, and the courier that delivers notices."""
