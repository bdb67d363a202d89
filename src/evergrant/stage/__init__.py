"""A whole Evergrant on this machine, for demo, tour and tests: PostgreSQL, sandbox, hub and worker, started together."""
