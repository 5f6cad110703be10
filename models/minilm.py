"""all-MiniLM-L6-v2 (Wang et al. 2020, arXiv 2002.10957; Reimers and Gurevych 2019, arXiv 1908.10084): texts to vectors of 384.

Tokens go through six transformer layers; the mean of the last layer over the tokens, at unit length, is the vector.
"""

from __future__ import annotations

DIMENSION = 384
N_LAYERS = 6
N_HEADS = 12
LAYER_NORM_EPSILON = 1e-12
