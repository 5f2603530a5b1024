"""What the pages have open: data files, models and runs, each read once and shared by all views."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from gallae.app import settings
from gallae.app.language import say
from gallae.app.uploads import SUFFIXES, keep, without_path
from gallae.data import Corpus, read
from gallae.data.corpus import SAMPLES
from gallae.errors import DataError, GallaeError
from gallae.models.bundled import bundled_models
from gallae.workflows.browsing import find_runs, run_name
from gallae.workflows.runs import LoadedModel, Run, open_model

_UPLOADS = "uploads"


@dataclass(frozen=True)
class DataFile:
    """A data file that a page can work on.

    Attributes:
        path: Where it lies.
        name: What the person calls it.
        reading: Keywords of `gallae.read` that were chosen for it.
    """

    path: Path
    name: str
    reading: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What changes when its content or its reading does."""
        return f"{self.path} {self.path.stat().st_mtime_ns} {sorted(self.reading.items())}"

    def corpus(self, labels: str = "required") -> Corpus:
        """Read it, once.

        Raises:
            DataError: the reader's own, with the name that the person knows.
        """
        try:
            return _corpus(self.key, self, labels)
        except GallaeError as error:
            raise self.named(error) from error

    def named(self, error: Exception) -> DataError:
        """Return an error about it with the name that the person knows it by."""
        return DataError(without_path(error, self.path, self.name))


@st.cache_resource(max_entries=8, show_spinner=False)
def _corpus(key: str, _file: DataFile, labels: str) -> Corpus:
    options: dict[str, Any] = dict(_file.reading)
    return replace(read(_file.path, labels=labels, **options), source=_file.name)


@st.cache_resource(max_entries=4, show_spinner=False)
def _model(folder: str, changed: float) -> LoadedModel:
    return open_model(folder)


def load_model(folder: Path) -> LoadedModel:
    """Load a model, once.

    Raises:
        ModelError: if it is damaged.
    """
    with st.spinner(say("app.loading")):
        return _model(str(folder), folder.stat().st_mtime)


# ---- data


def data_files() -> list[DataFile]:
    """Return the files to choose from: those given, those uploaded in this session, the embedded ones."""
    given = [DataFile(path, path.name) for path in settings.current().data]
    return [*st.session_state.get(_UPLOADS, []), *given, *map(sample_file, SAMPLES)]


def sample_file(name: str) -> DataFile:
    """Return an embedded corpus as a file."""
    path = Path(str(resources.files("gallae.data") / "samples" / SAMPLES[name]))
    return DataFile(path, say(f"app.sample_{name}"))


def choose_data(key: str) -> DataFile:
    """Draw the choice of a data file, with a place to upload another, and return the chosen one.

    What is wrong with an upload stands below it.
    """
    uploaded = upload_file(key)
    files = data_files()
    paths = [file.path for file in files]
    last = st.session_state.get(f"{key}_path")  # outlives another language, in which files have other names
    newest = st.session_state.get(f"{key}_newest")
    if uploaded and newest != uploaded.path:
        newest, last = uploaded.path, None
        st.session_state[f"{key}_file"] = uploaded
    index = paths.index(last) if last in paths else 0
    chosen = st.selectbox(
        say("app.data"), files, index=index, format_func=lambda file: file.name, key=f"{key}_file"
    )
    st.session_state[f"{key}_path"] = chosen.path
    st.session_state[f"{key}_newest"] = newest  # not before the choice is drawn: a click may end this run
    return _with_columns(chosen, key)


def upload_file(key: str) -> DataFile | None:
    """Draw a place to upload a file; return what was uploaded, kept on disk and added to the choice."""
    given = st.file_uploader(
        say("app.upload"),
        type=[suffix[1:] for suffix in SUFFIXES],
        key=f"{key}_upload",
        help=say("app.upload_help"),
    )
    if given is None:
        return None
    try:
        with st.spinner(say("app.reading")):
            path = keep(given.name, given.getvalue(), settings.current().workspace / _UPLOADS)
    except GallaeError as error:
        st.error(str(error))
        return None
    file = DataFile(path, given.name)
    known: list[DataFile] = st.session_state.setdefault(_UPLOADS, [])
    if all(other.path != path for other in known):
        known.insert(0, file)
    return file


def _with_columns(file: DataFile, key: str) -> DataFile:
    """Let the person name the columns, where the well-known names do not tell."""
    with st.expander(say("app.columns")):
        st.markdown(say("app.columns_help"))
        places = st.columns(3)
        names = ("text_column", "label_column", "label_separator")
        given = {
            name: place.text_input(say(f"app.{name}"), key=f"{key}_{name}").strip()
            for name, place in zip(names, places, strict=True)
        }
    return DataFile(file.path, file.name, {name: value for name, value in given.items() if value})


# ---- models and runs


def runs() -> list[Run]:
    """Return the finished runs of the workspace and those that were given, the newest first."""
    chosen = settings.current()
    return find_runs([*chosen.runs, chosen.workspace])


@dataclass(frozen=True)
class Choice:
    """A model to choose: its name and folder."""

    name: str
    folder: Path


def models() -> list[Choice]:
    """Return the models to choose from: given ones, those of runs, the bundled ones."""
    known = runs()
    found = [
        Choice(run_name(run), run.folder) for run in known if (run.folder / "model" / "model.json").is_file()
    ]
    taken = {choice.folder.resolve() for choice in found}
    given = [
        folder for folder in settings.current().runs if _is_model(folder) and folder.resolve() not in taken
    ]
    bundled = [Choice(say("app.bundled", name=name), folder) for name, folder in bundled_models().items()]
    return [*(Choice(folder.name, folder) for folder in given), *found, *bundled]


def _is_model(folder: Path) -> bool:
    return (folder / "model.json").is_file() or (folder / "model" / "model.json").is_file()


def choose_model(key: str) -> LoadedModel:
    """Draw the choice of a model and return the chosen one, loaded."""
    choices = models()
    given = bool(settings.current().runs)
    chosen = st.selectbox(
        say("app.model"),
        choices,
        index=0 if given else len(choices) - 1,
        format_func=lambda choice: choice.name,
        key=key,
    )
    return load_model((chosen or choices[-1]).folder)


# ---- what went wrong


def complain(error: GallaeError) -> None:
    """Show what is wrong, in the words of whoever found it."""
    st.error(str(error))
    if "-column" in str(error):  # the words are those of the command line
        st.info(say("app.columns_hint"))


def csv_bytes(table: pd.DataFrame) -> bytes:
    """Return a table as CSV that Excel, too, opens with its Korean letters whole (UTF-8 with its mark)."""
    return table.to_csv(index=False).encode("utf-8-sig")
