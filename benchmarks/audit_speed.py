"""How long do the audit and the search for near duplicates take on the YNAT headlines?"""

from __future__ import annotations

import tempfile
from pathlib import Path

from common import GALLAE, YNAT, YNAT_TEST, command, data, read, start, table, timed


def main() -> None:
    file, test = data(YNAT), data(YNAT_TEST)
    corpus = read(YNAT)
    start("Audit", f"YNAT, {len(corpus):,} headlines, against the 9,131 of its test file")
    rows = []
    with tempfile.TemporaryDirectory() as name:
        cache = str(Path(name, "cache"))
        arguments = [GALLAE, "audit", str(file), "--against", str(test), "--quiet", "--force"]
        arguments += ["-o", str(Path(name, "audit.html"))]
        for title in ("`gallae audit`, cold morpheme cache", "`gallae audit`, warm"):
            seconds, peak, _ = command(arguments, GALLAE_CACHE=cache)
            rows.append([title, f"{seconds:.1f}", f"{peak:,.0f}", ""])
    from gallae.data import near_duplicates

    seconds, groups = timed(lambda: near_duplicates(corpus.texts))
    found = len(groups) - len(set(groups.tolist()))
    rows.append(["near duplicates alone", f"{seconds:.1f}", "", f"{found:,} rows repeat another"])
    table(rows, ["", "seconds", "peak MB", "found"])


if __name__ == "__main__":
    main()
