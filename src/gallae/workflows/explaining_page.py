"""The page of explanations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gallae.evaluation import page
from gallae.explaining import Explanation
from gallae.explaining.attention import Attention
from gallae.workflows.showing import one_line

ENGLISH = {
    "title": "Why {name} says so",
    "summary": "{count:,} texts",
    "how": "How to read this (읽는 법)",
    "reading": (
        "Blue words (solid line) speak for the label, orange ones (dotted line) against it; the darker, the "
        "more. The number beside a word is what it adds to the label's log-odds."
    ),
    "exact": (
        "Exact (정확한 분해): the score of a linear model is a sum, and each word has its share of it."
    ),
    "gradients": (
        "Integrated gradients (적분 기울기): what each word adds on the way from a text of unknown words to "
        "this one."
    ),
    "occlusion": "Occlusion (가리기): how far the score falls when the word is left out.",
    "lime": "LIME: the weights of a linear model of what the classifier says around this text.",
    "caution": "A reason tells what the model used, not whether that was right to use.",
    "texts": "The texts",
    "word": "word",
    "weight": "weight",
    "probability": "probability",
    "attention": (
        "Attention: each line shares 1 among the tokens it looks at (last layer, mean of its heads)"
    ),
    "footer": "Made by gallae. This page needs no other file.",
}
KOREAN = {
    "title": "{name} 모델의 판단 이유",
    "summary": "글 {count:,}건",
    "how": "읽는 법",
    "reading": (
        "파란 낱말(실선)은 그 라벨을 지지하고 주황 낱말(점선)은 반대합니다. 진할수록 영향이 큽니다. "
        "낱말 옆의 수는 라벨의 로그 오즈에 더해진 값입니다."
    ),
    "exact": "정확한 분해: 선형 모델의 점수는 합이므로 낱말마다 제 몫이 있습니다.",
    "gradients": "적분 기울기: 모르는 낱말뿐인 글에서 이 글로 오는 동안 낱말이 더한 값입니다.",
    "occlusion": "가리기: 낱말을 빼면 점수가 얼마나 떨어지는지 잽니다.",
    "lime": "LIME: 이 글 둘레에서 분류기를 흉내 낸 선형 모델의 가중치입니다.",
    "caution": "이유는 모델이 무엇을 썼는지 말할 뿐, 그것이 옳은지는 말하지 않습니다.",
    "texts": "글",
    "word": "낱말",
    "weight": "가중치",
    "probability": "확률",
    "attention": "어텐션: 줄마다 그 토큰이 바라보는 곳의 비율입니다(마지막 층, 헤드 평균)",
    "footer": "gallae가 만들었습니다. 이 페이지는 다른 파일이 없어도 열립니다.",
}
WORDS = {"en": ENGLISH, "ko": KOREAN}


@dataclass(frozen=True)
class Highlighted:
    """A text with its words coloured."""

    explanation: Explanation

    def html(self) -> str:
        """The part as safe HTML."""
        return f"<p>{self.explanation.html()}</p>"


def explanation_page(
    found: Sequence[tuple[Explanation, Attention | None]], name: str, top: int, language: str = "en"
) -> str:
    """Return a page that shows each text with its words coloured.

    Args:
        found: Explanations, and the attention of their texts.
        name: Of the model.
        top: Words in the table beside each text.
        language: "en" or "ko".
    """
    say = WORDS[language]
    methods = dict.fromkeys(explanation.method for explanation, _ in found)
    how = [page.Text(say["reading"]), *(page.Text(say[method]) for method in methods)]
    parts: list[page.Part] = []
    for explanation, looked in found:
        parts += _one(explanation, looked, top, language)
    return page.page(
        say["title"].format(name=name),
        [page.Section(say["how"], [*how, page.Note(say["caution"])]), page.Section(say["texts"], parts)],
        language,
        summary=say["summary"].format(count=len({explanation.row for explanation, _ in found})),
        footer=say["footer"],
    )


def _one(explanation: Explanation, looked: Attention | None, top: int, language: str) -> list[page.Part]:
    say = WORDS[language]
    rows = [[one_line(part.text, 40), f"{part.weight:+.3f}"] for part in explanation.top(top)]
    parts: list[page.Part] = [
        page.Heading(f"{explanation.label} · {say['probability']} {explanation.probability:.3f}"),
        Highlighted(explanation),
    ]
    if rows:
        parts.append(page.Details(f"{say['weight']} ({explanation.method})",
                                  [page.Table([say["word"], say["weight"]], rows)]))  # fmt: skip
    if looked is not None:
        parts.append(page.Plot(looked.picture(language), say["attention"], wide=True))
    return parts
