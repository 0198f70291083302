"""`python -m coterie.server` and the `coterie` script."""

from coterie.server.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
