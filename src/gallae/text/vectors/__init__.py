"""Word vectors: read from the files of word2vec, GloVe and fastText, or trained on a corpus.

`load_vectors` and `train_vectors` make `Vectors`, which are looked up, searched and written to a file.
Kiwi's own vectors are in `gallae.text.kiwi_vectors`.
"""

from gallae.text.vectors.formats import load_vectors
from gallae.text.vectors.table import FastTextVectors, Vectors
from gallae.text.vectors.training import METHODS, check_method, check_vector_options, train_vectors

__all__ = [
    "METHODS",
    "FastTextVectors",
    "Vectors",
    "check_method",
    "check_vector_options",
    "load_vectors",
    "train_vectors",
]
