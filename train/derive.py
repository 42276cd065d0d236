"""Derives the cells of a search's alpha and draws them.

Without --genotype: from alpha.npz of the search in --workdir, after its last
finished epoch (early stopping may have gone back to another) or the one
given. With --genotype: only draws that one. With --random: draws a random
one, a baseline for a search.

--method=perturbation measures on the search's supernet what each operation
is worth, and tunes it in between. It is a long run with a folder of its own
in that of the search, whose genotype.json stays.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip  (quiets TensorFlow first)

import json
import pathlib

from absl import flags

from darts_tf.cli import derivation_flags
from darts_tf.cli import flags as run_flags
from darts_tf.programs import nasbench201_oracle
from darts_tf.programs.alpha_history import AlphaHistory, check_has_alpha
from darts_tf.run.files import write_atomic
from darts_tf.run.pictures import genotypes
from darts_tf.run.workdir import existing_workdir, read_flags
from darts_tf.space.published import load_genotype
from darts_tf.space.registry import space_by_name
from darts_tf.strategy.black_box.random_choice import random_genotype

FLAGS = flags.FLAGS
run_flags.define_derivation()
run_flags.define_truth()
derivation_flags.define_perturbation(run_flags.MAX_SEED)
run_flags.define_pace()
flags.adopt_module_key_flags(run_flags)
flags.adopt_module_key_flags(derivation_flags)


def main(_) -> None:
    """genotype.json, its picture, and the curves of alpha."""
    derivation_flags.check_perturbation(FLAGS)
    if FLAGS.method == "perturbation":
        # Only here TensorFlow is needed, which takes seconds to import.
        from darts_tf.programs import perturbation
        from darts_tf.run.process import quiet_tensorflow  # noqa: F401  (first)

        perturbation.derive(FLAGS)
        return
    if FLAGS.genotype or FLAGS.random is not None:
        nasbench201_oracle.check(FLAGS, FLAGS.space)
        genotype = given()
        folder = pathlib.Path(FLAGS.workdir)
        folder.mkdir(parents=True, exist_ok=True)
    else:
        workdir = existing_workdir(FLAGS.workdir)
        stored = read_flags(workdir.path)
        check_has_alpha(stored, workdir.path)
        space = space_by_name(stored["space"])
        nasbench201_oracle.check(FLAGS, space.name)
        folder = workdir.path
        history = AlphaHistory(workdir.alpha, space)
        genotype = history.genotype(FLAGS.epoch or returned_epoch(workdir))
        curves = genotypes.draw_alpha_history(space, history.mixing_weights())
        write_atomic(folder / "alpha.png", genotypes.figure_to_png(curves))
    name = f"genotype_{FLAGS.epoch:04d}" if FLAGS.epoch else "genotype"
    if not FLAGS.epoch:
        write_atomic(folder / "genotype.json", genotype.to_json())
    files = genotypes.save_genotype(genotype, folder / name)
    print(genotype.to_json() + "\n".join(map(str, files)))
    print(nasbench201_oracle.told(FLAGS, genotype), end="")


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


if __name__ == "__main__":
    entry_point.run(main)
