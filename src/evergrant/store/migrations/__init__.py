"""The schema's history, kept by Alembic: plain SQL, each step named before or after the code it belongs to."""
