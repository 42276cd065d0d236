"""A newcomer's first hour: own photographs, own text and digits, in one line each.

Sizes are overridden to cost seconds; stages are forked (tests/forked.py), which
saves each the import of TensorFlow. Real processes: test_experiment.py.
"""

from __future__ import annotations

import json
import pathlib
import shlex

import numpy as np
import pytest
from PIL import Image, ImageDraw

from darts_tf.config import PipelineConfig
from darts_tf.errors import InputError
from darts_tf.programs import pipeline
from darts_tf.run.process import children
from tests.programs import forked_pipeline

CLASSES = ("bars", "discs", "squares")
TINY_IMAGES = {
    "search_epochs": 1,
    "search_channels": 2,
    "search_layers": 3,
    "epochs": 2,
    "channels": 2,
    "layers": 3,
}
TINY_TEXT = {
    "search_epochs": 1,
    "search_hidden_size": 8,
    "method": "first_order",
    "epochs": 1,
    "hidden_size": 8,
}


def photograph(name: str, rng) -> Image.Image:
    """One image of a class, of any size, in a colour of the class."""
    width, height = rng.integers(20, 60, 2).tolist()
    image = Image.new("RGB", (width, height), (40, 40, 40))
    draw = ImageDraw.Draw(image)
    box = (4, 4, width - 5, height - 5)
    if name == "bars":
        for x in range(0, width, 6):
            draw.line((x, 0, x, height), fill=(220, 60, 60), width=2)
    elif name == "discs":
        draw.ellipse(box, fill=(60, 220, 60))
    else:
        draw.rectangle(box, fill=(60, 60, 220))
    return image


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> pathlib.Path:
    """Three folders of forty: PNG and JPEG, grey, palette, alpha, of many sizes."""
    root, rng = tmp_path_factory.mktemp("data") / "my photos", np.random.default_rng(0)
    for name in CLASSES:
        (root / name).mkdir(parents=True)
        for number in range(40):
            image = photograph(name, rng)
            mode = ("RGB", "L", "P", "RGBA", "RGB")[number % 5]
            suffix = "jpg" if mode in ("RGB", "L") and number % 2 else "png"
            image.convert(mode).save(root / name / f"{number:02d}.{suffix}")
    return root


@pytest.fixture(scope="module")
def own_text(tmp_path_factory) -> pathlib.Path:
    """A folder of sentences of nine words."""
    root, rng = tmp_path_factory.mktemp("data") / "text", np.random.default_rng(0)
    root.mkdir()
    parts = (("train", 120), ("valid", 24), ("test", 24))
    for name, lines in parts:
        words = rng.choice("the a cat dog sees hears big small .".split(), (lines, 6))
        text = "\n".join(" ".join(line) for line in words)
        (root / f"{name}.txt").write_text(text + "\n")
    return root


def rows(output: str) -> dict[str, str]:
    lines = output[output.rindex("Done in") :].splitlines()[1:]
    return {line[2:16].strip(): line[17:] for line in lines}


@pytest.mark.slow
@pytest.mark.program
def test_photographs_become_a_model_that_classifies_a_file(photos, tmp_path):
    import tensorflow as tf

    workdir = tmp_path / "runs"
    settings = {"dataset": "folder", "data_dir": str(photos), **TINY_IMAGES}
    code, output = forked_pipeline.run(workdir, **settings)
    assert code == 0, output
    for said in (
        "3 classes, several sizes, the median",
        "image_size 32: ",
        "expected: about ",
        "classes: bars (32), discs (32), squares (32)",
        "images: 48 w, 48 alpha; test images are read last",
        "size: 32 x 32 pixels, scaled to it, colour",
        "memory: about ",
        "step 1: compiling",
    ):
        assert said in output, said
    table = rows(output)
    assert table["accuracy"].endswith("of 24 test images")
    assert table["chance"].startswith("33.33%, always answering 'bars'")
    assert "trained in the same way" in table["DARTS_V2"]
    assert all(len(line) <= 100 for line in output.splitlines() if "epoch " in line)
    model = tf.saved_model.load(str(workdir / "evaluate" / "export"))
    with Image.open(photos / "discs" / "04.png") as image:
        pixels = np.asarray(image.convert("RGB").resize((32, 32)), np.uint8)
    answer = model.signatures["serving_default"](images=pixels[None])
    names = [name.decode() for name in model.class_names.numpy()]
    assert names[int(answer["probabilities"].numpy().argmax())] in CLASSES


@pytest.mark.slow
@pytest.mark.program
def test_a_text_becomes_a_model(own_text, tmp_path):
    settings = {"dataset": "text_folder", "data_dir": str(own_text), **TINY_TEXT}
    settings["compare_published"] = False
    code, output = forked_pipeline.run(tmp_path / "runs", **settings)
    assert code == 0, output
    assert "words of training" in output and "vocabulary of 11" in output
    table = rows(output)
    assert table["perplexity"].endswith("of 167 test words")
    assert "by how often words occur, 11 by guessing evenly" in table["chance"]
    assert (tmp_path / "runs" / "evaluate" / "export" / "saved_model.pb").is_file()
    assert "oneDNN" not in output


