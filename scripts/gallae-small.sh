#!/bin/sh
# Makes checkpoints/gallae-small again: its tokenizer, then its weights. Some hours on two cores; run it again to go on.
#   GALLAE_DATA=FOLDER scripts/gallae-small.sh [WORK FOLDER]
set -eu
texts=${GALLAE_DATA:?is the folder of the data sets}/pretrain
work=${1:-runs/gallae-small}
mkdir -p "$work"

of() { # "of 8 headlines" gives each line of the file eight times an epoch
    weight=$1
    shift
    for name; do printf '%s/%s.txt.xz@%s\n' "$texts" "$name" "$weight"; done
}

[ -e "$work/tokenizer" ] || gallae tokenizer train -o "$work/tokenizer" \
    --kind morpheme --size 32000 --min-count 20 --most 125000 \
    $(of 3 headlines) $(of 4 nsmc_reviews_all) \
    $(of 1.5 chat_short_sentences boddari_wikinews_unesco_bookreview_fairytale) \
    $(of 2 parallel_news_ko_side ud_korean_sentences korquad_dev_wiki) \
    $(of 0.3 docs_python_ko docs_react_opensourceguide_d2l_rust_pytorch_laravel docs_tensorflow_ko) \
    $(of 0.1 docs_microsoft_visualstudio docs_microsoft_cpp kaebyok_1920s_magazine)

if [ -e "$work/run.partial" ]; then run=--resume; else run=--output; fi
gallae pretrain --recipe gallae-small --tokenizer "$work/tokenizer" $run "$work/run" \
    $(of 8 headlines) $(of 0.5 nsmc_reviews_all) $(of 1 chat_short_sentences) \
    $(of 3 boddari_wikinews_unesco_bookreview_fairytale parallel_news_ko_side) \
    $(of 2 ud_korean_sentences) $(of 3 korquad_dev_wiki) \
    $(of 0.3 docs_python_ko docs_react_opensourceguide_d2l_rust_pytorch_laravel docs_tensorflow_ko) \
    $(of 0.05 docs_microsoft_visualstudio docs_microsoft_cpp kaebyok_1920s_magazine)
echo "written: $work/run/model. Its card is checkpoints/gallae-small/README.md: bring the figures up to date."
