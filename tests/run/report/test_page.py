"""Pages escape all that comes from outside and need nothing but themselves."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from darts_tf.run.report import charts, classes, page
from darts_tf.run.report.page import Section

NASTY = '<script>alert("1")</script> & more'
ESCAPED = "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; more"
PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 300, 200)


@pytest.mark.parametrize(
    "made",
    [
        page.page(NASTY, "", []),
        page.page("", NASTY, []),
        page.page("", "", [Section(NASTY, "x")]),
        page.paragraph(NASTY),
        page.cards({NASTY: "1"}),
        page.cards({"1": NASTY}),
        page.code(NASTY),
        page.folded(NASTY, ""),
        page.picture(PNG, NASTY),
        page.table([NASTY], [["1"]]),
        page.table(["1"], [[NASTY]]),
        classes.section(np.eye(2, dtype=np.int64), [NASTY, "b"]),
        classes.section(np.ones((30, 30), np.int64), [NASTY] * 30),
    ],
)
def test_texts_are_escaped(made):
    assert ESCAPED in made and "<script" not in made


def test_sections_without_content_are_left_out():
    made = page.page("t", "", [Section("empty", ""), Section("full", "<p>x</p>")])
    assert "empty" not in made and '<h2 id="part0">full</h2>\n<p>x</p>' in made


def test_a_picture_has_its_size():
    assert 'width="150"' in page.picture(PNG, "", 0.5)


COUNTS = np.array([[8, 2, 0], [0, 5, 5], [0, 0, 0]])


def test_accuracy_of_each_class():
    assert classes.accuracies(COUNTS) == [0.8, 0.5, None]
    made = classes.section(COUNTS, ["a", "b", "c"])
    assert "80.0%" in made and "50.0%" in made and "no images" in made
    assert made.count("<td style=") == 9


def test_many_classes_stay_small():
    rng = np.random.default_rng(0)
    counts = np.diag(np.full(1000, 50)) + rng.integers(0, 2, (1000, 1000))
    counts[7] = 0
    counts[7, 3] = 90
    made = classes.section(counts, [f"class {k}" for k in range(1000)])
    assert len(made) < 20_000
    assert "of 1,000" in made and "90 of 90" in made
    first = made.index("class 7<")
    assert made.count("<tr>") == 2 + 2 * classes.MOST and first < made.index("class 3<")


def test_nothing_wrong_has_no_confusions():
    made = classes.section(np.diag(np.full(30, 5)), ["x"] * 30)
    assert "confusions" not in made


RECORDS = [
    {"kind": "steps", "step": 2, "epoch": 1, "train/loss": 2.0, "valid/loss": "nan"},
    {"kind": "epoch", "step": 4, "epoch": 1, "valid/accuracy": 0.5, "seconds": 9.0},
    {"kind": "steps", "step": 6, "epoch": 2, "train/loss": 1.0, "valid/loss": 3.0},
]


def test_curves_count_in_epochs_and_pass_over_what_is_no_number():
    points = charts.curves(RECORDS)
    assert points == {
        "train/loss": ([0.5, 1.5], [2.0, 1.0]),
        "valid/loss": ([1.5], [3.0]),
        "valid/accuracy": ([1.0], [0.5]),
    }
    figure = charts.draw_measures(points)
    assert [axes.get_title() for axes in figure.axes] == ["loss", "accuracy"]
    assert len(figure.axes[0].lines) == 2
    assert charts.draw_measures({}) is None


def test_perplexities_of_the_first_steps_do_not_flatten_the_rest():
    points = {"train/perplexity": ([1, 2, 3], [10_000.0, 120.0, 100.0])}
    (axes,) = charts.draw_measures(points).axes
    assert axes.get_ylim()[1] == 2000


def test_several_runs_share_a_chart():
    runs = {
        "$a$ <b>": {"valid/accuracy": ([1], [0.5])},
        "b": {"train/accuracy": ([1], [0.7])},
        "c": {},
    }
    (axes,) = charts.draw_runs(runs).axes
    assert [line.get_linestyle() for line in axes.lines] == ["-", "--"]
    axes.figure.canvas.draw()
    assert charts.draw_runs({"c": {}}) is None


def test_entropies_stand_below_their_bound():
    points = {"entropy/normal": ([1, 2], [2.0, 1.5]), "entropy/other": ([1], [1.0])}
    (axes,) = charts.draw_entropies(points, {"normal": np.log(8)}).axes
    entropy, bound = axes.lines
    assert list(entropy.get_ydata()) == [2.0, 1.5]
    assert set(bound.get_ydata()) == {np.log(8)}
    assert charts.draw_entropies({}, {"normal": 1.0}) is None
