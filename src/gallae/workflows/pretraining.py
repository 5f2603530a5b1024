"""What `gallae pretrain` does: files of text to an encoder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gallae import __version__
from gallae.errors import GallaeError, OutputError, RecipeError, require
from gallae.files import read_json, refuse_existing, write_json
from gallae.pretraining.corpora import Source, parse_sources
from gallae.pretraining.recipe import DEFAULT, PretrainingRecipe, pretraining_recipe
from gallae.progress import status
from gallae.workflows import runs
from gallae.workflows.measuring import folder_size
from gallae.workflows.partial import PartialRun
from gallae.workflows.pretraining_card import card
from gallae.workflows.training import choose_folder

if TYPE_CHECKING:
    from gallae.pretraining.encoding import Encoded

_CORPUS, _TRAINING = "corpus", "training-0"


@dataclass(frozen=True)
class PretrainingRun:
    """A finished pretraining.

    Attributes:
        folder: Where it lies: recipe.toml, metrics.json, and model/ in the hub's layout.
        written: Whether this process wrote it: of several, the first does.
    """

    folder: Path
    written: bool = True

    @property
    def model(self) -> Path:
        """The folder that `AutoModel.from_pretrained` and `model.checkpoint` take."""
        return self.folder / runs.MODEL

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """What metrics.json says."""
        found: dict[str, Any] = read_json(self.folder / runs.METRICS)
        return found


def pretrain(
    corpus: str | Path | Sequence[str | Path],
    recipe: str | Path | PretrainingRecipe = DEFAULT,
    *,
    tokenizer: str | Path | None = None,
    checkpoint: str | None = None,
    seed: int | None = None,
    output: str | Path | None = None,
    overrides: Sequence[str] = (),
    force: bool = False,
    resume: str | Path | None = None,
) -> PretrainingRun:
    """Pretrain an encoder on plain text, and save it in the hub's layout.

    Args:
        corpus: Files of sentences (.txt, .gz, .xz; .jsonl and .parquet with a field `text`), each perhaps
            with a weight, as in "news.txt.xz@3": how often an epoch has each of its sentences.
        recipe: A shipped recipe's name, a TOML file, or a recipe.
        tokenizer: A folder in the hub's layout; by default the recipe's, or the checkpoint's.
        checkpoint: A hub id or folder whose weights learn on.
        seed: Replaces the recipe's.
        output: The run folder; by default a fresh one under `runs/`.
        overrides: Recipe fields, such as "training.epochs=3".
        force: Replace an existing output.
        resume: A run that was interrupted.

    Raises:
        DataError, RecipeError, ModelError, OutputError: for what the user can mend; nothing is half-written.
    """
    chosen = pretraining_recipe(recipe, overrides, tokenizer=tokenizer, checkpoint=checkpoint, seed=seed)
    if _processes() > 1 and output is None and resume is None:
        raise RecipeError("several processes need one place: give the run folder by -o.")
    folder = choose_folder(output, resume, chosen.name or "pretraining", force)
    if resume is None and not _process():
        refuse_existing(folder, force)
    sources = parse_sources([corpus] if isinstance(corpus, str | Path) else corpus)
    require("transformers", "neural")
    from gallae.pretraining.networks import find_tokenizer

    reader = find_tokenizer(chosen)
    key = runs.fingerprint(
        __version__,
        # Fields that a later gallae adds do not stop a run from going on.
        repr(chosen.model_dump(mode="json", exclude_defaults=True, exclude={"tokenizer"})),
        reader.backend_tokenizer.to_str(),
        *(f"{source.fingerprint()} {source.weight}" for source in sources),
    )
    if _process():  # the first process writes
        work = folder.with_name(folder.name + ".partial")
        _learn(chosen, sources, reader, lambda name: work / name)
        return PretrainingRun(folder, written=False)
    with PartialRun(folder, key, force=force, resume=resume is not None) as partial:
        with _nothing_to_go_on_with(partial.work / _CORPUS):
            metrics, objective = _learn(chosen, sources, reader, partial.part)
        with partial.finish() as target:
            _write(target, chosen, metrics, objective)
    return PretrainingRun(folder)


@contextmanager
def _nothing_to_go_on_with(encoded: Path) -> Iterator[None]:
    """Remove the encoded corpus after a mistake: who mends recipe or files begins another run."""
    try:
        yield
    except OutputError:  # a full disk: the same run goes on
        raise
    except GallaeError:
        shutil.rmtree(encoded, ignore_errors=True)
        raise


def _process() -> int:
    return int(os.environ.get("RANK", "0"))


def _processes() -> int:
    return int(os.environ.get("WORLD_SIZE", "1"))


@contextmanager
def _first_process_first(device: str) -> Iterator[None]:
    if _processes() == 1:
        yield
        return
    from accelerate import PartialState

    from gallae.training.devices import find_device

    # It does not see by itself that processes without a GPU belong together.
    with PartialState(cpu=find_device(device).type == "cpu").main_process_first():
        yield


def _learn(
    recipe: PretrainingRecipe, sources: Sequence[Source], tokenizer: Any, part: Callable[[str], Path]
) -> tuple[dict[str, Any], Any]:
    """Encode the corpus and train; return the metrics and the objective."""
    from gallae.pretraining.batches import Batches
    from gallae.pretraining.encoding import encode, hold_out
    from gallae.pretraining.engine import Pretraining
    from gallae.pretraining.formats import check_format
    from gallae.pretraining.objectives import find_objective
    from gallae.training.seeding import isolated

    with isolated(recipe.seed):
        objective = find_objective(recipe.objective.kind)(recipe, tokenizer, recipe.seed)
        with _first_process_first(recipe.training.device):
            encoded = encode(sources, tokenizer, part(_CORPUS), recipe.corpus.format == "parallel")
        check_format(encoded, recipe.corpus)
        train, held = hold_out(encoded, recipe.corpus.held_out, recipe.seed)
        tokens = recipe.training.batch_tokens
        batches = Batches(train, recipe.corpus, tokens, recipe.seed)
        measured = _held_batches(held, recipe)
        job = Pretraining(objective, batches, measured, recipe.training, recipe.seed, part(_TRAINING))
        with status(f"pretraining: {batches.per_epoch:,} batches an epoch"):
            trained = job.run()
    facts = {
        "sources": [{"file": source.path.name, "weight": source.weight} for source in sources],
        "sentences": len(encoded.sentences) - 1,
        "corpus_tokens": len(encoded.ids),
        "objective": recipe.objective.kind,
        "seed": recipe.seed,
        "gallae": __version__,
        "parameters": int(objective.encoder.num_parameters()),
        **_speed(trained.work),
        **_losses(trained.history, objective.likelihood),
    }
    if held is not None and objective.likelihood:
        facts["unigram_entropy"] = _entropy(train, held, len(tokenizer))
    return {**facts, "history": trained.history}, objective


def _held_batches(held: Encoded | None, recipe: PretrainingRecipe) -> Any:
    """Return the batches of the held-out part, if it gives any row."""
    from gallae.pretraining.batches import Batches
    from gallae.pretraining.rows import plan

    if held is None or not len(plan(held, recipe.corpus, recipe.seed, 0).lengths):
        return None
    return Batches(held, recipe.corpus, recipe.training.batch_tokens, recipe.seed)


def _speed(work: Mapping[str, float]) -> dict[str, Any]:
    return {
        "steps": int(work["steps"]),
        "tokens": int(work["tokens"]),
        "fit_seconds": round(work["seconds"], 3),
        "tokens_per_second": round(work["tokens"] / max(work["seconds"], 1e-9)),
    }


def _losses(history: Sequence[Mapping[str, Any]], likelihood: str) -> dict[str, Any]:
    """Return the last row's figures; "token_loss" is what is to be held against the unigrams' entropy."""
    last = {key: value for key, value in history[-1].items() if key not in ("step", "epoch", "tokens")}
    if f"held_out_{likelihood}" in last:
        last["token_loss"] = last[f"held_out_{likelihood}"]
    return last


def _entropy(train: Encoded, held: Encoded, size: int) -> float:
    from gallae.pretraining.encoding import unigram_entropy

    return unigram_entropy(train, held, size)


def _write(target: Path, recipe: PretrainingRecipe, metrics: dict[str, Any], objective: Any) -> None:
    from gallae.pretrained.loading import quiet
    from gallae.pretrained.tokenizing import save_tokenizer

    (target / runs.RECIPE).write_text(recipe.to_toml(), encoding="utf-8")
    model = target / runs.MODEL
    model.mkdir()
    with quiet():
        objective.encoder.save_pretrained(model)
    if not getattr(objective.encoder.config, "type_vocab_size", 0):  # a BART would refuse them
        objective.tokenizer.model_input_names = ["input_ids", "attention_mask"]
    for name, content in save_tokenizer(objective.tokenizer).items():
        (model / name).write_bytes(content)
    metrics = {
        **metrics,
        "model_mb": round(folder_size(model) / 1e6, 2),
        "peak_memory_mb": runs.peak_memory_mb(),
    }
    write_json(target / runs.METRICS, metrics)
    (model / "README.md").write_text(card(recipe, metrics), encoding="utf-8")
