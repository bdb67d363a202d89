"""Figures against the bare limit (`make bench`)."""
