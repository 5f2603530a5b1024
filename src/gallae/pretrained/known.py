"""Licence and size of the checkpoints behind the shipped recipes; no network here."""

from __future__ import annotations

from dataclasses import dataclass

NOT_STATED = "licence not stated"


@dataclass(frozen=True)
class Known:
    """A checkpoint of the hub, or of our own.

    Attributes:
        licence: SPDX identifier, as the hub says it, or else the project's own repository.
        parameters: Weights of the encoder with its pooler, in millions.
    """

    licence: str
    parameters: int

    def __str__(self) -> str:
        return f"{self.licence}, {self.parameters} M"


KNOWN: dict[str, Known] = {
    "gallae-small": Known("CC-BY-SA-4.0", 11),
    "skt/kobert-base-v1": Known("Apache-2.0", 92),
    "monologg/distilkobert": Known("Apache-2.0", 28),
    "beomi/kcbert-base": Known("Apache-2.0", 109),
    "beomi/kcbert-large": Known("MIT", 334),
    "kykim/bert-kor-base": Known("Apache-2.0", 118),
    "kykim/albert-kor-base": Known("Apache-2.0", 13),
    "monologg/koelectra-small-v3-discriminator": Known(NOT_STATED, 14),
    "monologg/koelectra-base-v3-discriminator": Known("Apache-2.0", 112),
    "beomi/KcELECTRA-base": Known("MIT", 127),  # at its revision v2022
    "klue/bert-base": Known("CC-BY-SA-4.0", 111),
    "klue/roberta-small": Known("CC-BY-SA-4.0", 68),
    "klue/roberta-base": Known("CC-BY-SA-4.0", 111),
    "klue/roberta-large": Known("CC-BY-SA-4.0", 337),
    "monologg/kobigbird-bert-base": Known("Apache-2.0", 114),
    "team-lucid/deberta-v3-base-korean": Known("Apache-2.0", 135),
    "allenai/longformer-base-4096": Known("Apache-2.0", 149),
    "google-bert/bert-base-multilingual-cased": Known("Apache-2.0", 178),
    "FacebookAI/xlm-roberta-base": Known("MIT", 278),
    "answerdotai/ModernBERT-base": Known("Apache-2.0", 149),
    "google-bert/bert-base-uncased": Known("Apache-2.0", 109),
}
"""By the hub's id, or our own name."""
