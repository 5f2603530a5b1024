"""What the audit says, in Korean; the keys are those of `audit_wording.ENGLISH`."""

KOREAN = {
    "more": "외 {}건",
    "rows": "행 {}",
    "row": "행 {}",
    "blank": "비었거나 공백뿐인 글: {count}건({where}). 빼거나 채워 넣으세요.",
    "all_blank": "글 {count}건이 모두 비어 있습니다. --text-column이 맞는지 보세요.",
    "damaged": (
        "인코딩이 깨진 글: {count}건({share}, {where}), {kinds}. 원본에서 바로잡거나 맞는 --encoding으로 "
        "다시 읽고, 고칠 수 없으면 빼세요."
    ),
    "replacement": "해독하지 못한 바이트가 �로 남은 글 {}건",
    "latin": "UTF-8을 Latin-1로 읽은 글 {}건",
    "cp949": "UTF-8을 CP949로 읽은 글 {}건",
    "control": "제어 문자가 든 글 {}건(control 단계가 지웁니다)",
    "one_label": "모든 행의 라벨이 같아({label}) 구별할 것이 없습니다.",
    "conflicts": (
        "같은 글(띄어쓰기와 문장 부호는 무시)에 서로 다른 라벨: 글 {texts}가지, {rows}행({share}, "
        "{where}). 라벨을 하나로 정하거나 빼세요. 이대로는 그중 {outvoted}행을 맞힐 길이 없습니다."
    ),
    "conflicts_multi": (
        "같은 글에 서로 다른 라벨 묶음: 글 {texts}가지, {rows}행({share}, {where}). 하나로 정하거나 빼세요."
    ),
    "near_conflicts": (
        "거의 같은 글에 서로 다른 라벨: {texts}묶음, {rows}행({share}, {where}). 읽어 보세요. 틀린 "
        "라벨을 가장 쉽게 찾을 수 있는 곳입니다."
    ),
    "exact": "앞의 글과 글자까지 똑같은 행: {count}건({share}, {where}). 빼세요.",
    "near": (
        "앞의 글과 거의 같은 행: {count}건({share}, {where}). 무작위로 5분의 1을 떼어 검증하면 그 가운데 "
        "{straddling}는 짝이 학습 데이터에 있어 수치가 부풀려집니다. data.keep_duplicates_together = "
        "true로 나누세요."
    ),
    "overlap": (
        "{against}의 행 가운데 거의 같은 글이 여기에 있는 것: {total}건 중 {count}건({share}, 그쪽 "
        "{where}), 글자까지 같은 것은 {exact}건. 한쪽에서 배우고 다른 쪽에서 재면 수치가 부풀려지니 "
        "한쪽에서 빼세요."
    ),
    "no_overlap": "{against}에는 여기와 같거나 거의 같은 글이 없습니다.",
    "labels_differ": (
        "{against}에서는 라벨이 다른 같은 글: {count}건(그쪽 {where}). 두 데이터의 라벨 기준이 다를 수 "
        "있으니 읽어 보세요."
    ),
    "unknown_labels": "{against}에만 있는 라벨: {labels}. 여기서는 배울 수 없습니다.",
    "label_shift": (
        "{against}의 라벨 비율이 다릅니다. 가장 큰 차이는 {label}: 여기 {here}, 그쪽 {there}. 모델은 "
        "배운 데이터의 비율을 당연하게 여기므로 비율이 다르면 정확도가 떨어집니다."
    ),
    "no_rows_label": "한 행도 없는 라벨: {labels}.",
    "small_labels": (
        "{least}행보다 적은 라벨: {labels}. 배우기 어렵고 잰 수치도 우연에 가깝습니다. 더 모으거나, "
        "합치거나, 빼세요."
    ),
    "imbalance": (
        "라벨이 고르지 않습니다. {most}({high}행)가 {fewest}({low}행)의 {ratio}배입니다. 정확도보다 "
        'macro-F1을 보고, model.class_weight = "balanced"와 견주어 보세요.'
    ),
    "unlabelled_rows": "라벨이 하나도 없는 행: {count}건({share}). 의도한 것인지 확인하세요.",
    "signs_only": "기호나 이모지뿐인 글: {count}건({where}). 보기: {example}",
    "repeated_index": "인덱스 열의 값이 되풀이되는 행: {count}건({where}). 보기: {example}",
    "little_hangul": "한글이 든 글이 {share}뿐입니다. --text-column이 맞는지 보세요.",
    "html": "HTML 태그나 엔티티가 든 글: {count}건({share}). html 단계를 두세요.",
    "control_step": "보이지 않는 문자가 든 글: {count}건({share}). control 단계를 두세요.",
    "nfc": (
        "자모가 풀렸거나 모양만 같은 문자가 든 글: {count}건({share}). 한 낱말이 둘로 세어지니 nfc "
        "단계를 두세요."
    ),
    "no_labels": (
        "라벨 열을 찾지 못해 라벨 분포, 상충, 특징어는 살피지 않았습니다. 라벨이 있는 파일이라면 "
        "--label-column으로 열 이름을 알려 주세요."
    ),
    "hanja": (
        "한자가 든 글: {share}. hanja 단계가 읽어 줍니다(美는 미국). 늘 도움이 되지는 않으니 재 보세요."
    ),
    "long": "형태소가 512개를 넘는 글: {count}건({share}). BERT 같은 모델은 앞의 512토큰만 읽습니다.",
    "rare": (
        "서로 다른 형태소 {words}개 가운데 {once}는 한 번만 나오고, 전체 출현의 {occurrences}를 "
        "차지합니다. 가장 흔한 {ninety_five}개가 95 %를 덮습니다."
    ),
    "fine": "문제없음: {kinds}.",
    "no_blank": "빈 글 없음",
    "no_damaged": "깨진 인코딩 없음",
    "no_conflicts": "라벨이 상충하는 글 없음",
    "no_exact": "되풀이되는 글 없음",
    "title": "데이터 점검: {source}",
    "summary_line": "{rows}행. 행 번호는 머리글을 빼고 0부터 셉니다.",
    "findings": "점검 결과",
    "notes": "알아 두면 좋은 것",
    "card_rows": "건수",
    "card_exact": "중복된 글",
    "card_near": "거의 같은 글 {}",
    "card_conflicts": "라벨이 상충하는 글",
    "card_length": "길이의 중앙값",
    "card_characters": "글자, 최장 {}",
    "card_vocabulary": "어휘",
    "card_morphemes": "형태소, 한 번만 {}",
    "labels": "라벨 분포",
    "labels_plot": (
        "라벨별 행 수입니다. 늘 같은 답({most})만 해도 {share}는 맞으니 정확도는 이 값과 견주어 보세요."
    ),
    "labels_plot_multi": (
        "라벨별 행 수와, 붙은 라벨 전체에서의 비율입니다. 한 행에 여럿일 수 있고, 하나도 없는 행은 "
        "{none}건입니다."
    ),
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
        "정규화는 띄어쓰기, 문장 부호, 대소문자, 전각과 반각의 차이를 무시합니다. 거의 같은 글은 세 글자 "
        "조각의 자카드 유사도가 0.8 이상이거나, 그런 글을 거쳐 이어진 것입니다."
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
    "overlap_title": "겹치는 글: {against}",
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
    "kind_control": "제어 문자",
    "kind_cp949": "CP949로 읽은 UTF-8",
    "kind_latin": "Latin-1로 읽은 UTF-8",
    "kind_replacement": "해독하지 못한 바이트",
    "signs_title": "기호뿐인 글",
    "vocabulary_title": "어휘",
    "vocabulary_text": (
        "어절은 띄어쓰기 단위이고 형태소는 전처리한 뒤에 셌습니다. 실질 형태소는 명사, 동사, 형용사, "
        "어근입니다."
    ),
    "coverage_text": "가장 흔한 형태소 몇 개가 전체 출현의 얼마를 덮는지:",
    "tokens": "출현",
    "distinct": "서로 다른 것",
    "once": "한 번만",
    "once_share": "서로 다른 것 중",
    "once_occurrences": "출현 중",
    "content": "실질 형태소",
    "telling": "분류별 특징어",
    "telling_plot": (
        "그 라벨의 글을 나머지와 가르는 낱말입니다(사전 분포를 둔 로그 승산비의 z값, Monroe 외 2008). "
        "라벨과 상관없어 보이는 낱말은 데이터가 어떻게 모였는지를 알려 줍니다."
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
    "card_label_count": "라벨 {}개",
    "card_label_count_multi": "라벨 {}개, 행마다 {:.2f}개",
}
