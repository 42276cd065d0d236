#!/usr/bin/env bash
# Everything that has to pass before a change is merged:
#
#   python3 -m venv .venv-test
#   .venv-test/bin/pip install -r requirements-test.txt
#   PYTHON=.venv-test/bin/python tests/ci.sh
#
# Lint and format; types, docs and the wheel in an environment of its own outside of
# the clone, all three at once; all tests.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$(realpath --no-symlinks "$(command -v "${PYTHON:-python}")")
logs=$(mktemp -d)
trap 'jobs -p | xargs -r kill 2>/dev/null || true; rm -rf "$logs"' EXIT

step() { printf '\n== %s\n' "$*"; }

pyright() { "$python" -m pyright --level error --pythonpath "$python"; }
docs() {
  NO_MKDOCS_2_WARNING=1 "$python" -m mkdocs build --quiet --strict --site-dir "$logs/site"
}
wheel() { PYTHON=$python tests/wheel.sh; }

step "ruff"
"$python" -m ruff check .
"$python" -m ruff format --check .

declare -A started
for name in pyright docs wheel; do
  "$name" >"$logs/$name" 2>&1 &
  started[$name]=$!
done
failed=()
for name in pyright docs wheel; do
  step "$name"
  wait "${started[$name]}" || failed+=("$name")
  cat "$logs/$name"
done
if [ ${#failed[@]} -gt 0 ]; then
  echo "failed: ${failed[*]}" >&2
  exit 1
fi

step "tests"
"$python" -m pytest -q -n "${WORKERS:-2}" --dist loadfile
