"""`gallae`: its commands, and how mistakes are answered."""

from __future__ import annotations

import errno
import io
import logging
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

import typer
import typer.core

from gallae.errors import GallaeError

# Typer carries its own copy of click, or uses the installed one, by version.
ClickException: Any = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")


ORDER = (
    *("demo", "audit", "clean", "train", "compare", "ensemble", "search", "lr-find"),
    *("evaluate", "predict", "explain", "review", "submit", "export", "recipes", "vectors", "tokenizer"),
    *("pretrain", "distill", "embed", "tokens", "fill-mask", "languages", "sentences", "tasks"),
    *("serve", "app"),
)


class _Stopped(Exception):
    """Ctrl-C."""


class _ReaderGone(Exception):
    """The reader of our output has gone, as in `gallae predict ... | head`."""


class _Commands(typer.core.TyperGroup):
    """The commands; Ctrl-C and a closed pipe are told to `run`, before Typer answers them in its own way."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names in the order in which one meets the commands."""
        names = super().list_commands(ctx)
        return sorted(names, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            raise _Stopped from stop
        except BrokenPipeError as error:
            raise _ReaderGone from error


app = typer.Typer(
    name="gallae",
    cls=_Commands,
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
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # no terminal is too old to be answered
            stream.reconfigure(errors="backslashreplace")
    # A plain kill would leave temporary files; an exit cleans up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
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
    except (KeyboardInterrupt, _Stopped, typer.Abort):
        return _say("stopped.", 130)
    except (BrokenPipeError, _ReaderGone):  # nothing to complain about; and none at exit either
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
