"""The tokenizers of checkpoints, and whether they fit the text."""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gallae.errors import DataError, ModelError
from gallae.pretrained.finding import CONFIG
from gallae.pretrained.loading import quiet

log = logging.getLogger(__name__)
_FILES = ("tokenizer.json", "vocab.txt", "vocab.json", "spiece.model", "sentencepiece.bpe.model", "spm.model")
_WORD = "▁"  # sentencepiece's mark of a word's beginning
_TOKENIZER_CONFIG = "tokenizer_config.json"
_KEPT = ("tokenizer.json", _TOKENIZER_CONFIG, "special_tokens_map.json", "added_tokens.json")
_ENOUGH = 2000


def load_tokenizer(folder: Path) -> Any:
    """Return the tokenizer of a checkpoint, a fast one that knows where its tokens stand in the text.

    KoBERT and DistilKoBERT keep a SentencePiece model beside a BERT configuration: read the plain way, every
    Korean word would be unknown to it. They get the tokenizer they were trained with. So do the checkpoints
    that have a BERT's vocabulary beside another architecture (`kykim/albert-kor-base`).

    Raises:
        ModelError: if there is none, or it is damaged.
    """
    from transformers import AutoTokenizer, BertTokenizerFast

    pieces = [path for path in sorted(folder.glob("*.model")) if path.name != "tokenizer.model"]
    if not pieces and not any((folder / name).is_file() for name in (*_FILES, "tokenizer.model")):
        raise ModelError(
            f"{folder} has no tokenizer: none of {', '.join(_FILES)} is there. Copy the tokenizer's files of "
            "the same checkpoint beside the weights."
        )
    try:
        if pieces and _is_bert(folder) and not (folder / "tokenizer.json").is_file():
            return _kobert(folder, pieces[0])
        with quiet():
            kind = BertTokenizerFast if _is_wordpiece(folder) else AutoTokenizer
            tokenizer = kind.from_pretrained(folder, local_files_only=True)
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
        raise ModelError(f"the tokenizer in {folder} cannot be read: {reason}") from error
    if not getattr(tokenizer, "is_fast", False):
        raise ModelError(f"the tokenizer in {folder} has no fast version ({type(tokenizer).__name__}).")
    return tokenizer


def _is_bert(folder: Path) -> bool:
    try:
        kind = json.loads((folder / CONFIG).read_text(encoding="utf-8")).get("model_type")
    except (OSError, ValueError):
        return False
    return kind in ("bert", "distilbert", None)


def _is_wordpiece(folder: Path) -> bool:
    """Whether there is nothing but a list of word pieces, and no word of what reads it."""
    others = ("tokenizer.json", "vocab.json", "merges.txt", "bpe.codes", "*.model")
    if not (folder / "vocab.txt").is_file() or any(any(folder.glob(name)) for name in others):
        return False
    files = [folder / name for name in (CONFIG, _TOKENIZER_CONFIG) if (folder / name).is_file()]
    return not any(json.loads(file.read_text(encoding="utf-8")).get("tokenizer_class") for file in files)


