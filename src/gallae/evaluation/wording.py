"""What the reports say, in English (with the Korean terms) and in Korean."""

from __future__ import annotations

from gallae.errors import GallaeError

ENGLISH = {
    "summary": "In short (요약)",
    "macro_f1": "macro-F1",
    "accuracy": "accuracy (정확도)",
    "log_loss": "log loss (로그 손실)",
    "ece": "calibration error (ECE)",
    "subset_accuracy": "whole set right",
    "micro_f1": "micro-F1",
    "n": "rows (건수)",
    "seconds": "seconds to predict",
    "per_second": "{:,.0f} a second",
    "interval": "95 %: {} to {}",
    "summary_text": (
        "macro-F1 is the mean of the classes' F1, so a rare class counts as much as a frequent one. The "
        "range beside a figure is its 95 % interval (신뢰구간): how far the chance choice of just these "
        "rows may have moved it. Two models whose ranges overlap much may well be equally good."
    ),
    "accuracy_multi": "accuracy is the share of (row, label) decisions that are right.",
    "facts": "About this run",
    "few_rows": "Only {n:,} rows were measured: the ranges are wide, take the figures with care.",
    "few_class": "Fewer than {least} rows: {classes}. What is said about these classes is hardly certain.",
    "never": "Never rightly predicted: {classes}. Their F1 is 0 and pulls macro-F1 down.",
    "absent": "No row of: {classes}. They count as 0 in macro-F1.",
    "classes": "Class by class (분류별)",
    "class_plot": (
        "F1 of each class with its 95 % interval: the harmonic mean of precision (정밀도: of the rows "
        "given this label, how many deserve it) and recall (재현율: of the rows that deserve it, how many "
        "got it)."
    ),
    "class": "class",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "support": "rows",
    "range": "95 % of F1",
    "confusion": "What is mistaken for what (혼동 행렬)",
    "confusion_plot": (
        "Each line is a gold label (정답), each column what the model said (예측); the number counts rows, "
        "the colour shows their share of the line. Off the diagonal are the mistakes."
    ),
    "mistakes": "The most frequent mistakes",
    "gold": "gold",
    "predicted": "predicted",
    "count": "rows",
    "share": "of the gold label's rows",
    "calibration": "Can the probabilities be believed? (확률 보정)",
    "calibration_plot": (
        "Rows grouped by how sure the model was. On the dashed line, of the rows given 80 % about 80 % are "
        "right; below it the model is too sure, above it too modest. Orange is the gap; ECE is the gaps' "
        "mean, weighted by rows. The bars below count the rows."
    ),
    "training": "How the network learned (학습 곡선)",
    "training_plot": (
        "The loss on the rows learned from, and loss and macro-F1 on those held out to watch. Where the blue "
        "line falls on and the orange one rises, the network learns by heart; the dotted line is the epoch "
        "whose weights were kept."
    ),
    "training_several": "{} networks, a line each, such as those of the folds.",
    "distribution": "Gold and predicted labels (라벨 분포)",
    "distribution_plot": (
        "If a blue bar is much longer than its grey one, the model gives that label too readily. A share "
        "of labels here unlike that of the training data costs accuracy."
    ),
    "gold_side": "gold (정답)",
    "predicted_side": "predicted (예측)",
    "errors": "The surest mistakes (확신한 오답)",
    "errors_text": (
        "Wrong rows of which the model was surest. Read them first: they are wrong labels in the data, "
        "texts that belong to two classes, or what the model has yet to learn."
    ),
    "no_errors": "There is none: every row is right.",
    "text": "text",
    "probability": "probability",
    "gold_probability": "of the gold label",
    "wrong_label": "wrong about",
    "models": "Models side by side (모델 비교)",
    "models_plot": "Macro-F1 with 95 % intervals, best first; all models are measured on the same rows.",
    "model": "model",
    "fit_seconds": "fit, s",
    "texts_per_second": "texts/s",
    "size_mb": "size, MB",
    "pairs": "Is the difference real? (차이의 유의성)",
    "pairs_text": (
        "{best} against each other model. The difference comes with its 95 % interval from a paired "
        "bootstrap; if the interval leaves out 0, the difference is more than chance. McNemar's test asks "
        "the same of accuracy: it looks only at the rows that one model gets right and the other wrong."
    ),
    "difference_f1": "macro-F1 difference",
    "difference_accuracy": "accuracy difference",
    "only_best": "only {best} right",
    "only_other": "only this right",
    "p": "McNemar p",
    "many": "{count} pairs are tested at once; for a careful reading call a p below {limit:.4f} significant.",
    "matrix": "Every pair: macro-F1 of the line minus the column, 95 % interval, McNemar p",
    "heat": "Class by class (분류별 F1)",
    "heat_plot": "F1 of each class by model. A light column is a class that is hard for all of them.",
    "footer": "Made by gallae. This page needs nothing beside it.",
}

