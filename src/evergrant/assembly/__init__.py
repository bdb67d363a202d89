"""Puts the parts together: the one place that reads the clock, throws dice, opens the vault and knows every implementation."""
