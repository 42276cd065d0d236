"""The verdict says no more than its numbers carry."""

from __future__ import annotations

import pytest

from darts_tf.programs.pipeline_verdict import Outcomes, lines


def images(error: float, count: int = 1000) -> dict:
    return {
        "test": {"error": error, "images": count},
        "chance": {"error": 0.6, "answer": "cats"},
    }


def text(perplexity: float) -> dict:
    return {
        "test": {"perplexity": perplexity, "words": 900},
        "chance": {"perplexity": 500.0, "unigram_perplexity": 200.0},
    }


def said(outcomes: Outcomes) -> tuple[dict[str, str], list[str]]:
    rows = lines(outcomes)
    verdict = [text for name, text in rows if name == "did it pay?"]
    return {name: text for name, text in rows}, verdict


def test_accuracy_stands_beside_chance_and_the_published_cell():
    rows, _ = said(Outcomes(images(0.1), images(0.2)))
    assert rows["accuracy"] == "90.00% of 1,000 test images"
    assert rows["chance"] == "40.00%, always answering 'cats', the largest class"
    assert rows["DARTS_V2"].startswith("80.00%, the published cell")


@pytest.mark.parametrize(
    "found, published, count, word",
    [
        (0.1, 0.2, 1000, "Yes, as far as one training each tells: +10.0 points"),
        (0.2, 0.1, 1000, "No, as far as one training each tells: -10.0 points"),
        (0.1, 0.11, 1000, "Not shown: +1.0 points"),
        (0.1, 0.2, 24, "Not shown: +10.0 points"),
        (0.0, 0.0, 24, "Not shown: +0.0 points"),
        (0.58, 0.1, 1000, "No: the network is not told apart from guessing"),
    ],
)
def test_a_difference_counts_beyond_what_the_test_images_leave_open(
    found, published, count, word
):
    _, verdict = said(Outcomes(images(found, count), images(published, count)))
    assert len(verdict) == 1 and verdict[0].startswith(word)


@pytest.mark.parametrize(
    "found, word", [(0.01, "Yes"), (0.12, "Not shown"), (0.5, "No")]
)
def test_random_cells_give_a_spread(found, word):
    random = [images(error) for error in (0.1, 0.12, 0.14, 0.11, 0.13)]
    rows, (verdict,) = said(Outcomes(images(found), None, random))
    assert rows["random cells"].startswith("88.00 ± 1.58 % (5 cells, 86.00 to 90.00)")
    assert verdict.startswith(f"{word}, beside random cells")
    # Student's t, 4 degrees: 2.78 x 1.58 x sqrt(1 + 1/5)
    assert "within ± 4.82" in verdict


def test_one_random_cell_has_no_spread():
    rows, verdict = said(Outcomes(images(0.1), None, [images(0.2)]))
    assert rows["random cells"].startswith("80.00 % (1 cell)") and verdict == []


@pytest.mark.parametrize(
    "found, word",
    [(80.0, "Yes: -20.0%"), (99.0, "Not shown: -1.0%"), (130.0, "No: +30.0%")],
)
def test_perplexities_have_the_measured_spread_of_seeds(found, word):
    rows, verdict = said(Outcomes(text(found), text(100.0)))
    assert verdict[0].startswith(word)
    assert rows["chance"] == "200.00 by how often words occur, 500 by guessing evenly"


def test_a_model_worse_than_counting_words_has_not_paid():
    _, (verdict,) = said(Outcomes(text(250.0), text(100.0)))
    assert verdict.startswith("No: the model is no better than how often words occur")


def test_lower_perplexity_than_random_cells_is_a_gain():
    random = [text(value) for value in (100.0, 102.0, 98.0)]
    _, verdict = said(Outcomes(text(50.0), None, random))
    assert verdict[0].startswith("Yes, beside random cells")


def test_results_of_earlier_versions_have_no_chance():
    old = {"test": {"error": 0.1, "images": 1000}}
    rows, verdict = said(Outcomes(old, images(0.1)))
    assert "chance" not in rows and verdict[0].startswith("Not shown")


def test_trainings_on_other_data_do_not_compare():
    def read(error, fingerprint):
        return images(error) | {"flags": {"fingerprint": fingerprint}}

    outcomes = Outcomes(read(0.1, "a"), read(0.2, "a"), [read(0.2, "a"), images(0.3)])
    assert "Yes" in said(outcomes)[1][0]
    _, verdict = said(Outcomes(read(0.1, "a"), read(0.2, "b")))
    assert len(verdict) == 1 and "examples were added, removed or changed" in verdict[0]
