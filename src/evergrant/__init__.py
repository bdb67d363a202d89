"""The hub: keeps each seller's authorization alive, and everything that rests on it in step."""

__version__ = "0.1.0"
