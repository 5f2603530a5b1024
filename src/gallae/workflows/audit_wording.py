"""What the audit says, in English (with the Korean terms); Korean stands in `audit_korean`."""

from __future__ import annotations

from gallae.errors import GallaeError
from gallae.workflows.audit_korean import KOREAN

ENGLISH = {
    "more": "and {} more",
    "rows": "rows {}",
    "row": "row {}",
    "blank": "Texts that are empty or only white space: {count} ({where}). Drop them or fill them in.",
    "all_blank": "All texts ({count}) are empty or only white space. Is --text-column the right one?",
    "damaged": (
        "Texts with a damaged encoding: {count} ({share}; {where}), {kinds}. Repair the file at its "
        "source or read it with its true --encoding, and drop what cannot be repaired."
    ),
    "replacement": "{} with � in place of bytes that did not decode",
    "latin": "{} in UTF-8 that was read as Latin-1",
    "cp949": "{} in UTF-8 that was read as CP949",
    "control": "{} with control characters (which the step control removes)",
    "one_label": "Every row has the label {label}: there is nothing to tell apart.",
    "conflicts": (
        "Texts that stand under more than one label, spaces and punctuation apart: {texts}, in {rows} "
        "rows ({share}; {where}). Give each one label, or drop them. As it is, nothing can get "
        "{outvoted} of these rows right."
    ),
    "conflicts_multi": (
        "Texts that stand with differing sets of labels: {texts}, in {rows} rows ({share}; {where}). "
        "Give each one set, or drop them."
    ),
    "near_conflicts": (
        "Nearly the same text under different labels: {texts} groups, {rows} rows ({share}; {where}). "
        "Read them: this is where wrong labels are found most easily."
    ),
    "exact": "Rows that repeat an earlier text to the letter: {count} ({share}; {where}). Drop them.",
    "near": (
        "Rows that are nearly the same as an earlier one: {count} ({share}; {where}). Of the rows of a "
        "random fifth held out, {straddling} would have such a twin in training, which flatters the "
        "figures: split with data.keep_duplicates_together = true."
    ),
    "overlap": (
        "Rows of {against} with a near duplicate here: {count} of {total} ({share}; {where} there), "
        "{exact} of them equal to the letter. Figures measured across the two will be too good: drop "
        "these rows from one of the two."
    ),
    "no_overlap": "No text of {against} stands here too, nor a near duplicate of it.",
    "labels_differ": (
        "Texts of {against} that stand here under another label: {count} ({where} there). Read them: "
        "the two may not have been labelled alike."
    ),
    "unknown_labels": (
        "Labels of {against} that have no row here: {labels}. Nothing can be learned of them."
    ),
    "label_shift": (
        "{against} has another balance of labels, above all {label}: {here} here, {there} there. A model "
        "takes the balance it was trained on for granted, which costs accuracy where it is another."
    ),
    "no_rows_label": "Labels without any row: {labels}.",
    "small_labels": (
        "Labels with fewer than {least} rows: {labels}. A model learns little of them, and what is "
        "measured on them is mostly chance: find more rows, or merge or drop these labels."
    ),
    "imbalance": (
        "The labels are unbalanced: {most} has {high} rows, {ratio} times as many as {fewest} with "
        '{low}. Look at macro-F1 rather than accuracy, and compare with model.class_weight = "balanced".'
    ),
    "unlabelled_rows": "Rows without any label: {count} ({share}). Is that meant so?",
    "signs_only": "Texts of nothing but signs or emoji: {count} ({where}), such as {example}.",
    "repeated_index": "Rows that repeat an id of the index column: {count} ({where}), such as {example}.",
    "little_hangul": "Only {share} of the texts hold any Hangul. Is --text-column the right one?",
    "html": "Texts with HTML tags or entities: {count} ({share}). Keep the step html.",
    "control_step": "Texts with invisible characters: {count} ({share}). Keep the step control.",
    "nfc": (
        "Texts with decomposed or look-alike characters, which make two words of one: {count} ({share}). "
        "Keep the step nfc."
    ),
    "no_labels": (
        "No label column was found, so balance, contradictions and telling terms are left out. If the file "
        "has labels, name their column by --label-column."
    ),
    "hanja": (
        "Texts with hanja (한자): {share}. The step hanja reads them (美 as 미국); measure whether that "
        "helps, as it does not always."
    ),
    "long": (
        "Texts of more than 512 morphemes: {count} ({share}). Encoders such as BERT read their first 512 "
        "tokens only."
    ),
    "rare": (
        "Of {words} different morphemes {once} are seen only once; they make up {occurrences} of all "
        "occurrences. The {ninety_five} most frequent cover 95 %."
    ),
    "fine": "Nothing to complain of: {kinds}.",
    "no_blank": "no empty text",
    "no_damaged": "no damaged encoding",
    "no_conflicts": "no text under two labels",
    "no_exact": "no repeated text",
    "title": "Audit of {source}",
    "summary_line": "{rows} rows. Rows are counted from 0, the header apart.",
    "findings": "Findings (점검 결과)",
    "notes": "Also good to know",
    "card_rows": "rows (건수)",
    "card_exact": "repeated texts (중복)",
    "card_near": "{} nearly",
    "card_conflicts": "texts under two labels",
    "card_length": "median length (길이)",
    "card_characters": "characters; longest {}",
    "card_vocabulary": "vocabulary (어휘)",
    "card_morphemes": "morphemes; {} seen once",
    "labels": "Labels (라벨 분포)",
    "labels_plot": (
        "Rows of each label. Always answering {most} would be right in {share} of the rows: measure "
        "accuracy against that."
    ),
    "labels_plot_multi": (
        "Rows of each label, and their share of all labels given; a row may have several. Rows that "
        "have none: {none}."
    ),
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
        "Normalised texts differ only in spaces, punctuation, case or width. Near duplicates share at "
        "least 0.8 of their three-character shingles (Jaccard), directly or through others of their "
        "group."
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
    "overlap_text": (
        "Texts that stand in both, from either side. Pairs that are not quite equal come first."
    ),
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
    "kind_control": "control characters",
    "kind_cp949": "UTF-8 read as CP949",
    "kind_latin": "UTF-8 read as Latin-1",
    "kind_replacement": "bytes that did not decode",
    "signs_title": "Texts of nothing but signs",
    "vocabulary_title": "Vocabulary (어휘)",
    "vocabulary_text": (
        "Words stand between white space. Morphemes are counted after cleaning; content morphemes are "
        "nouns, verbs, adjectives and roots."
    ),
    "coverage_text": "So many of the most frequent morphemes cover such a share of all their occurrences:",
    "tokens": "occurrences",
    "distinct": "different",
    "once": "seen once",
    "once_share": "of the different",
    "once_occurrences": "of occurrences",
    "content": "content morphemes",
    "telling": "Most telling terms (분류별 특징어)",
    "telling_plot": (
        "The terms that tell a label's texts from all others (log-odds with an informative prior, "
        "z-scores; Monroe et al. 2008). Terms that have no business with a label point to how the corpus "
        "was collected."
    ),
    "cleaning": "Before and after cleaning (전처리 전후)",
    "before": "Words as they stand",
    "after": "Content morphemes after {}",
    "cloud_text": (
        "The more frequent, the larger. On the left, particles and endings split a word into many."
    ),
    "step": "step",
    "changed": "texts changed",
    "old": "before",
    "new": "after",
    "more_examples": "More examples",
    "none_of_it": "There is none.",
    "footer": "Made by gallae. This page needs nothing beside it.",
    "card_label_count": "{} labels (라벨)",
    "card_label_count_multi": "{} labels, {:.2f} a row",
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
