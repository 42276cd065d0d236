#!/usr/bin/env bash
# Everything that has to pass before a change is merged:
#
#   python3 -m venv .venv-test
#   .venv-test/bin/pip install -r requirements-test.txt
#   PYTHON=.venv-test/bin/python tests/ci.sh
#
# Lint, format, types, docs, the wheel in an environment of its own outside of the
# clone, all tests.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$(realpath --no-symlinks "$(command -v "${PYTHON:-python}")")

step() { printf '\n== %s\n' "$*"; }

step "ruff"
"$python" -m ruff check .
"$python" -m ruff format --check .

step "pyright"
"$python" -m pyright --level error --pythonpath "$python"

step "docs"
NO_MKDOCS_2_WARNING=1 "$python" -m mkdocs build --quiet --strict --site-dir "$(mktemp -d)"

step "wheel"
PYTHON=$python tests/wheel.sh

step "tests"
"$python" -m pytest -q -n "${WORKERS:-2}" --dist loadfile
