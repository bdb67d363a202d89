"""One authorization's whole life against the sandbox, told promise by promise."""
