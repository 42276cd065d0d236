"""Cells that were published after DARTS, each from its authors' repository.

For each cell "operation:predecessor" of its eight edges in turn; the output is nodes 2
to 5. Every list was compared with the file that is named beside it. Parameters are of
the network for CIFAR-10 (36 channels, 20 cells, no auxiliary head) as published.

Left out: the cells of FairDARTS (Chu et al. 2020), in most of which a node has one
edge or none, while FairDARTS_d has 3.37 million parameters here where its file says
3.84; and the cell of beta-DARTS (Ye et al. 2022), whose repository does not say which
one it is.
"""

from __future__ import annotations

CELLS: dict[str, tuple[str, str]] = {
    # PC-DARTS (Xu et al. 2020), 3.6 million parameters:
    # github.com/yuhuixu1993/PC-DARTS, genotypes.py, PC_DARTS_cifar and PC_DARTS_image.
    "PC_DARTS_CIFAR": (
        "sep_conv_3x3:1 skip_connect:0 sep_conv_3x3:0 dil_conv_3x3:1 "
        "sep_conv_5x5:0 sep_conv_3x3:1 avg_pool_3x3:0 dil_conv_3x3:1",
        "sep_conv_5x5:1 max_pool_3x3:0 sep_conv_5x5:1 sep_conv_5x5:2 "
        "sep_conv_3x3:0 sep_conv_3x3:3 sep_conv_3x3:1 sep_conv_3x3:2",
    ),
    "PC_DARTS_IMAGENET": (
        "skip_connect:1 sep_conv_3x3:0 sep_conv_3x3:0 skip_connect:1 "
        "sep_conv_3x3:1 sep_conv_3x3:3 sep_conv_3x3:1 dil_conv_5x5:4",
        "sep_conv_3x3:0 skip_connect:1 dil_conv_5x5:2 max_pool_3x3:1 "
        "sep_conv_3x3:2 sep_conv_3x3:1 sep_conv_5x5:0 sep_conv_3x3:3",
    ),
    # P-DARTS (Chen et al. 2019), 3.4 million parameters:
    # github.com/chenxin061/pdarts, genotypes.py, PDARTS.
    "P_DARTS": (
        "skip_connect:0 dil_conv_3x3:1 skip_connect:0 sep_conv_3x3:1 "
        "sep_conv_3x3:1 sep_conv_3x3:3 sep_conv_3x3:0 dil_conv_5x5:4",
        "avg_pool_3x3:0 sep_conv_5x5:1 sep_conv_3x3:0 dil_conv_5x5:2 "
        "max_pool_3x3:0 dil_conv_3x3:1 dil_conv_3x3:1 dil_conv_5x5:3",
    ),
    # DrNAS (Chen et al. 2021), 4.1 million parameters: github.com/xiangning-chen/DrNAS,
    # DARTS-space/genotypes.py, DrNAS_cifar10 and DrNAS_imagenet.
    "DRNAS_CIFAR": (
        "sep_conv_3x3:0 sep_conv_5x5:1 sep_conv_3x3:1 sep_conv_3x3:2 "
        "skip_connect:0 sep_conv_3x3:1 sep_conv_3x3:2 dil_conv_5x5:3",
        "max_pool_3x3:0 sep_conv_5x5:1 dil_conv_5x5:2 sep_conv_5x5:1 "
        "sep_conv_5x5:1 dil_conv_5x5:3 skip_connect:4 sep_conv_5x5:1",
    ),
    "DRNAS_IMAGENET": (
        "sep_conv_3x3:1 sep_conv_3x3:0 sep_conv_3x3:0 sep_conv_3x3:1 "
        "sep_conv_3x3:0 dil_conv_3x3:3 skip_connect:0 sep_conv_3x3:1",
        "max_pool_3x3:0 sep_conv_3x3:1 sep_conv_3x3:0 skip_connect:2 "
        "sep_conv_3x3:0 sep_conv_3x3:2 sep_conv_3x3:3 sep_conv_3x3:1",
    ),
    # GDAS (Dong and Yang 2019), 3.4 million parameters:
    # github.com/D-X-Y/AutoDL-Projects, lib/nas_infer_model/DXYs/genotypes.py, GDAS_V1.
    # (The copy of it in the repository of FairDARTS has another last predecessor.)
    "GDAS_V1": (
        "skip_connect:0 skip_connect:1 skip_connect:0 sep_conv_5x5:2 "
        "sep_conv_3x3:3 skip_connect:0 sep_conv_5x5:4 sep_conv_3x3:3",
        "sep_conv_5x5:0 sep_conv_3x3:1 sep_conv_5x5:2 sep_conv_5x5:1 "
        "dil_conv_5x5:2 sep_conv_3x3:1 sep_conv_5x5:0 sep_conv_5x5:1",
    ),
    # SmoothDARTS (Chen and Hsieh 2020), with random and with adversarial perturbation:
    # github.com/xiangning-chen/SmoothDARTS, sota/cnn/genotypes.py, c10_s5_random and
    # c10_s5_pgd; 3.61 and 3.34 million parameters by a comment in
    # github.com/Sunshine-Ye/Beta-DARTS, sota/cnn/genotypes.py.
    "SDARTS_RS": (
        "sep_conv_3x3:1 sep_conv_3x3:0 sep_conv_5x5:1 skip_connect:0 "
        "sep_conv_3x3:3 skip_connect:1 sep_conv_3x3:1 dil_conv_3x3:2",
        "max_pool_3x3:0 sep_conv_3x3:1 skip_connect:2 max_pool_3x3:0 "
        "dil_conv_5x5:3 max_pool_3x3:0 sep_conv_3x3:2 sep_conv_5x5:3",
    ),
    "SDARTS_ADV": (
        "sep_conv_3x3:0 sep_conv_3x3:1 sep_conv_3x3:1 skip_connect:0 "
        "sep_conv_5x5:0 dil_conv_3x3:3 dil_conv_3x3:4 skip_connect:0",
        "max_pool_3x3:0 sep_conv_5x5:1 skip_connect:2 max_pool_3x3:0 "
        "skip_connect:3 skip_connect:2 skip_connect:2 sep_conv_5x5:4",
    ),
}