def _kobert(folder: Path, model: Path) -> Any:
    """Make KoBERT's tokenizer of its SentencePiece model; vocab.txt, where there is one, gives the ids."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast
    from transformers.convert_slow_tokenizer import SentencePieceExtractor

    found = SentencePieceExtractor(str(model))
    scores = [(piece.piece, piece.score) for piece in found.proto.pieces]
    listed = folder / "vocab.txt"
    if listed.is_file():
        scores = _in_order(scores, listed.read_text(encoding="utf-8").splitlines())
    names = [piece for piece, _score in scores]
    unknown = "[UNK]" if "[UNK]" in names else "<unk>"
    if found.proto.trainer_spec.model_type == 2:
        table = found.extract(models.BPE)
        ids = {piece: number for number, piece in enumerate(names)}
        made = Tokenizer(models.BPE(ids, table["merges"], unk_token=unknown, fuse_unk=True))
    else:
        made = Tokenizer(models.Unigram(scores, unk_id=names.index(unknown)))
    charsmap = found.proto.normalizer_spec.precompiled_charsmap
    made.normalizer = normalizers.Sequence(
        [*([normalizers.Precompiled(charsmap)] if charsmap else []), normalizers.Replace("``", '"')]
    )
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(_WORD, prepend_scheme="always")]
    )
    made.decoder = decoders.Metaspace(_WORD, prepend_scheme="always")
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, names.index(name)) for name in ("[CLS]", "[SEP]")],
    )
    special = {f"{role}_token": f"[{role.upper()}]" for role in ("cls", "sep", "pad", "mask")}
    log.info("%s: KoBERT's tokenizer is made of %s", folder, model.name)
    return PreTrainedTokenizerFast(
        tokenizer_object=made, unk_token=unknown, model_input_names=_BERT_INPUTS, **special
    )


_BERT_INPUTS = ["input_ids", "token_type_ids", "attention_mask"]


def _in_order(scores: list[tuple[str, float]], names: list[str]) -> list[tuple[str, float]]:
    """Return pieces in the vocabulary's order; those the model lacks are never found in a text."""
    known = dict(scores)
    lowest = min(known.values(), default=0.0) - 100.0
    return [(name, known.get(name, lowest)) for name in names]


def unknown_share(tokenizer: Any, texts: Iterable[str], most: int = _ENOUGH) -> float:
    """Return the share of unknown tokens among those of texts.

    Args:
        tokenizer: Of `load_tokenizer`.
        texts: At most `most` of them are looked at, evenly spread.
        most: How many are enough.
    """
    rows = list(texts)
    rows = rows[:: max(1, len(rows) // most)][:most]
    if tokenizer.unk_token_id is None or not rows:
        return 0.0
    total = unknown = 0
    for ids in tokenizer(rows, add_special_tokens=False, verbose=False)["input_ids"]:
        total += len(ids)
        unknown += ids.count(tokenizer.unk_token_id)
    return unknown / max(1, total)


def check_unknown(tokenizer: Any, texts: Iterable[str], limit: float = 0.2, where: str = "") -> float:
    """Return the share of unknown tokens, made sure that a network can see what it reads.

    Raises:
        DataError: if it is above `limit`.
    """
    share = unknown_share(tokenizer, texts)
    if share > limit:
        raise DataError(
            f"{100 * share:.0f} % of the tokens are unknown to the tokenizer of {where or 'it'} (at most "
            f"{100 * limit:.0f} %), so the network would see next to nothing of the texts. Likely causes: "
            "the checkpoint is of another language; its tokenizer was loaded the wrong way (KoBERT needs "
            "its spiece.model beside config.json, not a BertTokenizer); or do_lower_case strips accents and "
            "breaks Hangul apart: set do_lower_case to false in tokenizer_config.json. See: gallae tokens"
        )
    if share > limit / 4:
        log.warning("%.1f %% of the tokens are unknown to the tokenizer of %s", 100 * share, where or "it")
    return share


def save_tokenizer(tokenizer: Any) -> dict[str, bytes]:
    """Return a fast tokenizer as files by name, which hold the whole of it, whatever its class."""
    with tempfile.TemporaryDirectory(prefix="gallae-") as temporary:
        tokenizer.save_pretrained(temporary)
        paths = [Path(temporary) / name for name in _KEPT]
        files = {path.name: path.read_bytes() for path in paths if path.is_file()}
    config = json.loads(files[_TOKENIZER_CONFIG])
    config |= {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_input_names": list(tokenizer.model_input_names),
        "padding_side": tokenizer.padding_side,
    }
    files[_TOKENIZER_CONFIG] = json.dumps(config, ensure_ascii=False, indent=2).encode()
    return files


def restore_tokenizer(files: dict[str, bytes]) -> Any:
    """Make the tokenizer again from the files of `save_tokenizer`, among others."""
    from transformers import PreTrainedTokenizerFast

    with tempfile.TemporaryDirectory(prefix="gallae-") as temporary:
        for name in _KEPT:
            if name in files:
                (Path(temporary) / name).write_bytes(files[name])
        with quiet():
            return PreTrainedTokenizerFast.from_pretrained(temporary, local_files_only=True)
