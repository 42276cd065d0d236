"""Published chains, each layer as "kernel expansion", a dot for a skipped one.

MobileNetV2: Sandler et al., CVPR 2018, table 2: expansion 6 and kernel 3 throughout,
2, 3, 4, 3, 3 and 1 layers.

ProxylessNAS-mobile: Cai et al., ICLR 2019, figure 4. The list was compared in two
independent files that agree: "ProxylessNASMobile" of the authors' group
(github.com/mit-han-lab), which gives expansions and kernels by stage, and version
"mobile" of github.com/osmr/imgclsmob, pytorch/pytorchcv/models/proxylessnas.py.

Left out: FBNet-C (Wu et al. 2019), which has blocks of expansion 1 in its stages.
"""

from __future__ import annotations

CHAINS: dict[str, dict[str, str]] = {
    "mobile_chain": {
        "MobileNetV2": (
            "36 36 .  . | 36 36 36 .  | 36 36 36 36 | 36 36 36 .  | 36 36 36 .  | 36"
        ),
    },
    "mobile_chain_proxyless": {
        "ProxylessNAS_mobile": (
            "53 33 .  . | 73 33 53 53 | 76 53 53 53 | 56 53 53 53 | 76 76 73 73 | 76"
        ),
    },
}
"""By space, then by name; stages are divided by "|"."""
