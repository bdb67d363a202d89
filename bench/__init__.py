"""Figures against the bare limit (`make bench`): what is compared is measured in turns, so that a busy machine slows both alike."""
