"""What an audit found, in plain language: what is wrong, how much, where, and what to do next."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from gallae.workflows.showing import one_line, percent, row_list, short_source

Say = Mapping[str, str]
Finding = dict[str, Any]
_ONE = re.compile(r"(?<![\d.,])1 (group|row)s\b")

LEVELS = ("problem", "warning", "note")
FEW = 20  # rows a label
UNBALANCED = 3.0  # largest label over smallest
SHIFTED = 0.1  # total variation between two label distributions
BLEMISH = 0.001  # share of rows, below which a defect is a blemish
NEAR_SHARE = 0.01  # of rows, from which near duplicates are worth a warning


def find(result: Mapping[str, Any], say: Say) -> list[Finding]:
    """Return the findings, the gravest first.

    Args:
        result: What `audit` measured.
        say: Phrases of `audit_wording`.

    Returns:
        {"level": "problem", "warning" or "note", "kind", "count", "share" (of rows, None where it makes
        no sense), "rows": the first ten, "text": a sentence or two}.
    """
    found = [finding for look in _LOOKS for finding in look(result, say)]
    found.sort(key=lambda finding: LEVELS.index(finding["level"]))
    return found


def _finding(
    level: str,
    kind: str,
    text: str,
    count: int = 0,
    share: float | None = None,
    rows: Sequence[int] = (),
) -> Finding:
    text = _ONE.sub(r"1 \1", text)
    return {"level": level, "kind": kind, "count": count, "share": share, "rows": list(rows), "text": text}


def _where(rows: Sequence[int], count: int, say: Say) -> str:
    return say["row" if count == 1 else "rows"].format(row_list(rows, count, say["more"]))


def _of_rows(result: Mapping[str, Any], count: int) -> float:
    return float(count / max(1, result["rows"]))


def _texts(result: Mapping[str, Any], say: Say) -> Iterator[Finding]:
    blank = result["blank"]
    count = blank["count"]
    if count:
        kind = "all_blank" if count == result["rows"] else "blank"
        text = say[kind].format(count=f"{count:,}", where=_where(blank["rows"], count, say))
        yield _finding("problem", "blank", text, count, _of_rows(result, count), blank["rows"])
    damaged = result["damaged"]
    count = damaged["rows"]
    if count:
        kinds = ", ".join(say[kind].format(f"{n:,}") for kind, n in sorted(damaged["kinds"].items()))
        rows = [example["row"] for example in damaged["examples"]]
        share = _of_rows(result, count)
        text = say["damaged"].format(
            count=f"{count:,}", share=percent(share), kinds=kinds, where=_where(rows, count, say)
        )
        mild = set(damaged["kinds"]) == {"control"} or share < BLEMISH
        level = "warning" if mild else "problem"
        yield _finding(level, "damaged", text, count, share, rows)
    if blank["count"] < result["rows"] and result["scripts"]["hangul"]["texts"] < 0.5:
        share = result["scripts"]["hangul"]["texts"]
        yield _finding(
            "warning", "little_hangul", say["little_hangul"].format(share=percent(share)), share=share
        )
    signs = result["signs_only"]
    if signs["count"] and signs["examples"]:
        share = _of_rows(result, signs["count"])
        text = say["signs_only"].format(
            count=f"{signs['count']:,}",
            where=_where(signs["rows"], signs["count"], say),
            example=one_line(signs["examples"][0], 30),
        )
        level = "warning" if share >= BLEMISH else "note"
        yield _finding(level, "signs_only", text, signs["count"], share, signs["rows"])


def _repeats(result: Mapping[str, Any], say: Say) -> Iterator[Finding]:
    kinds = result["duplicates"]
    exact, near = kinds["exact"], kinds["near"]
    count, share = exact["rows"], exact["share"]
    if count:
        where = _where(exact["first_rows"], count, say)
        text = say["exact"].format(count=f"{count:,}", share=percent(share), where=where)
        level = "warning" if share >= BLEMISH else "note"
        yield _finding(level, "exact", text, count, share, exact["first_rows"])
    count, share = near["rows"], near["share"]
    if count > exact["rows"]:
        text = say["near"].format(
            count=f"{count:,}",
            share=percent(share),
            where=_where(near["first_rows"], count, say),
            straddling=percent(kinds["expected_straddling"]),
        )
        level = "warning" if share >= NEAR_SHARE else "note"
        yield _finding(level, "near", text, count, share, near["first_rows"])
    twice = result["repeated_index"]
    if twice["count"]:
        text = say["repeated_index"].format(
            count=f"{twice['count']:,}",
            example=one_line(str(twice["examples"][0]), 30) if twice["examples"] else "",
            where=_where(twice["rows"], twice["count"], say),
        )
        yield _finding("warning", "repeated_index", text, twice["count"], rows=twice["rows"])


def _contradictions(result: Mapping[str, Any], say: Say) -> Iterator[Finding]:
    if "conflicts" not in result:
        return
    multilabel = result["labels"]["multilabel"]
    for kind, level in (("conflicts", "problem"), ("near_conflicts", "warning")):
        torn = result[kind]
        if torn["texts"]:
            phrase = say["conflicts_multi" if multilabel and kind == "conflicts" else kind]
            share = _of_rows(result, torn["rows"])
            text = phrase.format(
                texts=f"{torn['texts']:,}",
                rows=f"{torn['rows']:,}",
                outvoted=f"{torn['outvoted']:,}",
                share=percent(share),
                where=_where(torn["first_rows"], torn["rows"], say),
            )
            yield _finding(level, kind, text, torn["texts"], share, torn["first_rows"])


def _labels(result: Mapping[str, Any], say: Say) -> Iterator[Finding]:
    if "labels" not in result:
        yield _finding("note", "no_labels", say["no_labels"])
        return
    balance = result["labels"]
    counts = balance["counts"]
    seen = {name: count for name, count in counts.items() if count}
    if not balance["multilabel"] and len(seen) == 1:
        name = next(iter(seen))
        yield _finding("problem", "one_label", say["one_label"].format(label=name), result["rows"], 1.0)
        return
    missing = [name for name, count in counts.items() if not count]
    if missing:
        yield _finding(
            "warning", "no_rows_label", say["no_rows_label"].format(labels=_names(missing)), len(missing)
        )
    small = sorted((name for name in seen if seen[name] < FEW), key=lambda name: seen[name])
    if small:
        shown = _names([f"{name} ({seen[name]})" for name in small])
        level = "problem" if seen[small[0]] < 2 else "warning"
        text = say["small_labels"].format(least=FEW, labels=shown)
        yield _finding(level, "small_labels", text, len(small))
    if balance["imbalance"] >= UNBALANCED:
        most, fewest = max(seen, key=lambda name: seen[name]), min(seen, key=lambda name: seen[name])
        text = say["imbalance"].format(
            most=most, high=f"{seen[most]:,}", fewest=fewest, low=f"{seen[fewest]:,}",
            ratio=f"{balance['imbalance']:.1f}",
        )  # fmt: skip
        yield _finding("warning", "imbalance", text, seen[most])
    if balance.get("none"):
        share = _of_rows(result, balance["none"])
        text = say["unlabelled_rows"].format(count=f"{balance['none']:,}", share=percent(share))
        yield _finding("note", "unlabelled_rows", text, balance["none"], share)


def _names(names: Sequence[str], most: int = 10) -> str:
    return ", ".join(names[:most]) + (f", ... ({len(names)})" if len(names) > most else "")


def _other(result: Mapping[str, Any], say: Say) -> Iterator[Finding]:
    if "overlap" not in result:
        return
    overlap = result["overlap"]
    against, there = short_source(overlap["against"]), overlap["there"]
    if not there["near"]:
        yield _finding("note", "no_overlap", say["no_overlap"].format(against=against))
    else:
        text = say["overlap"].format(
            count=f"{there['near']:,}", total=f"{overlap['rows']:,}", against=against,
            share=percent(there["near_share"]), exact=f"{there['exact']:,}",
            where=_where(overlap["there_rows"], there["near"], say),
        )  # fmt: skip
        level = "problem" if there["near_share"] >= NEAR_SHARE else "warning"
        yield _finding(level, "overlap", text, there["near"], there["near_share"], overlap["there_rows"])
    differ = overlap["labels_differ"]
    if differ and differ["count"]:
        where = _where(differ["rows"], differ["count"], say)
        text = say["labels_differ"].format(count=f"{differ['count']:,}", against=against, where=where)
        yield _finding("warning", "labels_differ", text, differ["count"], rows=differ["rows"])
    if "labels" in overlap:
        yield from _shift(result, say)


def _shift(result: Mapping[str, Any], say: Say) -> Iterator[Finding]:
    shift, against = result["overlap"]["labels"], short_source(result["overlap"]["against"])
    if shift["unknown"]:
        text = say["unknown_labels"].format(against=against, labels=_names(shift["unknown"]))
        yield _finding("problem", "unknown_labels", text, len(shift["unknown"]))
    if shift["distance"] >= SHIFTED:
        here, there = result["labels"]["shares"], shift["shares"]
        names = list(dict.fromkeys([*here, *there]))
        label = max(names, key=lambda name: abs(here.get(name, 0.0) - there.get(name, 0.0)))
        text = say["label_shift"].format(
            against=against,
            label=label,
            here=percent(here.get(label, 0.0)),
            there=percent(there.get(label, 0.0)),
        )
        yield _finding("warning", "label_shift", text)


def _markup(result: Mapping[str, Any], say: Say) -> Iterator[Finding]:
    changes = {change["step"]: change for change in result["cleaning"]}
    for step, kind in (("html", "html"), ("nfc", "nfc"), ("control", "control_step")):
        change = changes.get(step)
        if change and change["changed"]:
            share = change["share"]
            text = say[kind].format(count=f"{change['changed']:,}", share=percent(share))
            yield _finding("note", step, text, change["changed"], share)


def _background(result: Mapping[str, Any], say: Say) -> Iterator[Finding]:
    share = result["scripts"]["hanja"]["texts"]
    if share >= 0.01:
        yield _finding("note", "hanja", say["hanja"].format(share=percent(share)), share=share)
    long = result["morphemes"]["longer_than_512"]
    if long:
        share = _of_rows(result, long)
        text = say["long"].format(count=f"{long:,}", share=percent(share))
        yield _finding("note", "long", text, long, share)
    vocabulary = result["vocabulary"]
    if vocabulary["words"]:
        text = say["rare"].format(
            words=f"{vocabulary['words']:,}",
            once=percent(vocabulary["once_share"]),
            occurrences=percent(vocabulary["once_occurrences"]),
            ninety_five=f"{vocabulary['coverage']['0.95']:,}",
        )
        yield _finding("note", "rare", text, vocabulary["once"], vocabulary["once_share"])
    checked = {"no_blank": result["blank"]["count"], "no_damaged": result["damaged"]["rows"]}
    checked["no_exact"] = result["duplicates"]["exact"]["rows"]
    if "conflicts" in result:
        checked["no_conflicts"] = result["conflicts"]["texts"]
    fine = [say[kind] for kind, count in checked.items() if not count]
    if fine:
        yield _finding("note", "fine", say["fine"].format(kinds=", ".join(fine)))


_LOOKS: tuple[Callable[[Mapping[str, Any], Say], Iterator[Finding]], ...] = (
    _texts,
    _contradictions,
    _other,
    _labels,
    _repeats,
    _markup,
    _background,
)
