"""README and docs, tested by running them: every command and every Python block, in its page's order.

The embedded corpora, thinned out, stand in for the reader's files (train.csv, $GALLAE_DATA/ynat/...).
"""

from __future__ import annotations

import ast
import csv
import json
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from gallae.cli.main import run
from gallae.models import heads, registry
from gallae.models.architectures.options import FAMILIES
from gallae.pretraining.recipe import shipped_pretraining
from gallae.recipes import schema, shipped_recipes
from gallae.text import STEPS
from gallae.training.options import StoppingOptions, TrainingOptions

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "README.ko.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *DOCS]
NOT_RUN = "<!-- not run -->"
UNLISTED = ("blocks", "family")  # described in words
COMMANDS = (
    *("demo", "audit", "clean", "train", "compare", "ensemble", "search", "lr-find"),
    *("evaluate", "predict", "explain", "review", "submit", "export", "recipes", "vectors", "tokenizer"),
    *("pretrain", "distill", "embed", "tokens", "fill-mask", "languages", "sentences", "tasks"),
    *("serve", "app"),
)
_FENCE = re.compile(
    r"^(?P<before>[^\n]*)\n```(?P<language>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Block:
    """A fenced block; `line` is the line of its fence."""

    language: str
    body: str
    line: int
    run: bool


def blocks(page: Path) -> list[Block]:
    text = "\n" + page.read_text(encoding="utf-8")
    return [
        Block(m["language"], m["body"], text.count("\n", 0, m.start("language")), NOT_RUN not in m["before"])
        for m in _FENCE.finditer(text)
    ]


def commands(block: Block) -> Iterator[str]:
    """The gallae commands of a console block (after "$ ") or of a shell block, continued lines joined."""
    if block.language not in ("console", "sh", "bash"):
        return
    lines = block.body.replace("\\\n", " ").splitlines()
    if block.language == "console":
        lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    for line in lines:
        if line.startswith("gallae "):
            yield " ".join(line.split())


# ---- running


def _rows(name: str) -> list[list[str]]:
    """An embedded corpus, thinned out: every seventh row."""
    text = (resources.files("gallae.data") / "samples" / f"{name}.csv").read_text("utf-8")
    return list(csv.reader(text.splitlines()))[1::7]


def _write(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]], separator: str = ",") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=separator, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the pages speak of."""
    news, reviews = _rows("headlines"), _rows("reviews")
    for name in ("train.csv", "headlines.csv"):
        _write(tmp_path / name, ["title", "topic"], news)
    _write(tmp_path / "test.csv", ["title"], [[title] for title, _ in news[::7]])
    _write(tmp_path / "reviews.csv", ["review", "sentiment"], reviews)
    pairs = (resources.files("gallae.data") / "samples" / "dialect.tsv").read_text("utf-8").splitlines()
    _write(tmp_path / "pairs.tsv", pairs[0].split("\t"), [row.split("\t") for row in pairs[1:100]], "\t")
    (tmp_path / "jeju.txt").write_text("밥 먹언\n어디 감시니\n", encoding="utf-8")
    ratings = [[text, {"긍정": 10, "부정": 2}.get(label, 6)] for text, label in reviews]
    _write(tmp_path / "ratings.csv", ["review", "rating"], [*ratings, ["그럭저럭 볼만", 6]])
    tags = [[title, f"{topic}|속보" if row % 3 else topic] for row, (title, topic) in enumerate(news[:90])]
    _write(tmp_path / "tags.csv", ["title", "tags"], tags)
    flags = [[text, row % 2, row % 3 and 1] for row, (text, _) in enumerate(reviews[:60])]
    _write(tmp_path / "flags.csv", ["text", "악플", "욕설"], flags)
    topics = sorted({topic for _, topic in news})
    numbered = [[row, title, topics.index(topic)] for row, (title, topic) in enumerate(news)]
    ynat = tmp_path / "data" / "ynat"
    _write(ynat / "train_data.csv", ["index", "title", "topic_idx"], numbered)
    _write(ynat / "test_data.csv", ["index", "title"], [row[:2] for row in numbered[::9]])
    _write(ynat / "sample_submission.csv", ["index", "topic_idx"], [[row[0], 0] for row in numbered[::9]])
    _write(ynat / "topic_dict.csv", ["topic", "topic_idx"], [[t, i] for i, t in enumerate(topics)])
    monkeypatch.setenv("GALLAE_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def registries(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Forget afterwards what a page registers."""
    steps = set(STEPS)
    for name, value in (("_OWN", dict(heads._OWN)), ("_TRUSTED", set(heads._TRUSTED))):
        monkeypatch.setattr(heads, name, value)
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    yield
    for name in set(STEPS) - steps:
        del STEPS[name]


