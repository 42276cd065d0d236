#!/usr/bin/env bash
# Tests the oldest releases that requirements.txt allows, and the newest ones.
#
#   tests/versions.sh [FOLDER]     # minutes, and 4 GB in FOLDER; not in CI's time
#
# Makes an environment for each, of the Pythons $OLD_PYTHON (default: python3.10) and
# $NEW_PYTHON (default: python3.13). In both run the goldens of tests/conformance and
# a search, a training and an export, tiny. Then the newest releases go on with the
# checkpoints of the oldest ones, and load their export, which must answer the same.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(realpath -m "${1:-$(mktemp -d)}")
mkdir -p "$folder"
export MPLBACKEND=agg CUDA_VISIBLE_DEVICES=-1

# "name>=1.2  # why" -> "name==1.2"
sed -e 's/ *#.*//' -e '/^$/d' -e 's/>=\([0-9.]*\).*/==\1/' requirements.txt \
  >"$folder/old.txt"
cp requirements.txt "$folder/new.txt"

common=(--dataset=digits --examples=100 --space=nasbench201 --channels=2 --layers=3
  --batch_size=20 --epochs=2)

commands() { # commands ENVIRONMENT RUNS: what a newcomer does, tiny
  local python=$folder/$1/bin/python runs=$2
  "$python" -m train.search "${common[@]}" --method=first_order --workdir="$runs/search"
  "$python" -m train.evaluate "${common[@]}" --genotype="$runs/search/genotype.json" \
    --workdir="$runs/evaluate"
  "$python" -m train.export --workdir="$runs/evaluate"
}

answers() { # answers ENVIRONMENT EXPORT: writes or compares EXPORT's logits
  "$folder/$1/bin/python" - "$2" "$folder/logits.npy" <<'PYTHON'
import pathlib
import sys

import numpy as np
import tensorflow as tf

images = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 1), np.uint8)
serve = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
(name,) = serve.structured_input_signature[1]
logits = serve(**{name: tf.constant(images)})["logits"].numpy()
path = pathlib.Path(sys.argv[2])
if path.exists():
    np.testing.assert_allclose(logits, np.load(path), rtol=1e-4, atol=1e-5)
    print("the export answers the same, up to", np.abs(logits - np.load(path)).max())
else:
    np.save(path, logits)
PYTHON
}

for which in old new; do
  python=${OLD_PYTHON:-python3.10}
  [ $which = new ] && python=${NEW_PYTHON:-python3.13}
  "$python" -m venv --clear "$folder/$which"
  "$folder/$which/bin/pip" install --quiet --upgrade pip # old ones resolve slowly
  "$folder/$which/bin/pip" install --quiet -r "$folder/$which.txt" "pytest>=8"
  "$folder/$which/bin/pip" list 2>/dev/null |
    grep -iE '^(tensorflow|keras|numpy|optuna|tensorboard|tensorflow-datasets) '
  rm -rf "$folder/runs_$which" "$folder/logits.npy"
  commands $which "$folder/runs_$which"
done

answers old "$folder/runs_old/evaluate/export"
answers new "$folder/runs_old/evaluate/export"
for part in search evaluate; do # as if the last epoch were not done yet
  newest=$(ls "$folder/runs_old/$part/checkpoints"/step-*.npz | tail -1)
  rm -r "$newest" "$folder/runs_old/$part/result.json"
done
rm -r "$folder/runs_old/evaluate/export"
commands new "$folder/runs_old"
for which in old new; do
  "$folder/$which/bin/python" -m pytest -q tests/conformance
done
echo "versions: all passed"
