"""`python -m gallae`."""

from gallae.cli import main

if __name__ == "__main__":
    main()
