"""The wire as an OpenAPI document, written by hand from the wire sheet and not from the endpoints, so that they can differ."""
