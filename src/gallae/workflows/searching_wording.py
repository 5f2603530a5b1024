"""What the page of a search says, in English (with the Korean terms) and in Korean."""

from __future__ import annotations

from gallae.errors import GallaeError

ENGLISH = {
    "title": "{recipe}: search of {trials} trials on {data}",
    "summary": "In short (요약)",
    "optimistic": (
        "The best trial's figure is optimistic: {trials} trials were measured on the same {rows} rows, and "
        "the best was chosen by just these rows, luck included. Expect less of it on new rows. {then}"
    ),
    "untested": (
        "For a fair figure measure it on rows that the search has not seen, which --test 0.1 would do."
    ),
    "tested": "The fair figure is the one on the {rows} rows that no trial has seen.",
    "edge": (
        "The best {key}, {value}, lies at the end of its range ({range}): better values may lie beyond. "
        "Search again with a wider range."
    ),
    "failed": "Trials that failed: {count}. The last reason: {reason}",
    "no_gain": "No trial was better than the recipe as it is.",
    "within": (
        "The best trial leads the recipe as it is by {lead}, which is within the 95 % range of the figure: "
        "on other rows the order might be another."
    ),
    "best_card": "best {metric}: trial {trial}",
    "interval": "95 %: {} to {}",
    "before_card": "the recipe as it is",
    "before_detail": "trial 0",
    "tested_card": "best recipe, new rows",
    "trials_card": "trials (시도)",
    "trials_detail": "{finished} finished, {pruned} given up, {failed} failed",
    "seconds_card": "minutes of trials",
    "field": "field",
    "range": "tried",
    "before": "recipe",
    "best": "best",
    "values": "The best values (가장 좋은 값)",
    "use": "To train with them: gallae train DATA -r {path}",
    "history": "Trial by trial (탐색 과정)",
    "history_plot": (
        "Each dot is a finished trial, the line the best so far. Hollow: the recipe as it is. Crosses at "
        "the bottom are trials that were given up early or failed; a triangle there is a finished trial too "
        "low to draw."
    ),
    "trial": "trial",
    "importance": "What mattered (중요도)",
    "importance_plot": (
        "Share of the differences between the trials that each field explains by itself (fANOVA, Hutter et "
        "al. 2014), of a random forest over the finished trials."
    ),
    "few": ("Only {count} trials have finished: the shares are rough, and a few percent may be noise."),
    "no_importance": "Too few trials have finished, or they do not differ, to tell what mattered.",
    "slices": "Value by value (값별 성적)",
    "slices_plot": (
        "Each finished trial against the value it tried; darker dots are later trials, orange is the best. "
        "A trend that goes on to the edge of a picture asks for a wider range."
    ),
    "parallel": "Together (함께 보기)",
    "parallel_plot": (
        "Each line is a finished trial, through the values it tried; the darker, the better, and orange is "
        "the best. Bundles of dark lines show which values go well together."
    ),
    "all": "All trials (모든 시도)",
    "more": "The {count} best are shown; all stand in trials.csv.",
    "state": "state",
    "seconds": "s",
    "reason": "reason",
    "same": "as trial {number}",
    "finished": "finished",
    "pruned": "given up",
    "failed_state": "failed",
    "facts": "About this search",
    "footer": "Made by gallae. This page needs nothing beside it.",
}

