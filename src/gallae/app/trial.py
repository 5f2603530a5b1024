"""`python -m gallae.app.trial FILE`: read a packed upload with little memory; exit 0 if it may be opened."""

from __future__ import annotations

import sys
from contextlib import suppress

from gallae.app.uploads import SECONDS, UNPACKED_MB
from gallae.errors import GallaeError

MEMORY = 3 << 30  # bytes of address space: the libraries take one, the text is held a few times over


def limit() -> None:
    """Limit memory and processor time of this process, where the system can."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def characters(path: str) -> int:
    """Return how many characters the cells of a file hold, read a few rows at a time.

    Raises:
        GallaeError: the reader's own.
    """
    from gallae.data.reading import open_any

    count = 0
    for piece in open_any(path, None, None, rows=64).pieces:
        count += sum(int(piece[name].astype("str").str.len().sum()) for name in piece.columns)
        if count > UNPACKED_MB << 20:
            raise MemoryError
    return count


def main() -> int:
    """Read the file and return 0, 2 for the reader's own complaint, 3 where it is too large."""
    limit()
    try:
        characters(sys.argv[1])
    except MemoryError:
        return 3
    except GallaeError as error:
        if isinstance(error.__cause__, MemoryError):
            return 3
        sys.stderr.write(str(error))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
