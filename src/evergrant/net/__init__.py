"""The only sockets outward."""
