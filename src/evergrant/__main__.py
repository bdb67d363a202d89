"""`python -m evergrant` is `evergrant`."""

from evergrant.cli.main import main

if __name__ == "__main__":
    main()