@pytest.fixture
def stages(monkeypatch, tmp_path):
    """The stages that a pipeline starts; each leaves a result at once."""
    started = []

    def stage(self, child, gpus=None):
        started.append(child.command[2:])
        child.leaves.parent.mkdir(parents=True, exist_ok=True)
        chance = {"error": 0.5, "answer": "bars"}
        test = {"error": 0.25, "images": 100}
        result = {"test": test, "chance": chance, "parameters": 5}
        child.leaves.write_text(json.dumps(result))
        return children.ChildExit(child, 0, 0.0)

    monkeypatch.setattr(children.Parent, "run", stage)
    # Its page shows runs, and these folders hold results alone.
    monkeypatch.setattr(pipeline.compare, "write_page", lambda folders, page: None)
    return started


def test_a_restart_goes_on_with_the_same_choices(stages, photos, tmp_path, capsys):
    settings = {"dataset": "folder", "data_dir": str(photos), "epochs": 7}
    assert pipeline.run(PipelineConfig(**settings), tmp_path / "a") == 0
    first, output = list(stages), capsys.readouterr().out
    stages.clear()
    with Image.open(photos / "bars" / "00.png") as image:
        for number in range(40, 400):
            image.save(photos / "bars" / f"{number}.bmp")
    try:
        config = PipelineConfig(**settings, compare_random_cells=2)
        assert pipeline.run(config, tmp_path / "a") == 0
    finally:
        for path in photos.rglob("*.bmp"):
            path.unlink()
    assert stages[: len(first)] == first and len(stages) == len(first) + 2
    again = capsys.readouterr().out
    chosen = [line for line in output.splitlines() if line.startswith("  ")][:10]
    assert all(line in again for line in chosen)
    table = rows(again)
    assert "2 cells" in table["random cells"]
    assert "trained in the same way" in table["DARTS_V2"] and table["did it pay?"]


def test_given_settings_reach_their_stages(stages, photos, tmp_path):
    settings = {"dataset": "folder", "data_dir": str(photos), "seed": 3}
    config = PipelineConfig(**settings, epochs=7, search_epochs=5, flip=False)
    pipeline.run(config, tmp_path / "a")
    search, derive, evaluate, export, published = stages
    assert "--epochs=5" in search and "--epochs=7" in evaluate
    for flags in (search, evaluate, published):
        assert {"--noflip", "--seed=3", "--dataset=folder"} <= {*flags}
        assert f"--data_dir={photos}" in flags
    assert "--genotype=DARTS_V2" in published
    own = ("--workdir=", "--genotype=")
    training, compared = (
        [flag for flag in flags if not flag.startswith(own)]
        for flags in (evaluate, published)
    )
    assert training == compared  # the same training


def test_the_next_command_parses_and_is_the_same_pipeline(
    stages, photos, tmp_path, capsys
):
    from absl import flags

    from darts_tf.cli import flags as config_flags

    settings = {"dataset": "folder", "data_dir": str(photos), "flip": False}
    pipeline.run(PipelineConfig(**settings), tmp_path / "a b")
    words = shlex.split(rows(capsys.readouterr().out)["next"])
    values = flags.FlagValues()
    config_flags.define(PipelineConfig, "Folder.", into=values)
    assert len(values(words[2:])) == 1
    config = config_flags.parsed_config(PipelineConfig, values)
    assert config == PipelineConfig(**settings, compare_random_cells=5)
    assert values.workdir == str(tmp_path / "a b")


def test_settings_of_the_other_task_are_refused_at_once(stages, own_text, tmp_path):
    config = PipelineConfig(dataset="text_folder", data_dir=str(own_text), channels=4)
    with pytest.raises(InputError, match="`channels` means nothing with"):
        pipeline.run(config, tmp_path / "a")
    assert not stages and not (tmp_path / "a").exists()


def test_flagfiles_say_themselves_whether_images_are_mirrored(stages, tmp_path):
    for name in ("topics", "digits", None):
        files = {
            f"{n}_flags": f"configs/{name}/{n}.flags" for n in ("search", "evaluate")
        }
        config = PipelineConfig(**files if name else {})
        pipeline.run(config, tmp_path / f"{name}")
    passed = ["--noflip" in stage for stage in stages if stage[0] == "search"]
    assert passed == [False, False, True]  # the last without flagfiles


@pytest.mark.parametrize(
    "data_dir, words",
    [
        (None, "`dataset=folder` needs `data_dir`, the folder of your images"),
        ("no/photos", "`data_dir=no/photos` is no folder"),
    ],
)
def test_a_folder_that_is_not_there_is_refused_at_once(
    stages, tmp_path, data_dir, words
):
    with pytest.raises(InputError, match=words):
        pipeline.run(PipelineConfig(dataset="folder", data_dir=data_dir), tmp_path)
    assert not stages and not list(tmp_path.iterdir())


def test_the_folder_may_be_given_from_home(stages, photos, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(photos.parent))
    given = f"~/{photos.name}"
    pipeline.run(PipelineConfig(dataset="folder", data_dir=given), tmp_path / "a")
    assert f"--data_dir={given}" in stages[0]


def test_other_settings_than_those_of_the_first_start_are_refused(
    stages, photos, tmp_path
):
    settings = {"dataset": "folder", "data_dir": str(photos)}
    pipeline.run(PipelineConfig(**settings), tmp_path / "a")
    with pytest.raises(InputError, match="`epochs`: the run has"):
        pipeline.run(PipelineConfig(**settings, epochs=3), tmp_path / "a")
