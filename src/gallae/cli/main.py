"""`gallae`: its commands, and how mistakes are answered."""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Sequence
from typing import Any

import typer

from gallae.errors import GallaeError

# Typer carries its own copy of click, or uses the installed one, by version.
ClickException: Any = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")

app = typer.Typer(
    name="gallae",
    help="갈래: Korean-first text classification. Labelled text in, the best classifier out, with the proof.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def version(value: bool) -> None:
    """Print the version."""
    if value:
        from gallae import __version__

        typer.echo(f"gallae {__version__}")
        raise typer.Exit


@app.callback()
def options(
    show: bool = typer.Option(False, "--version", callback=version, is_eager=True, help="Print the version."),
) -> None:
    """갈래: Korean-first text classification. Labelled text in, the best classifier out, with the proof."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit: 0, 2 for a mistake of the user's, 130 for Ctrl-C."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    from gallae.cli import commands  # noqa: F401 - registers them

    try:
        result = app(args=list(arguments) if arguments is not None else None, standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except typer.Exit as stop:
        return int(stop.exit_code)
    except ClickException as mistake:
        mistake.show()
        return 2
    except (KeyboardInterrupt, typer.Abort):
        return _say("stopped.", 130)
    except SystemExit as stop:  # some versions of Typer answer Ctrl-C themselves, without a word
        return _say("stopped.", 130) if stop.code == 130 else int(stop.code or 0)
    except BrokenPipeError:
        # The reader of our output has gone, as in `gallae predict ... | head`: nothing to complain about.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except GallaeError as error:
        return _say(str(error), 2)
    except MemoryError:
        return _say("out of memory. Use a recipe with hashing, such as -r hashing, or fewer rows.", 2)
    except OSError as error:
        return _say(_os_message(error), 2)


def _say(message: str, code: int) -> int:
    logging.getLogger("gallae").debug("traceback", exc_info=True)
    sys.stderr.write(f"gallae: {message}\n")
    return code


def _os_message(error: OSError) -> str:
    where = f" ({error.filename})" if error.filename else ""
    if error.errno == errno.ENOSPC:
        return f"the disk is full{where}. Nothing was half-written; free some space and run it again."
    return f"{error.strerror or error}{where}."
