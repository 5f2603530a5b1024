"""Run the READMEs' session and paste what it prints: `python docs/session.py`, with gallae on the PATH."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
SHARED = re.compile(r"```(?:console|python)\n.*?```", re.DOTALL)


def answered(body: str, folder: Path) -> str:
    """Run a console block's commands in `folder` and return it with their output."""
    lines = []
    for command in (line for line in body.splitlines() if line.startswith("$ ")):
        environment = {**os.environ, "GALLAE_CACHE": str(folder / "cache")}
        done = subprocess.run(
            command[2:],
            shell=True,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        lines += [command, *done.stdout.splitlines()]
    return "\n".join(lines)


def main() -> None:
    """Refresh README.md, and copy its blocks into README.ko.md. Blocks over $GALLAE_DATA stay."""
    english, korean = ROOT / "README.md", ROOT / "README.ko.md"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "src").symlink_to(ROOT / "src")

        def filled(match: re.Match[str]) -> str:
            body = match[1]
            return match[0] if "$GALLAE_DATA" in body else f"```console\n{answered(body, folder)}\n```"

        english.write_text(CONSOLE.sub(filled, english.read_text("utf-8")), "utf-8")
    blocks = iter(SHARED.findall(english.read_text("utf-8")))
    korean.write_text(SHARED.sub(lambda _: next(blocks), korean.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
