"""Derives the cells of a search's alpha and draws them.

Without --genotype: from alpha.npz of the search in --workdir, after its last
finished epoch (early stopping may have gone back to another) or the one
given. With --genotype: only draws that one. With --random: draws a random
one, a baseline for a search.
"""

from __future__ import annotations

from darts_tf.run import cli  # isort: skip  (quiets TensorFlow first)

import json
import pathlib

import numpy as np
from absl import flags

from darts_tf.errors import InputError
from darts_tf.run import flags as run_flags
from darts_tf.run import pictures
from darts_tf.run.files import write_atomic
from darts_tf.run.workdir import existing_workdir, read_flags
from darts_tf.space.published import load_genotype
from darts_tf.space.registry import space_by_name
from darts_tf.strategy import derivation
from darts_tf.strategy.random_choice import random_genotype

FLAGS = flags.FLAGS
run_flags.define_derivation()
flags.adopt_module_key_flags(run_flags)


def main(_) -> None:
    """genotype.json, its picture, and the curves of alpha."""
    if FLAGS.genotype or FLAGS.random is not None:
        genotype = given()
        folder = pathlib.Path(FLAGS.workdir)
        folder.mkdir(parents=True, exist_ok=True)
    else:
        workdir = existing_workdir(FLAGS.workdir)
        space = space_by_name(read_flags(workdir.path)["space"])
        folder, history = workdir.path, read_history(workdir.alpha, space)
        epoch = FLAGS.epoch or returned_epoch(workdir)
        alpha = [rows[epoch - 1] for rows in history.values()]
        genotype = derivation.derive(space, alpha)
        weights = {n: derivation.softmax(h) for n, h in history.items()}
        curves = pictures.draw_alpha_history(space, weights)
        write_atomic(folder / "alpha.png", pictures.figure_to_png(curves))
    if not FLAGS.epoch:
        write_atomic(folder / "genotype.json", genotype.to_json())
    files = pictures.save_genotype(genotype, folder / "genotype")
    print(genotype.to_json() + "\n".join(map(str, files)))


def given():
    """The genotype that needs no search."""
    if FLAGS.genotype:
        return load_genotype(FLAGS.genotype, FLAGS.space)
    return random_genotype(space_by_name(FLAGS.space), FLAGS.random)


def returned_epoch(workdir) -> int:
    """Where early stopping went back to an epoch, that one; else 0."""
    if not workdir.result.exists():
        return 0
    result = json.loads(workdir.result.read_text("utf-8"))
    return (result.get("early_stop") or {}).get("taken", 0)


def read_history(path, space) -> dict[str, np.ndarray]:
    """alpha's history [epochs, edges, candidates] by cell, checked."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            history = {s.name: arrays[s.name] for s in space.cells}
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{path} holds no history of alpha ({error}); give the --workdir "
            f"of a search with at least one finished epoch"
        ) from None
    epochs = len(next(iter(history.values())))
    if FLAGS.epoch > epochs:
        raise InputError(f"--epoch={FLAGS.epoch}: the search has {epochs}")
    return history


if __name__ == "__main__":
    cli.run(main)
