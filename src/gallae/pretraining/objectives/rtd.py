"""Replaced token detection (Clark et al., "ELECTRA", 2020)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from gallae.errors import RecipeError
from gallae.pretraining.masking import IGNORED, Masking, Pieces
from gallae.pretraining.networks import from_config, make_network, position_head
from gallae.pretraining.objectives.base import Objective, numbers
from gallae.pretraining.objectives.mlm import mean
from gallae.pretraining.options import PretrainingRecipe, RtdOptions
from gallae.pretraining.rows import Row

_MASKED = 0.85  # of the chosen tokens become the mask token, the others stay, as in ELECTRA's own code


class ReplacedTokenDetection(Objective):
    """Tell which tokens a small generator, which learns alongside, has replaced."""

    likelihood: ClassVar[str] = "mlm"

    def __init__(self, recipe: PretrainingRecipe, tokenizer: Any, seed: int) -> None:
        super().__init__(recipe, tokenizer, seed)
        options = recipe.objective
        assert isinstance(options, RtdOptions)
        self.masking = Masking(
            Pieces.of(tokenizer), rate=options.masked, masked=_MASKED, random=0.0, seed=seed
        )
        encoder = make_network(recipe, tokenizer)
        self.network = ReplacedNetwork(encoder, make_generator(encoder, options), options.weight)

    @property
    def encoder(self) -> Any:
        """The encoder that tells; the generator is not kept."""
        return self.network.encoder

    def collate(self, rows: Sequence[Row], rng: np.random.Generator) -> dict[str, Tensor]:
        """Return input_ids, attention_mask where there is padding, and labels, (batch, length) int64."""
        enclosed = self.enclosed(rows)
        masked, labels = self.masking(enclosed.ids, numbers(rows), rng)
        return {**enclosed.inputs(masked), "labels": torch.from_numpy(labels)}


def make_generator(encoder: Any, options: RtdOptions) -> Any:
    """Return a masked language model smaller than the encoder, which shares all of its embeddings.

    Raises:
        RecipeError: if embeddings are as wide as the network in this architecture.
    """
    config = encoder.config
    if not hasattr(config, "embedding_size") or not hasattr(encoder, "embeddings"):
        raise RecipeError(
            f"the objective rtd shares embeddings between two networks of different width, and those of a "
            f"{config.model_type} are as wide as the network. Set network.model_type=electra."
        )
    heads = max(1, round(config.num_attention_heads * options.generator_width))
    smaller = type(config).from_dict(
        {
            **config.to_dict(),
            "hidden_size": heads * max(1, round(config.hidden_size * options.generator_width / heads)),
            "num_attention_heads": heads,
            "intermediate_size": max(1, round(config.intermediate_size * options.generator_width)),
            "num_hidden_layers": max(1, round(config.num_hidden_layers * options.generator_depth)),
        }
    )
    generator = from_config(smaller, "AutoModelForMaskedLM")
    generator.set_attn_implementation(config._attn_implementation)
    generator.base_model.embeddings = encoder.embeddings
    generator.tie_weights()
    return generator


class ReplacedNetwork(nn.Module):
    """Generator and encoder.

    Args:
        encoder: With embeddings that both share.
        generator: Of AutoModelForMaskedLM.
        weight: Of the encoder's loss beside the generator's.
    """

    def __init__(self, encoder: Any, generator: Any, weight: float) -> None:
        super().__init__()
        self.encoder, self.generator, self.weight = encoder, generator, weight
        size = encoder.config.hidden_size
        self.detector = nn.Sequential(nn.Linear(size, size), nn.GELU(), nn.Linear(size, 1))
        self._head = [position_head(generator)]  # in a list: its weights are the generator's

    def forward(self, input_ids: Tensor, labels: Tensor, **inputs: Tensor) -> dict[str, Tensor]:
        """Return the loss, the generator's alone ("mlm"), the encoder's alone ("rtd"), and two rates.

        "replaced" is the share of the tokens that were, "accuracy" that of those of which the encoder says
        rightly whether they were.

        Args:
            input_ids: (batch, length) int64, masked.
            labels: (batch, length) int64: what was masked, `IGNORED` elsewhere.
            inputs: Of the encoder.
        """
        chosen = labels != IGNORED
        wanted = labels[chosen]
        hidden = self.generator.base_model(input_ids=input_ids, **inputs).last_hidden_state
        logits = self._head[0](hidden[chosen]).float()
        mlm = mean(functional.cross_entropy(logits, wanted, reduction="sum"), len(wanted))
        filled = input_ids.clone()
        filled[chosen] = sampled(logits.detach())
        replaced = torch.zeros_like(chosen)
        replaced[chosen] = filled[chosen] != wanted
        states = self.encoder(input_ids=filled, **inputs).last_hidden_state
        real = inputs["attention_mask"].bool() if "attention_mask" in inputs else torch.ones_like(chosen)
        scores, truth = self.detector(states).squeeze(-1).float()[real], replaced[real]
        rtd = functional.binary_cross_entropy_with_logits(scores, truth.float())
        found = {"loss": mlm + self.weight * rtd, "mlm": mlm.detach(), "rtd": rtd.detach()}
        found["accuracy"] = ((scores.detach() > 0) == truth).float().mean()
        found["replaced"] = truth.float().mean()
        return found


def sampled(logits: Tensor) -> Tensor:
    """Return (n,) numbers drawn by (n, vocabulary) float32 logits.

    By the distribution's inverse: one random number a row costs a third of what the Gumbel trick's one a
    logit does.
    """
    sums = logits.softmax(1).cumsum(1)
    drawn = torch.rand(len(sums), 1, device=sums.device) * sums[:, -1:]
    return torch.searchsorted(sums, drawn).squeeze(1).clamp_(max=sums.shape[1] - 1)
