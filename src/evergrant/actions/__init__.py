"""What Evergrant does, one verb per module, one line per hop."""
