"""Steering, JSON, loopback only, under /_sandbox/: what a test or a demo does to the platform."""
