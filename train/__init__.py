"""The programs as modules, for `python -m train.NAME` from a clone."""
