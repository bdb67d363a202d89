"""Faults: the hub's programs killed, frozen and cut off on purpose, and what must hold of it counted."""