KOREAN = {
    "title": "{recipe}: {data} 하이퍼파라미터 탐색, {trials}번 시도",
    "summary": "요약",
    "optimistic": (
        "가장 좋은 시도의 수치는 실제보다 좋게 나온 값입니다. {trials}번의 시도를 같은 {rows}건으로 재고, "
        "바로 그 행들에서 운까지 더해 가장 좋았던 것을 골랐기 때문입니다. 새 글에서는 이보다 낮다고 "
        "보세요. {then}"
    ),
    "untested": "공정한 수치는 탐색이 보지 못한 행으로 재야 합니다. --test 0.1처럼 미리 떼어 두면 됩니다.",
    "tested": "공정한 수치는 어느 시도도 보지 못한 {rows}건으로 잰 값입니다.",
    "edge": (
        "가장 좋은 {key} 값 {value}이(가) 범위({range})의 끝에 있습니다. 범위 밖에 더 좋은 값이 있을 수 "
        "있으니 범위를 넓혀 다시 찾아보세요."
    ),
    "failed": "실패한 시도: {count}번. 마지막 까닭: {reason}",
    "no_gain": "원래 레시피보다 나은 시도가 없었습니다.",
    "within": (
        "가장 좋은 시도가 원래 레시피보다 {lead} 앞서지만 수치의 95 % 범위 안입니다. 다른 행에서는 순서가 "
        "바뀔 수 있습니다."
    ),
    "best_card": "가장 좋은 {metric}: 시도 {trial}",
    "interval": "95 %: {} ~ {}",
    "before_card": "원래 레시피",
    "before_detail": "시도 0",
    "tested_card": "새 행에서 잰 값",
    "trials_card": "시도",
    "trials_detail": "완료 {finished}, 중단 {pruned}, 실패 {failed}",
    "seconds_card": "시도에 걸린 시간 (분)",
    "field": "항목",
    "range": "찾아본 범위",
    "before": "원래 값",
    "best": "가장 좋은 값",
    "values": "가장 좋은 값",
    "use": "이 값으로 학습하려면: gallae train DATA -r {path}",
    "history": "탐색 과정",
    "history_plot": (
        "점은 끝까지 잰 시도, 선은 그때까지 가장 좋은 값입니다. 속이 빈 점은 원래 레시피입니다. 바닥의 "
        "가위표는 일찍 그만두었거나 실패한 시도, 세모는 너무 낮아 그리지 못한 시도입니다."
    ),
    "trial": "시도",
    "importance": "무엇이 중요했나",
    "importance_plot": (
        "시도들 사이의 차이를 항목 하나가 얼마나 설명하는지 보여 줍니다. 끝까지 잰 시도에 랜덤 포레스트를 "
        "맞춘 fANOVA(Hutter 외 2014)입니다."
    ),
    "few": "끝까지 잰 시도가 {count}번뿐이라 대강의 값입니다. 몇 퍼센트짜리 항목은 우연일 수 있습니다.",
    "no_importance": "끝까지 잰 시도가 너무 적거나 차이가 없어 무엇이 중요했는지 알 수 없습니다.",
    "slices": "값별 성적",
    "slices_plot": (
        "시도마다 고른 값과 성적입니다. 짙은 점일수록 나중 시도, 주황색이 가장 좋은 시도입니다. 그림 끝까지 "
        "이어지는 경향은 범위를 넓혀 보라는 뜻입니다."
    ),
    "parallel": "함께 보기",
    "parallel_plot": (
        "선 하나가 시도 하나이고, 고른 값들을 지나갑니다. 짙을수록 좋은 시도, 주황색이 가장 좋은 시도입니다. "
        "짙은 선이 모이는 곳이 서로 잘 맞는 값입니다."
    ),
    "all": "모든 시도",
    "more": "좋은 순서로 {count}개만 보입니다. 전부는 trials.csv에 있습니다.",
    "state": "상태",
    "seconds": "초",
    "reason": "까닭",
    "same": "시도 {number}과(와) 같음",
    "finished": "완료",
    "pruned": "중단",
    "failed_state": "실패",
    "facts": "실행 정보",
    "footer": "gallae가 만들었습니다. 이 페이지는 다른 파일이 없어도 열립니다.",
}

LANGUAGES = {"en": ENGLISH, "ko": KOREAN}


def words(language: str) -> dict[str, str]:
    """The phrases of the page.

    Raises:
        GallaeError: for a language that it does not speak.
    """
    if language not in LANGUAGES:
        raise GallaeError(f"reports are written in {' or '.join(LANGUAGES)}, not in {language!r}.")
    return LANGUAGES[language]
