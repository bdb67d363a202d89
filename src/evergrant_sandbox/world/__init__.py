"""What exists on the platform and by which rules it lives: pure values, time and dice are arguments."""
