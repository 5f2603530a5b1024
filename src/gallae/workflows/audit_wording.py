"""What the audit says, in English (with the Korean terms) and in Korean."""

from __future__ import annotations

from gallae.errors import GallaeError

ENGLISH = {
    # findings
    "more": "and {} more",
    "rows": "rows {}",
    "row": "row {}",
    "blank": "{count} texts are empty or hold only white space ({where}). Drop them or fill them in.",
    "all_blank": "All {count} texts are empty or hold only white space. Is --text-column the right one?",
    "damaged": (
        "{count} texts ({share}) show a damaged encoding: {kinds} ({where}). Repair the file at its source, or "
        "read it with its true --encoding; drop what cannot be repaired."
    ),
    "replacement": "{} with �, left by bytes that did not decode",
    "latin": "{} in UTF-8 that was read as Latin-1",
    "cp949": "{} in UTF-8 that was read as CP949",
    "control": "{} with control characters (the step control removes them)",
    "one_label": "Every row has the label {label}: there is nothing to tell apart.",
    "conflicts": (
        "{texts} texts stand under more than one label, in {rows} rows ({where}). Give each one label, or drop "
        "them: as it is, {outvoted} rows ({share}) cannot be got right."
    ),
    "conflicts_multi": (
        "{texts} texts stand with differing sets of labels, in {rows} rows ({where}). Give each one set, or "
        "drop them."
    ),
    "near_conflicts": (
        "{texts} groups of nearly equal texts have differing labels, {rows} rows in all ({where}). Read them: "
        "such pairs are where wrong labels are found most easily."
    ),
    "exact": "{count} rows ({share}) repeat the text of an earlier row to the letter ({where}). Drop them.",
    "near": (
        "{count} rows ({share}) are nearly the same as an earlier one. Of the rows of a random fifth held out, "
        "{straddling} would have such a twin in training, which flatters the figures: split with "
        "data.keep_duplicates_together = true."
    ),
    "overlap": (
        "{count} of the {total} rows of {against} ({share}) have a near duplicate here, {exact} of them an "
        "equal text ({where} there). Figures measured across the two will be too good: drop these rows from "
        "one of the two."
    ),
    "no_overlap": "{against} has no text that stands here too, nor nearly.",
    "labels_differ": (
        "{count} texts of {against} stand here too, but under another label ({where} there). The two were not "
        "labelled alike; read them."
    ),
    "unknown_labels": "{against} has labels that have no row here: {labels}. Nothing can be learned of them.",
    "label_shift": (
        "{against} has another balance of labels, most of all {label}: {here} here, {there} there. A model "
        "takes this corpus's balance for granted, which costs accuracy there."
    ),
    "no_rows_label": "No row has the label: {labels}.",
    "small_labels": (
        "Labels with fewer than {least} rows: {labels}. A model learns little of them, and what is measured "
        "on them is chance: find more rows, or merge or drop them."
    ),
    "imbalance": (
        "The labels are unbalanced: {most} has {high} rows, {ratio} times as many as {fewest} with {low}. Look "
        'at macro-F1 rather than accuracy, and compare with model.class_weight = "balanced".'
    ),
    "unlabelled_rows": "{count} rows ({share}) have no label at all. Is that meant so?",
    "signs_only": "{count} texts hold nothing but signs or emoji ({where}), like {example}.",
    "repeated_index": "{count} rows repeat an id of the index column, like {example} ({where}).",
    "little_hangul": "Only {share} of the texts hold any Hangul. Is --text-column the right one?",
    "html": "{count} texts hold HTML tags or entities ({share}): keep the step html.",
    "control_step": "{count} texts hold invisible characters ({share}): keep the step control.",
    "nfc": (
        "{count} texts ({share}) are written with decomposed or look-alike characters, which make two words of "
        "one: keep the step nfc."
    ),
    "hanja": (
        "{share} of the texts hold hanja (한자). The step hanja reads them (美 미국); whether that helps a model "
        "is to be measured."
    ),
    "long": (
        "{count} texts ({share}) have more than 512 morphemes; encoders such as BERT read no further than "
        "their first 512 tokens."
    ),
    "rare": (
        "Of {words} different morphemes {once} are seen only once; they are {occurrences} of all occurrences. "
        "The {ninety_five} most frequent ones cover 95 %."
    ),
    "fine": "Nothing to complain of: {kinds}.",
    "no_blank": "no empty text",
    "no_damaged": "no damaged encoding",
    "no_conflicts": "no text under two labels",
    "no_exact": "no repeated text",
    # page
    "title": "Audit of {source}",
    "summary_line": "{rows} rows. Rows are counted from 0, the header apart.",
    "findings": "Findings (점검 결과)",
    "card_rows": "rows (건수)",
    "card_labels": "labels (라벨)",
    "card_exact": "repeated texts (중복)",
    "card_near": "{} nearly",
    "card_conflicts": "texts under two labels",
    "card_length": "median length (길이)",
    "card_characters": "characters; longest {}",
    "card_vocabulary": "vocabulary (어휘)",
    "card_morphemes": "morphemes; {} seen once",
    "card_multi": "{:.2f} a row",
    "labels": "Labels (라벨 분포)",
    "labels_plot": (
        "Rows of each label. A model that always answered {most} would be right in {share} of the rows: that is "
        "what accuracy has to be compared with."
    ),
    "labels_plot_multi": "Rows of each label; a row may have several, {none} rows have none.",
    "labels_plot_against": " Grey is this corpus, blue {against}.",
    "labels_hidden": " The {} largest of {} labels.",
    "together": "Labels that come together",
    "together_plot": "Of the rows with the line's label, the share that also has the column's.",
    "lengths": "Length (길이)",
    "characters": "characters (글자)",
    "morphemes": "morphemes (형태소)",
    "words": "words (어절)",
    "texts": "texts",
    "lengths_plot": "Texts by length; the last bar gathers the longest half percent.",
    "unit": "unit",
    "mean": "mean",
    "shortest": "shortest",
    "longest": "longest",
    "longest_row": "its row",
    "duplicates": "Duplicates and contradictions (중복, 상충)",
    "duplicates_text": (
        "Normalised texts differ only in spaces, punctuation, case or width. Near duplicates share at least "
        "0.8 of their three-character shingles (Jaccard), directly or through others of their group."
    ),
    "kind": "kind",
    "exact_kind": "equal to the letter",
    "normalised_kind": "equal when normalised",
    "near_kind": "near duplicates",
    "repeats": "rows that repeat",
    "share": "share",
    "groups": "groups",
    "largest_groups": "Largest groups of near duplicates",
    "size": "rows",
    "which": "row numbers",
    "example": "text",
    "conflicts_title": "The same text under different labels",
    "near_conflicts_title": "Nearly the same text under different labels",
    "row_column": "row",
    "id_column": "id",
    "label": "label",
    "overlap_title": "Overlap with {against}",
    "overlap_text": "Texts that stand in both, from either side. Pairs that are not quite equal come first.",
    "of_here": "rows here",
    "of_there": "rows there",
    "here": "here",
    "there": "there",
    "scripts": "Characters (문자)",
    "scripts_plot": "Share of texts that hold any of it.",
    "script": "script",
    "of_texts": "of texts",
    "of_characters": "of characters",
    "hangul": "Hangul (한글)",
    "hanja_script": "hanja (한자)",
    "latin_script": "Latin letters",
    "digits": "digits",
    "emoji": "emoji",
    "damaged_title": "Damaged texts",
    "signs_title": "Texts of nothing but signs",
    "vocabulary_title": "Vocabulary (어휘)",
    "vocabulary_text": (
        "Words stand between white space; morphemes are counted after cleaning; content morphemes are nouns, "
        "verbs, adjectives and roots. To cover {} of all morphemes in the corpus takes the {} most frequent."
    ),
    "tokens": "occurrences",
    "distinct": "different",
    "once": "seen once",
    "once_share": "of the different",
    "once_occurrences": "of occurrences",
    "content": "content morphemes",
    "telling": "Most telling terms (분류별 특징어)",
    "telling_plot": (
        "The terms that tell a label's texts from all others (log-odds with an informative prior, z-scores; "
        "Monroe et al. 2008). Terms that have no business with a label point to how the corpus was collected."
    ),
    "cleaning": "Before and after cleaning (전처리 전후)",
    "before": "Words as they stand",
    "after": "Content morphemes after {}",
    "cloud_text": "The more frequent, the larger. Particles and endings hide the left cloud's words from each other.",
    "step": "step",
    "changed": "texts changed",
    "old": "before",
    "new": "after",
    "more_examples": "More examples",
    "none_of_it": "There is none.",
    "footer": "Made by gallae. This page needs nothing beside it.",
}

