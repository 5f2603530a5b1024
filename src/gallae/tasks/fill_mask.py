"""Which words a masked language model would put into the gaps of a text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gallae.errors import DataError, ModelError, RecipeError, require

MASK = "[MASK]"
"""What stands for a gap in a text, whatever the tokenizer calls it."""


class FillMask:
    """A checkpoint with a masked-language-model head (Devlin et al., "BERT", 2019).

    Args:
        checkpoint: A folder in the hub's layout, or a hub id.
        revision: Of a hub id.

    Raises:
        ModelError: if it is missing or damaged, or has no such head or no mask token.
        RecipeError: if its architecture has no such head.
        MissingExtra: without the extra `neural`.
    """

    def __init__(self, checkpoint: str | Path, revision: str = "") -> None:
        require("transformers", "neural")
        from gallae.pretrained.finding import resolve
        from gallae.pretrained.lengths import most_tokens
        from gallae.pretrained.loading import load_model
        from gallae.pretrained.tokenizing import load_tokenizer

        folder = resolve(str(checkpoint), revision)
        self.tokenizer = load_tokenizer(folder)
        if self.tokenizer.mask_token is None:
            raise ModelError(f"the tokenizer in {folder} has no mask token, so it cannot mark a gap.")
        self.network = load_model(folder, "AutoModelForMaskedLM", complete=True)
        self.most = most_tokens(self.network.config, self.tokenizer)

    def fill(self, text: str, top_k: int = 5) -> list[list[dict[str, Any]]]:
        """Return the likeliest tokens of each gap; the gaps are filled independently of each other.

        Args:
            text: With one or more "[MASK]" (or the tokenizer's own mask token).
            top_k: How many tokens a gap.

        Returns:
            A gap each, the likeliest first: "token" (as text), "piece" (as the vocabulary has it), "id",
            "probability", and "text" with this gap filled.

        Raises:
            DataError: if there is no gap, or the text is too long.
            RecipeError: for a `top_k` below 1.
        """
        import torch

        if top_k < 1:
            raise RecipeError(f"--top-k {top_k}: 1 or more.")
        own = self.tokenizer.mask_token
        marked = text.replace(MASK, own)
        if own not in marked:
            raise DataError(f"{text!r} has no gap. Write {MASK} where a word is wanted: 오늘 {MASK}가 좋다")
        given = self.tokenizer(marked, return_tensors="pt", verbose=False)
        ids = given["input_ids"][0]
        if len(ids) > self.most:
            raise DataError(
                f"the text has {len(ids):,} tokens, and this checkpoint reads {self.most:,} at most."
            )
        taken = {name: value for name, value in given.items() if name in self._inputs()}
        with torch.inference_mode():
            logits = self.network(**taken).logits[0]
        places = (ids == self.tokenizer.mask_token_id).nonzero().flatten().tolist()
        chances = logits[places].float().softmax(dim=-1)
        best = chances.topk(min(top_k, chances.shape[-1]))
        return [
            [
                self._candidate(marked, number, token, chance)
                for token, chance in zip(
                    best.indices[number].tolist(), best.values[number].tolist(), strict=True
                )
            ]
            for number in range(len(places))
        ]

    def _inputs(self) -> set[str]:
        import inspect

        return set(inspect.signature(self.network.forward).parameters)

    def _candidate(self, marked: str, number: int, token: int, chance: float) -> dict[str, Any]:
        piece = self.tokenizer.convert_ids_to_tokens(token)
        word = self.tokenizer.decode([token]).strip()
        parts = marked.split(self.tokenizer.mask_token)
        filled = [MASK] * (len(parts) - 1)
        filled[number] = word.removeprefix("##")
        text = parts[0] + "".join(gap + part for gap, part in zip(filled, parts[1:], strict=True))
        return {"token": word, "piece": piece, "id": token, "probability": chance, "text": text}


def fill_mask(
    checkpoint: str | Path, texts: Sequence[str], top_k: int = 5, revision: str = ""
) -> list[dict[str, Any]]:
    """Fill the gaps of texts.

    Args:
        checkpoint: A folder in the hub's layout, or a hub id.
        texts: Each with one or more "[MASK]".
        top_k: How many tokens a gap.
        revision: Of a hub id.

    Returns:
        A text each: "text", and "masks", a list of candidates a gap (see `FillMask.fill`).

    Raises:
        ModelError, DataError, RecipeError: see `FillMask`.
    """
    if not texts:
        raise DataError(f'there are no texts. Give one with a gap: --text "오늘 {MASK}가 좋다"')
    if top_k < 1:
        raise RecipeError(f"--top-k {top_k}: 1 or more.")
    model = FillMask(checkpoint, revision)
    rows = [texts] if isinstance(texts, str) else texts
    return [{"text": text, "masks": model.fill(text, top_k)} for text in rows]


def fill_lines(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Return what `fill_mask` found as lines of plain text: a candidate each, a blank line between gaps.

    Of several texts each stands above its candidates.
    """
    for one in found:
        if len(found) > 1:
            yield one["text"]
        for number, candidates in enumerate(one["masks"]):
            if number:
                yield ""
            for candidate in candidates:
                yield f"{candidate['probability']:.3f}  {candidate['token']}  {candidate['text']}"
