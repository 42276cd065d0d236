#!/usr/bin/env bash
# Checks and measures the search step on one GPU, in under ten minutes:
#
#   benchmarks/speed/gpu.sh --out=DIR
#
# First whether it computes what the CPU computes, then ours and PyTorch, each
# method of alpha in a row. Exits with 2 where there is no GPU.
# `--device=cpu --small` tries the program itself without one.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec "${PYTHON:-python}" -m benchmarks.speed.gpu "$@"