KOREAN = {
    "more": "외 {}건",
    "rows": "{}행",
    "row": "{}행",
    "blank": "빈 글이거나 공백뿐인 글이 {count}건입니다({where}). 빼거나 채워 넣으세요.",
    "all_blank": "글 {count}건이 모두 비어 있습니다. --text-column이 맞는지 보세요.",
    "damaged": (
        "인코딩이 깨진 글이 {count}건({share})입니다: {kinds} ({where}). 원본에서 바로잡거나 맞는 --encoding으로 "
        "다시 읽고, 고칠 수 없으면 빼세요."
    ),
    "replacement": "해독하지 못한 바이트가 �로 남은 글 {}건",
    "latin": "UTF-8을 Latin-1로 잘못 읽은 글 {}건",
    "cp949": "UTF-8을 CP949로 잘못 읽은 글 {}건",
    "control": "제어 문자가 든 글 {}건(control 단계가 지웁니다)",
    "one_label": "모든 행의 라벨이 {label}이라 구별할 것이 없습니다.",
    "conflicts": (
        "같은 글에 다른 라벨이 붙은 것이 {texts}가지, {rows}행입니다({where}). 라벨을 하나로 정하거나 빼세요. "
        "이대로는 {outvoted}행({share})을 맞힐 길이 없습니다."
    ),
    "conflicts_multi": (
        "같은 글에 라벨 묶음이 다르게 붙은 것이 {texts}가지, {rows}행입니다({where}). 하나로 정하거나 빼세요."
    ),
    "near_conflicts": (
        "거의 같은 글인데 라벨이 다른 것이 {texts}묶음, {rows}행입니다({where}). 읽어 보세요. 틀린 라벨을 찾기 "
        "가장 쉬운 곳입니다."
    ),
    "exact": "앞의 글과 글자까지 똑같은 행이 {count}건({share})입니다({where}). 빼세요.",
    "near": (
        "앞의 글과 거의 같은 행이 {count}건({share})입니다. 무작위로 5분의 1을 떼어 검증하면 그 가운데 "
        "{straddling}의 짝이 학습 데이터에 있어 수치가 부풀려집니다. data.keep_duplicates_together = true로 "
        "나누세요."
    ),
    "overlap": (
        "{against}의 {total}행 가운데 {count}행({share})과 거의 같은 글이 여기에 있고, 그중 {exact}행은 똑같습니다"
        "(그쪽 {where}). 한쪽으로 배우고 다른 쪽으로 재면 수치가 부풀려집니다. 한쪽에서 빼세요."
    ),
    "no_overlap": "{against}에는 여기와 같거나 거의 같은 글이 없습니다.",
    "labels_differ": (
        "{against}의 글 {count}건은 여기에도 있지만 라벨이 다릅니다(그쪽 {where}). 두 데이터의 라벨 기준이 "
        "다릅니다. 읽어 보세요."
    ),
    "unknown_labels": "{against}에는 여기에 없는 라벨이 있습니다: {labels}. 배울 수 없는 라벨입니다.",
    "label_shift": (
        "{against}의 라벨 비율이 다릅니다. {label}의 차이가 가장 큽니다: 여기 {here}, 저기 {there}. 모델은 이 "
        "데이터의 비율을 당연하게 여기므로 그쪽에서 정확도가 떨어집니다."
    ),
    "no_rows_label": "한 행도 없는 라벨: {labels}.",
    "small_labels": (
        "{least}행보다 적은 라벨: {labels}. 배우기도 어렵고 잰 수치도 우연에 가깝습니다. 더 모으거나, 합치거나, "
        "빼세요."
    ),
    "imbalance": (
        "라벨이 고르지 않습니다. {most} {high}행은 {fewest} {low}행의 {ratio}배입니다. 정확도보다 macro-F1을 보고, "
        'model.class_weight = "balanced"와 견주어 보세요.'
    ),
    "unlabelled_rows": "라벨이 하나도 없는 행이 {count}건({share})입니다. 그래도 되는지 확인하세요.",
    "signs_only": "기호나 이모지뿐인 글이 {count}건입니다({where}). 보기: {example}.",
    "repeated_index": "인덱스 열의 값이 되풀이되는 행이 {count}건입니다. 보기: {example} ({where}).",
    "little_hangul": "한글이 든 글이 {share}뿐입니다. --text-column이 맞는지 보세요.",
    "html": "HTML 태그나 엔티티가 든 글이 {count}건({share})입니다. html 단계를 두세요.",
    "control_step": "보이지 않는 문자가 든 글이 {count}건({share})입니다. control 단계를 두세요.",
    "nfc": (
        "자모가 풀렸거나 모양만 같은 문자로 쓴 글이 {count}건({share})입니다. 한 낱말이 둘로 세어지니 nfc 단계를 "
        "두세요."
    ),
    "hanja": (
        "한자가 든 글이 {share}입니다. hanja 단계가 읽어 줍니다(美 미국). 모델에 도움이 되는지는 재 보아야 합니다."
    ),
    "long": "형태소가 512개를 넘는 글이 {count}건({share})입니다. BERT 같은 모델은 앞의 512토큰만 읽습니다.",
    "rare": (
        "서로 다른 형태소 {words}개 가운데 {once}는 한 번만 나오며, 전체 출현의 {occurrences}입니다. 흔한 "
        "{ninety_five}개가 95 %를 차지합니다."
    ),
    "fine": "문제없음: {kinds}.",
    "no_blank": "빈 글 없음",
    "no_damaged": "깨진 인코딩 없음",
    "no_conflicts": "라벨이 상충하는 글 없음",
    "no_exact": "되풀이되는 글 없음",
    "title": "데이터 점검: {source}",
    "summary_line": "{rows}행. 행 번호는 머리글을 빼고 0부터 셉니다.",
    "findings": "점검 결과",
    "card_rows": "건수",
    "card_labels": "라벨",
    "card_exact": "중복된 글",
    "card_near": "거의 같은 글 {}",
    "card_conflicts": "라벨이 상충하는 글",
    "card_length": "길이의 중앙값",
    "card_characters": "글자, 최장 {}",
    "card_vocabulary": "어휘",
    "card_morphemes": "형태소, 한 번만 {}",
    "card_multi": "행마다 {:.2f}개",
    "labels": "라벨 분포",
    "labels_plot": "라벨별 행 수입니다. 늘 {most}라고만 답해도 {share}는 맞으니 정확도는 이 값과 견주어야 합니다.",
    "labels_plot_multi": "라벨별 행 수입니다. 한 행에 여럿일 수 있고, 라벨이 없는 행은 {none}건입니다.",
    "labels_plot_against": " 회색은 이 데이터, 파란색은 {against}입니다.",
    "labels_hidden": " 라벨 {1}개 가운데 큰 {0}개만 그렸습니다.",
    "together": "함께 나오는 라벨",
    "together_plot": "가로줄의 라벨이 붙은 행 가운데 세로줄의 라벨도 붙은 비율입니다.",
    "lengths": "길이",
    "characters": "글자",
    "morphemes": "형태소",
    "words": "어절",
    "texts": "글",
    "lengths_plot": "길이별 글 수이며, 마지막 막대에는 가장 긴 0.5 %를 모았습니다.",
    "unit": "단위",
    "mean": "평균",
    "shortest": "최단",
    "longest": "최장",
    "longest_row": "최장 행",
    "duplicates": "중복과 상충",
    "duplicates_text": (
        "정규화는 띄어쓰기, 문장 부호, 대소문자, 전각과 반각의 차이를 무시합니다. 거의 같은 글은 세 글자 조각의 "
        "자카드 유사도가 0.8 이상이거나, 그런 글을 거쳐 이어진 것입니다."
    ),
    "kind": "종류",
    "exact_kind": "글자까지 같음",
    "normalised_kind": "정규화하면 같음",
    "near_kind": "거의 같음",
    "repeats": "되풀이된 행",
    "share": "비율",
    "groups": "묶음",
    "largest_groups": "거의 같은 글의 큰 묶음",
    "size": "행 수",
    "which": "행 번호",
    "example": "글",
    "conflicts_title": "같은 글, 다른 라벨",
    "near_conflicts_title": "거의 같은 글, 다른 라벨",
    "row_column": "행",
    "id_column": "아이디",
    "label": "라벨",
    "overlap_title": "{against}와 겹치는 글",
    "overlap_text": "양쪽에 모두 있는 글을 각각의 쪽에서 셌습니다. 조금 다른 짝을 먼저 보입니다.",
    "of_here": "이쪽 행",
    "of_there": "그쪽 행",
    "here": "이쪽",
    "there": "그쪽",
    "scripts": "문자",
    "scripts_plot": "그 문자가 하나라도 든 글의 비율입니다.",
    "script": "문자",
    "of_texts": "글 가운데",
    "of_characters": "글자 가운데",
    "hangul": "한글",
    "hanja_script": "한자",
    "latin_script": "로마자",
    "digits": "숫자",
    "emoji": "이모지",
    "damaged_title": "깨진 글",
    "signs_title": "기호뿐인 글",
    "vocabulary_title": "어휘",
    "vocabulary_text": (
        "어절은 띄어쓰기 단위, 형태소는 전처리 뒤에 센 것, 실질 형태소는 명사, 동사, 형용사, 어근입니다. 전체 "
        "형태소 출현의 {}를 덮으려면 가장 흔한 {}개가 필요합니다."
    ),
    "tokens": "출현",
    "distinct": "서로 다른 것",
    "once": "한 번만",
    "once_share": "서로 다른 것 중",
    "once_occurrences": "출현 중",
    "content": "실질 형태소",
    "telling": "분류별 특징어",
    "telling_plot": (
        "그 라벨의 글을 나머지와 가르는 낱말입니다(사전 분포를 둔 로그 승산비의 z값, Monroe 외 2008). 라벨과 "
        "상관없어 보이는 낱말은 데이터가 어떻게 모였는지를 알려 줍니다."
    ),
    "cleaning": "전처리 전과 후",
    "before": "있는 그대로의 어절",
    "after": "{} 뒤의 실질 형태소",
    "cloud_text": "자주 나올수록 큽니다. 왼쪽은 조사와 어미 때문에 같은 낱말이 흩어집니다.",
    "step": "단계",
    "changed": "바뀐 글",
    "old": "전",
    "new": "후",
    "more_examples": "보기 더 보기",
    "none_of_it": "없습니다.",
    "footer": "gallae가 만들었습니다. 이 페이지는 다른 파일이 없어도 열립니다.",
}

LANGUAGES = {"en": ENGLISH, "ko": KOREAN}


def words(language: str) -> dict[str, str]:
    """The phrases of an audit.

    Raises:
        GallaeError: for a language that it does not speak.
    """
    if language not in LANGUAGES:
        raise GallaeError(f"an audit is written in {' or '.join(LANGUAGES)}, not in {language!r}.")
    return LANGUAGES[language]
