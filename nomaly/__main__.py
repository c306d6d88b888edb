"""`python -m nomaly`, the same as `nomaly`."""

from app.cli import main

if __name__ == "__main__":
    main()
