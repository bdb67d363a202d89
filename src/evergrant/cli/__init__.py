"""The command line: `evergrant <command> --help` shows each with an example."""
