"""The control room: the sandbox's own pages, which the platform does not have."""