def _run_command(line: str, where: str, folder: Path) -> None:
    words = shlex.split(line.replace("$GALLAE_DATA", str(folder / "data")))
    assert run(words[1:]) == 0, f"{where}: {line}"


def _run_python(block: Block, page: Path, names: dict[str, Any]) -> None:
    """Run a block; an expression with a comment that is a Python value behind it must have that value."""
    where = f"{page.name}, line {block.line}"
    lines = block.body.splitlines()
    for node in ast.parse(block.body, where).body:
        if not isinstance(node, ast.Expr):
            exec(compile(ast.Module([node], []), where, "exec", dont_inherit=True), names)
            continue
        value = eval(compile(ast.Expression(node.value), where, "eval", dont_inherit=True), names)
        comment = lines[(node.end_lineno or 1) - 1][node.end_col_offset :].strip().removeprefix("# ")
        if _is_value(comment):
            assert repr(value) == comment, f"{where}: {ast.unparse(node)} gives {value!r}"


def _is_value(comment: str) -> bool:
    if comment.startswith("array("):
        return True
    try:
        ast.literal_eval(comment)
    except (ValueError, SyntaxError):
        return False
    return True


def _files_of(block: Block, folder: Path) -> None:
    """Write a TOML block whose first line is `# name.toml`."""
    first = block.body.partition("\n")[0]
    if block.language == "toml" and first.endswith(".toml"):
        (folder / first.removeprefix("# ")).write_text(block.body, encoding="utf-8")


# README.ko.md has README.md's commands, see below.
@pytest.mark.parametrize("page", [p for p in PAGES if p.name != "README.ko.md"], ids=lambda page: page.name)
def test_page_runs(page: Path, workplace: Path) -> None:
    names: dict[str, Any] = {"__name__": "page"}
    for block in blocks(page):
        _files_of(block, workplace)
        where = f"{page.name}, line {block.line}"
        if not block.run:
            continue
        if block.language == "python":
            _run_python(block, page, names)
        if block.language == "console":
            for line in commands(block):
                _run_command(line, where, workplace)


# ---- what the pages say


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_shell_commands_are_known(page: Path) -> None:
    for block in blocks(page):
        for line in commands(block):
            words = line.split()
            assert words[1] in COMMANDS, f"{page.name}: {line}"
            for word in words:
                if word.startswith("--"):
                    assert word in options(words[1]), f"{page.name}: {line}"


def test_both_readmes_hold_the_same() -> None:
    english, korean = blocks(ROOT / "README.md"), blocks(ROOT / "README.ko.md")
    assert [block.language for block in english] == [block.language for block in korean]
    for ours, theirs in zip(english, korean, strict=True):
        if ours.language == "sh":  # comments are translated
            assert _without_comments(ours.body) == _without_comments(theirs.body)
        else:
            assert ours.body == theirs.body


def _without_comments(body: str) -> list[str]:
    return [line.partition("#")[0].rstrip() for line in body.splitlines()]


def test_both_readmes_show_the_same_results() -> None:
    tables = []
    for name in ("README.md", "README.ko.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        results = text.partition("<!-- results:begin -->")[2].partition("<!-- results:end -->")[0]
        tables.append(re.findall(r"\d+\.\d{3,}", results))
    assert tables[0] == tables[1] != []


def anchors(page: Path) -> set[str]:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\s-]", "", title).strip().lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http://", "https://")):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name) if name else page
        assert file.is_file(), f"{page.name}: {target}"
        if anchor:
            assert anchor in anchors(file), f"{page.name}: {target}"


def test_pictures_need_nothing_else() -> None:
    for picture in (ROOT / "docs" / "images").glob("*.svg"):
        svg = picture.read_text(encoding="utf-8")
        assert svg.startswith("<svg xmlns=")
        assert "<text" not in svg, "glyphs must be paths: a reader may have no Korean font"
        assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")


