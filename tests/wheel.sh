#!/usr/bin/env bash
# Builds the wheel, installs it in a fresh environment outside of the clone, imports
# it there and runs a small search of the embedded digits.
#
# The environment sees the packages of $PYTHON's through a .pth file, so that
# TensorFlow is not installed twice; the wheel itself is installed by pip, and
# `pip check` compares its requirements with what is there.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$(realpath --no-symlinks "$(command -v "${PYTHON:-python}")")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

git ls-files -z | xargs -0 tar cf - | (mkdir "$folder/source" && tar xf - -C "$folder/source")
"$python" -m build --wheel --outdir "$folder/dist" "$folder/source" >"$folder/build.log" 2>&1 ||
  { cat "$folder/build.log" >&2; exit 1; }
"$python" -m venv "$folder/env"
purelib='import sysconfig; print(sysconfig.get_path("purelib"))'
"$python" -c "$purelib" >"$("$folder/env/bin/python" -c "$purelib")/packages.pth"
"$folder/env/bin/pip" install --quiet --no-deps --no-index "$folder"/dist/*.whl
"$folder/env/bin/pip" check

cd "$folder" # not the clone: only what was installed can be imported
"$folder/env/bin/python" - <<'PYTHON'
import importlib.metadata
import pathlib
import sys

import darts_tf

assert "tensorflow" not in sys.modules, "import darts_tf loads TensorFlow"
assert pathlib.Path(darts_tf.__file__).is_relative_to(sys.prefix), darts_tf.__file__
assert importlib.metadata.version("darts-tf") == darts_tf.__version__
print("darts-tf", darts_tf.__version__, "from", darts_tf.__file__)
PYTHON
"$folder/env/bin/darts-tf-search" --dataset=digits --noflip --crop_padding=1 \
  --channels=2 --layers=3 --epochs=1 --batch_size=32 --examples=256 \
  --method=first_order --workdir="$folder/run"
[ -s "$folder/run/genotype.json" ]
