"""The cells published with Lambda-DARTS (Movahedi et al. 2023), as text.

For each cell "operation:predecessor" of its eight edges in turn; the output
is nodes 2 to 5. LAMBDA_COSINE_* and LAMBDA_SIGN_* are of the DARTS space,
four with each regulariser; LAMBDA_C10, LAMBDA_C100 and LAMBDA_SVHN are of S1
to S4, with the first one, on those data sets. Accuracies are in the paper.
"""

from __future__ import annotations

# space: name: (normal cell, reduction cell)
CELLS: dict[str, dict[str, tuple[str, str]]] = {
    "darts_conv": {
        "LAMBDA_COSINE_0": (
            "sep_conv_5x5:0 skip_connect:1 sep_conv_3x3:2 sep_conv_5x5:1 "
            "sep_conv_3x3:1 max_pool_3x3:0 dil_conv_3x3:2 max_pool_3x3:0",
            "skip_connect:1 skip_connect:0 max_pool_3x3:0 dil_conv_3x3:2 "
            "dil_conv_5x5:3 dil_conv_5x5:1 skip_connect:1 sep_conv_5x5:2",
        ),
        "LAMBDA_COSINE_1": (
            "sep_conv_3x3:0 sep_conv_5x5:1 sep_conv_3x3:1 sep_conv_3x3:0 "
            "sep_conv_3x3:1 skip_connect:0 skip_connect:0 sep_conv_3x3:1",
            "max_pool_3x3:0 max_pool_3x3:1 max_pool_3x3:0 max_pool_3x3:1 "
            "max_pool_3x3:0 dil_conv_5x5:3 dil_conv_5x5:4 dil_conv_5x5:3",
        ),
        "LAMBDA_COSINE_2": (
            "sep_conv_3x3:0 sep_conv_3x3:1 sep_conv_3x3:1 skip_connect:0 "
            "sep_conv_3x3:1 skip_connect:0 sep_conv_3x3:4 dil_conv_3x3:3",
            "skip_connect:0 max_pool_3x3:1 max_pool_3x3:0 sep_conv_5x5:1 "
            "dil_conv_5x5:3 max_pool_3x3:0 dil_conv_5x5:3 dil_conv_5x5:4",
        ),
        "LAMBDA_COSINE_3": (
            "sep_conv_3x3:0 sep_conv_3x3:1 sep_conv_3x3:0 skip_connect:1 "
            "sep_conv_3x3:1 sep_conv_3x3:0 dil_conv_5x5:4 max_pool_3x3:1",
            "skip_connect:0 skip_connect:1 dil_conv_5x5:2 sep_conv_3x3:1 "
            "dil_conv_5x5:3 avg_pool_3x3:0 skip_connect:1 dil_conv_5x5:4",
        ),
        "LAMBDA_SIGN_0": (
            "sep_conv_5x5:1 sep_conv_3x3:0 dil_conv_5x5:2 dil_conv_3x3:0 "
            "dil_conv_3x3:3 sep_conv_3x3:0 dil_conv_3x3:4 skip_connect:0",
            "sep_conv_3x3:0 max_pool_3x3:1 skip_connect:0 skip_connect:2 "
            "sep_conv_5x5:3 dil_conv_3x3:2 dil_conv_5x5:4 sep_conv_5x5:3",
        ),
        "LAMBDA_SIGN_1": (
            "sep_conv_3x3:1 sep_conv_5x5:0 sep_conv_3x3:1 skip_connect:0 "
            "sep_conv_3x3:2 sep_conv_3x3:1 max_pool_3x3:0 dil_conv_5x5:4",
            "max_pool_3x3:0 sep_conv_3x3:1 max_pool_3x3:0 skip_connect:2 "
            "dil_conv_5x5:3 max_pool_3x3:0 dil_conv_5x5:2 sep_conv_5x5:0",
        ),
        "LAMBDA_SIGN_2": (
            "sep_conv_3x3:1 skip_connect:0 sep_conv_3x3:2 sep_conv_3x3:1 "
            "dil_conv_5x5:3 sep_conv_3x3:1 dil_conv_3x3:3 sep_conv_5x5:2",
            "max_pool_3x3:0 skip_connect:1 max_pool_3x3:0 dil_conv_5x5:2 "
            "max_pool_3x3:0 dil_conv_5x5:3 dil_conv_5x5:4 dil_conv_5x5:3",
        ),
        "LAMBDA_SIGN_3": (
            "sep_conv_3x3:1 skip_connect:0 sep_conv_3x3:1 sep_conv_3x3:2 "
            "sep_conv_3x3:1 dil_conv_5x5:3 dil_conv_3x3:3 dil_conv_3x3:2",
            "avg_pool_3x3:1 max_pool_3x3:0 skip_connect:2 max_pool_3x3:0 "
            "dil_conv_5x5:3 skip_connect:2 skip_connect:2 skip_connect:3",
        ),
    },
    "s1": {
        "LAMBDA_C10": (
            "skip_connect:1 dil_conv_3x3:0 dil_conv_5x5:0 sep_conv_3x3:1 "
            "sep_conv_3x3:1 sep_conv_3x3:2 max_pool_3x3:1 dil_conv_5x5:4",
            "max_pool_3x3:0 max_pool_3x3:1 max_pool_3x3:0 dil_conv_5x5:2 "
            "max_pool_3x3:0 max_pool_3x3:1 max_pool_3x3:0 dil_conv_5x5:2",
        ),
        "LAMBDA_C100": (
            "dil_conv_3x3:0 dil_conv_5x5:1 dil_conv_5x5:0 sep_conv_3x3:1 "
            "dil_conv_3x3:3 skip_connect:0 sep_conv_3x3:0 dil_conv_3x3:3",
            "max_pool_3x3:1 max_pool_3x3:0 dil_conv_5x5:2 max_pool_3x3:1 "
            "dil_conv_5x5:3 sep_conv_3x3:1 dil_conv_5x5:4 dil_conv_5x5:3",
        ),
        "LAMBDA_SVHN": (
            "dil_conv_3x3:0 dil_conv_5x5:1 dil_conv_5x5:0 dil_conv_3x3:2 "
            "dil_conv_3x3:3 sep_conv_3x3:2 sep_conv_3x3:0 max_pool_3x3:1",
            "max_pool_3x3:1 max_pool_3x3:0 dil_conv_5x5:2 max_pool_3x3:1 "
            "dil_conv_5x5:3 dil_conv_3x3:2 dil_conv_5x5:3 dil_conv_5x5:4",
        ),
    },
    "s2": {
        "LAMBDA_C10": (
            "skip_connect:1 skip_connect:0 sep_conv_3x3:2 skip_connect:1 "
            "sep_conv_3x3:2 sep_conv_3x3:1 sep_conv_3x3:4 sep_conv_3x3:1",
            "sep_conv_3x3:0 skip_connect:1 sep_conv_3x3:0 sep_conv_3x3:1 "
            "sep_conv_3x3:0 sep_conv_3x3:1 sep_conv_3x3:4 sep_conv_3x3:1",
        ),
        "LAMBDA_C100": (
            "sep_conv_3x3:0 skip_connect:1 sep_conv_3x3:2 sep_conv_3x3:0 "
            "sep_conv_3x3:0 sep_conv_3x3:3 sep_conv_3x3:4 sep_conv_3x3:3",
            "sep_conv_3x3:0 sep_conv_3x3:1 sep_conv_3x3:2 sep_conv_3x3:1 "
            "sep_conv_3x3:3 sep_conv_3x3:2 sep_conv_3x3:3 sep_conv_3x3:4",
        ),
        "LAMBDA_SVHN": (
            "skip_connect:1 sep_conv_3x3:0 sep_conv_3x3:2 sep_conv_3x3:1 "
            "sep_conv_3x3:1 sep_conv_3x3:0 sep_conv_3x3:3 sep_conv_3x3:1",
            "skip_connect:0 skip_connect:1 sep_conv_3x3:2 skip_connect:1 "
            "skip_connect:0 skip_connect:1 sep_conv_3x3:2 sep_conv_3x3:4",
        ),
    },
    "s3": {
        "LAMBDA_C10": (
            "skip_connect:0 sep_conv_3x3:1 sep_conv_3x3:0 sep_conv_3x3:1 "
            "sep_conv_3x3:0 sep_conv_3x3:3 sep_conv_3x3:0 sep_conv_3x3:4",
            "sep_conv_3x3:1 sep_conv_3x3:0 skip_connect:1 skip_connect:0 "
            "sep_conv_3x3:0 sep_conv_3x3:1 sep_conv_3x3:1 skip_connect:2",
        ),
        "LAMBDA_C100": (
            "sep_conv_3x3:0 sep_conv_3x3:1 sep_conv_3x3:0 sep_conv_3x3:1 "
            "sep_conv_3x3:0 sep_conv_3x3:1 sep_conv_3x3:2 sep_conv_3x3:1",
            "sep_conv_3x3:1 sep_conv_3x3:0 sep_conv_3x3:2 sep_conv_3x3:1 "
            "sep_conv_3x3:0 sep_conv_3x3:3 sep_conv_3x3:3 sep_conv_3x3:4",
        ),
        "LAMBDA_SVHN": (
            "sep_conv_3x3:1 sep_conv_3x3:0 sep_conv_3x3:1 sep_conv_3x3:2 "
            "sep_conv_3x3:2 sep_conv_3x3:1 sep_conv_3x3:3 sep_conv_3x3:4",
            "sep_conv_3x3:0 sep_conv_3x3:1 sep_conv_3x3:2 sep_conv_3x3:0 "
            "sep_conv_3x3:3 sep_conv_3x3:2 sep_conv_3x3:3 sep_conv_3x3:4",
        ),
    },
    "s4": {
        "LAMBDA_C10": (
            "sep_conv_3x3:0 sep_conv_3x3:1 sep_conv_3x3:0 sep_conv_3x3:1 "
            "sep_conv_3x3:0 sep_conv_3x3:1 sep_conv_3x3:0 sep_conv_3x3:1",
            "sep_conv_3x3:0 sep_conv_3x3:1 sep_conv_3x3:0 sep_conv_3x3:1 "
            "sep_conv_3x3:0 sep_conv_3x3:1 sep_conv_3x3:0 sep_conv_3x3:1",
        ),
        "LAMBDA_C100": (
            "sep_conv_3x3:0 sep_conv_3x3:1 sep_conv_3x3:0 sep_conv_3x3:1 "
            "sep_conv_3x3:0 sep_conv_3x3:2 sep_conv_3x3:0 sep_conv_3x3:1",
            "sep_conv_3x3:0 sep_conv_3x3:1 sep_conv_3x3:0 sep_conv_3x3:1 "
            "sep_conv_3x3:0 sep_conv_3x3:1 sep_conv_3x3:0 sep_conv_3x3:2",
        ),
        "LAMBDA_SVHN": (
            "sep_conv_3x3:0 sep_conv_3x3:1 sep_conv_3x3:0 sep_conv_3x3:1 "
            "sep_conv_3x3:0 sep_conv_3x3:1 sep_conv_3x3:0 sep_conv_3x3:1",
            "sep_conv_3x3:0 sep_conv_3x3:1 sep_conv_3x3:0 sep_conv_3x3:2 "
            "sep_conv_3x3:0 sep_conv_3x3:1 sep_conv_3x3:0 sep_conv_3x3:3",
        ),
    },
}