KOREAN = {
    "summary": "요약",
    "macro_f1": "macro-F1",
    "accuracy": "정확도 (accuracy)",
    "log_loss": "로그 손실 (log loss)",
    "ece": "보정 오차 (ECE)",
    "subset_accuracy": "라벨 전체 일치",
    "micro_f1": "micro-F1",
    "n": "건수",
    "seconds": "예측 시간 (초)",
    "per_second": "초당 {:,.0f}건",
    "interval": "95 %: {} ~ {}",
    "summary_text": (
        "macro-F1은 분류별 F1의 평균이라 드문 분류도 흔한 분류와 똑같이 셉니다. 수치 옆의 범위는 95 % "
        "신뢰구간으로, 하필 이 행들이 뽑힌 우연이 수치를 얼마나 움직였을지 보여 줍니다. 두 모델의 범위가 "
        "많이 겹치면 실력이 같을 수도 있습니다."
    ),
    "accuracy_multi": "정확도는 (행, 라벨) 판단 하나하나 가운데 맞은 비율입니다.",
    "facts": "실행 정보",
    "few_rows": "{n:,}건만 쟀으므로 범위가 넓습니다. 수치를 조심해서 보세요.",
    "few_class": "{least}건보다 적은 분류: {classes}. 이 분류의 수치는 믿기 어렵습니다.",
    "never": "한 번도 맞히지 못한 분류: {classes}. F1이 0이어서 macro-F1을 끌어내립니다.",
    "absent": "데이터에 없는 분류: {classes}. macro-F1에는 0으로 들어갑니다.",
    "classes": "분류별 성적",
    "class_plot": (
        "분류별 F1과 95 % 신뢰구간입니다. F1은 정밀도(그 라벨을 준 것 중 맞은 비율)와 재현율(그 라벨이어야 "
        "할 것 중 찾아낸 비율)의 조화평균입니다."
    ),
    "class": "분류",
    "precision": "정밀도",
    "recall": "재현율",
    "f1": "F1",
    "support": "건수",
    "range": "F1의 95 % 구간",
    "confusion": "무엇을 무엇으로 착각했나 (혼동 행렬)",
    "confusion_plot": (
        "가로줄은 정답, 세로줄은 모델의 예측입니다. 숫자는 건수, 색은 그 정답 안에서의 비율이고, 대각선 "
        "밖이 오답입니다."
    ),
    "mistakes": "가장 잦은 착각",
    "gold": "정답",
    "predicted": "예측",
    "count": "건수",
    "share": "정답 분류에서의 비율",
    "calibration": "확률을 믿어도 될까 (확률 보정)",
    "calibration_plot": (
        "모델의 확신도로 묶어 실제로 맞은 비율을 쟀습니다. 점선 위라면 80 %라고 한 것이 실제로 80 % "
        "맞습니다. 점선보다 아래면 지나치게 확신하고, 위면 지나치게 겸손합니다. 주황색이 그 차이이며 ECE는 "
        "건수로 가중한 평균입니다. 아래 막대는 건수입니다."
    ),
    "training": "학습 곡선",
    "training_plot": (
        "학습 데이터의 손실과, 지켜보려고 떼어 둔 데이터의 손실과 macro-F1입니다. 파란 선은 내려가는데 "
        "주황 선이 올라가면 과적합입니다. 점선은 가중치를 남긴 에포크입니다."
    ),
    "training_several": "신경망 {}개(예: 폴드마다 하나)의 곡선입니다.",
    "distribution": "정답과 예측의 라벨 분포",
    "distribution_plot": (
        "파란 막대가 회색보다 훨씬 길면 모델이 그 라벨을 너무 쉽게 줍니다. 학습 데이터와 라벨 비율이 "
        "다르면 정확도가 떨어집니다."
    ),
    "gold_side": "정답",
    "predicted_side": "예측",
    "errors": "확신한 오답",
    "errors_text": (
        "모델이 가장 확신했던 오답입니다. 먼저 읽어 보세요. 데이터의 라벨이 틀렸거나, 두 분류에 걸친 "
        "글이거나, 모델이 아직 배우지 못한 것입니다."
    ),
    "no_errors": "오답이 없습니다.",
    "text": "글",
    "probability": "확률",
    "gold_probability": "정답의 확률",
    "wrong_label": "틀린 라벨",
    "models": "모델 비교",
    "models_plot": "macro-F1과 95 % 신뢰구간, 좋은 순서입니다. 모두 같은 데이터로 쟀습니다.",
    "model": "모델",
    "fit_seconds": "학습, 초",
    "texts_per_second": "초당 건수",
    "size_mb": "크기, MB",
    "pairs": "정말 차이가 있을까 (유의성)",
    "pairs_text": (
        "{best} 모델을 다른 모델과 하나씩 견줍니다. 차이의 95 % 구간은 짝지은 부트스트랩으로 구했고, "
        "구간에 0이 없으면 우연으로 보기 어렵습니다. 맥니마 검정은 한쪽만 맞힌 글을 세어 정확도의 차이를 "
        "묻습니다."
    ),
    "difference_f1": "macro-F1 차이",
    "difference_accuracy": "정확도 차이",
    "only_best": "{best}만 맞힘",
    "only_other": "이 모델만 맞힘",
    "p": "맥니마 p",
    "many": "{count}쌍을 한꺼번에 검정하므로 엄격하게 보려면 p가 {limit:.4f}보다 작아야 합니다.",
    "matrix": "모든 쌍: 가로줄 모델 빼기 세로줄 모델의 macro-F1, 95 % 구간, 맥니마 p",
    "heat": "분류별 F1",
    "heat_plot": "모델과 분류별 F1입니다. 옅은 세로줄은 모두에게 어려운 분류입니다.",
    "footer": "gallae가 만들었습니다. 이 페이지는 다른 파일이 없어도 열립니다.",
}

LANGUAGES = {"en": ENGLISH, "ko": KOREAN}


def words(language: str) -> dict[str, str]:
    """The phrases of a report.

    Raises:
        GallaeError: for a language that the reports do not speak.
    """
    if language not in LANGUAGES:
        raise GallaeError(f"reports are written in {' or '.join(LANGUAGES)}, not in {language!r}.")
    return LANGUAGES[language]