def _of_networks() -> str:
    """The pages on networks, those from random weights and pretrained ones."""
    return "".join(
        (ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("networks.md", "encoders.md")
    )


def test_recipes_page_lists_every_recipe_and_key() -> None:
    text = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
    networks = _of_networks()
    for name, recipe in shipped_recipes().items():
        assert f"| `{name}` |" in text
        text = text if recipe.model.family not in FAMILIES else text + networks
        for key in re.findall(r"^(\w+) =", recipe.to_toml(), re.MULTILINE):
            assert f"`{key}`" in text or f"{key} =" in text, f"{name}: {key}"


def test_recipes_page_tells_every_default() -> None:
    text = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `(\w+)` \| `([^`]*)`", text, re.MULTILINE))
    tables = (schema.Recipe, schema.DataOptions, schema.TextOptions, schema.NgramOptions, schema.KiwiOptions)
    tables = (*tables, schema.EncoderBlockOptions)
    models = (schema.LinearOptions, schema.FastTextOptions, schema.CalibrationOptions)
    for table in (*tables, *models):
        for key, field in table.model_fields.items():
            default = field.default
            if (
                default is not PydanticUndefined
                and not isinstance(default, BaseModel)
                and key not in UNLISTED
            ):
                assert (key, json.dumps(default)) in listed, f"{table.__name__}.{key}: {default!r}"


@pytest.mark.parametrize("table", [*FAMILIES.values(), TrainingOptions, StoppingOptions])
def test_networks_page_tells_every_option(table: type[BaseModel]) -> None:
    text = _of_networks()
    for key in table.model_fields:
        assert f"`{key}`" in text or f"early_stopping.{key}" in text or key == "early_stopping", key


def test_pretraining_page_tells_every_recipe_and_key() -> None:
    text = (ROOT / "docs" / "pretraining.md").read_text(encoding="utf-8")
    for name, recipe in shipped_pretraining().items():
        assert f"| `{name}` |" in text
        unlisted = ("soft_weight", "mlm_weight", "cosine_weight", *recipe.network.config)
        for key in re.findall(r"^(\w+) =", recipe.to_toml().partition("[corpus]")[2], re.MULTILINE):
            assert f"`{key}`" in text or key in unlisted, key


def test_text_page_tells_what_steps_do() -> None:
    text = (ROOT / "docs" / "text.md").read_text(encoding="utf-8")
    rows = re.findall(r'^\| `(\w+)` \| [^|]* \| `(".*?")` \| `(".*?")` \|$', text, re.MULTILINE)
    assert {name for name, _, _ in rows} == set(STEPS)
    for name, before, after in rows:
        assert STEPS[name](ast.literal_eval(before)) == ast.literal_eval(after), name


# ---- the command line's page


def options(command: str) -> set[str]:
    """The options of a command, as its parser has them."""
    import typer

    from gallae.cli import commands as _registered  # noqa: F401
    from gallae.cli.main import app

    group: Any = typer.main.get_command(app)
    found = group.commands[command]
    every = [found, *_inner(found)]
    return {name for one in every for parameter in one.params for name in parameter.opts if "-" in name}


def _inner(group: Any) -> list[Any]:
    """The commands of a group, of its groups, and so on."""
    found = list(getattr(group, "commands", {}).values())
    return [one for each in found for one in (each, *_inner(each))]


def test_command_line_page_lists_every_command() -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert tuple(re.findall(r"^## ([\w-]+)$", text, re.MULTILINE)) == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_command_line_page_lists_every_option(command: str) -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    every, _, rest = text.partition("Shared by several commands")
    section = rest.partition(f"\n## {command}\n")[2].partition("\n## ")[0]
    listed = set(re.findall(r"`(--?[\w-]+)", section))
    everywhere = set(re.findall(r"`(--?[\w-]+)", every)) - {"--json", "--version"}
    wanted = options(command)
    assert wanted - everywhere - listed == set()
    mentioned = {"--holdout", "--valid", "--folds"} if command == "train" else set()
    assert {name for name in listed if name.startswith("--")} <= wanted | everywhere | mentioned
