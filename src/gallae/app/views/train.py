"""Train recipes and compare them: choose, watch, cancel."""

import importlib.util
import time
from collections.abc import Callable
from functools import partial

import streamlit as st

from gallae.app import figures, settings
from gallae.app.language import language, say
from gallae.app.opened import DataFile, choose_data, complain
from gallae.app.trainings import TRAININGS, running, throw_away
from gallae.errors import GallaeError
from gallae.recipes import Recipe, shipped_recipes
from gallae.workflows.background import Background, Progress, Request

NEWEST = 5  # trainings that are shown; those that can be taken up always are
QUICK = ("fast", "tfidf-word")
NEEDS = {"neural": "torch", "fasttext": "fasttext", "mecab": "mecab"}


@st.cache_resource(show_spinner=False)
def _recipes() -> dict[str, Recipe]:
    """Return the recipes that can be trained here, without a download and with the extras installed."""
    return {name: recipe for name, recipe in shipped_recipes().items() if _is_ready(recipe)}


def _is_ready(recipe: Recipe) -> bool:
    blocks = [block.checkpoint for block in recipe.features.blocks if block.kind == "encoder"]
    members = getattr(recipe.model, "members", ())
    checkpoint = getattr(recipe.model, "checkpoint", "") or next(iter(blocks), "")
    extras = all(importlib.util.find_spec(NEEDS[extra]) for extra in recipe.extras())
    several = recipe.name == "multilabel" or any(not _is_ready(member) for member in members)
    return extras and checkpoint in ("", "gallae-small", "scratch") and not several


def _about(name: str) -> str:
    recipe = _recipes()[name]
    family = say(f"families.{recipe.model.family}")
    return f"{name} · {family}"


def _form(file: DataFile) -> None:
    """Choose what to train, and begin."""
    known = _recipes()
    recipes = st.multiselect(
        say("train.recipes"), list(known), default=list(QUICK), format_func=_about, key="train_recipes",
        help=say("train.recipes_help"), placeholder=say("train.recipes_none"),
    )  # fmt: skip
    left, middle, right = st.columns(3)
    way = left.segmented_control(
        say("train.split"), ["holdout", "folds"], default="holdout", required=True, key="train_way",
        format_func=lambda name: say(f"train.{name}"), help=say("train.split_help"),
    )  # fmt: skip
    if way == "folds":
        holdout, folds = 0.0, int(middle.number_input(say("train.folds_n"), 2, 20, 5, key="train_folds"))
    else:
        percent = middle.slider(say("train.share"), 5, 50, 20, 5, format="%d %%", key="train_share")
        holdout, folds = percent / 100, 0
    seed = int(
        right.number_input(say("train.seed"), 0, 2**31 - 1, 42, key="train_seed", help=say("train.seed_help"))
    )
    if not st.button(say("train.start"), type="primary", disabled=not recipes, key="train_start"):
        return
    if running():
        st.warning(say("train.one_at_a_time"))
        return
    name = recipes[0] if len(recipes) == 1 else "comparison"
    folder = settings.current().workspace / f"{time.strftime('%Y-%m-%dT%H-%M-%S')}-{name}"
    request = Request(file.path, tuple(recipes), folder, holdout, folds, seed, language(), file.reading)
    file.corpus()  # what is wrong with the data is better said now
    TRAININGS.insert(0, Background(request))


@st.fragment(run_every=1.0)
def _watch() -> None:
    """Show the trainings of this workspace, anew every second."""
    shown = [training for number, training in enumerate(TRAININGS) if number < NEWEST or training.resumable]
    if not shown:
        figures.note(say("train.none_yet"))
    for training in shown:
        with st.container(border=True):
            _one(training, key=training.request.folder.name)


def _one(training: Background, key: str) -> None:
    state, request = training.state, training.request
    progress = training.progress()
    st.markdown(f"**{request.folder.name}** · {say(f'train.{state}')}")
    share, words = _how_far(training, progress)
    if state == "running":
        st.progress(share, text=words)
        st.button(
            say("train.cancel"), key=f"{key}_cancel", icon=":material/stop_circle:", on_click=training.cancel
        )
        if training.cancelled:
            figures.note(say("train.stopping"))
    elif state == "finished":
        figures.note(say("train.took", seconds=f"{training.seconds:,.0f}", folder=request.folder))
        st.page_link("views/runs.py", label=say("train.look"), icon=":material/leaderboard:")
    else:
        _stopped(training, progress, key)
    for name, histories in progress.curves.items():
        figures.note(say("train.curves", recipe=name))
        figures.learning_curves(histories)


def _stopped(training: Background, progress: Progress, key: str) -> None:
    """Say why it stopped, and offer to go on with what it left or to throw that away."""
    if training.state == "failed":
        st.error(training.message or say("train.failed_why"))
    if not training.resumable:
        return
    figures.note(
        say("train.left", data=training.request.data.name, recipes=", ".join(training.names),
            done=len(progress.done), of=len(training.names))
    )  # fmt: skip
    problem = st.session_state.get(f"{key}_problem")
    if problem:
        st.error(problem)
    busy = running()
    with st.container(horizontal=True):
        st.button(
            say("train.resume"), key=f"{key}_resume", icon=":material/play_arrow:", disabled=busy,
            help=say("train.one_at_a_time") if busy else None, on_click=_try, args=(training.resume, key),
        )  # fmt: skip
        with st.popover(say("train.discard"), icon=":material/delete:"):
            st.markdown(say("train.discard_what"))
            discard = partial(throw_away, training)
            st.button(say("train.discard_yes"), key=f"{key}_discard", on_click=_try, args=(discard, key))


def _try(act: Callable[[], None], key: str) -> None:
    """Do what a button says, and keep what is wrong with it for the page to show."""
    st.session_state[f"{key}_problem"] = ""
    try:
        act()
    except GallaeError as problem:
        st.session_state[f"{key}_problem"] = str(problem)


def _how_far(training: Background, progress: Progress) -> tuple[float, str]:
    """Return the share that is done, and in words what is done now."""
    recipes, folds = training.request.recipes, training.request.folds
    share = (len(progress.done) + (progress.folds / folds if folds else 0.0)) / len(recipes)
    seconds = f"{training.seconds:,.0f}"
    if not progress.now:
        return min(share, 1.0), say("train.finishing", seconds=seconds)
    where = (len(progress.done) + 1, len(recipes))
    text = say("train.now", recipe=progress.now, at=where[0], of=where[1], seconds=seconds)
    if folds:
        text += " · " + say("train.fold", at=min(progress.folds + 1, folds), of=folds)
    return min(share, 1.0), text


st.title(say("train.menu"))
st.markdown(say("train.what"))
try:
    _form(choose_data("train"))
except GallaeError as problem:
    complain(problem)
st.subheader(say("train.progress"))
_watch()
