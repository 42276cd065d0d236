"""Says whether a search paid, and how far its numbers carry; pure functions."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence

NORMAL_95 = 1.96
STUDENT_95 = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23)
"""Two-sided 95 % quantiles of Student's t with 1, 2, ... degrees of freedom."""

TEXT_SPREAD = 0.06
"""Difference of two perplexities, as a share, that trainings from other seeds make.

1.96 x sqrt(2) x 2.1 %, the largest deviation over three trainings of one cell in
docs/results.md (Penn Treebank, reduced).
"""


CHANGED = (
    "Not known: examples were added, removed or changed between these trainings. Start "
    "anew in another --workdir."
)


@dataclasses.dataclass(frozen=True)
class Outcomes:
    """Test results of trainings that differ in the cell alone.

    Attributes:
      found: result.json of the cell that was searched ("chance" is missing in
        those of version 0.2).
      published: of the published cell; None where it was not trained.
      random: of random cells.
      name: of the published cell.
    """

    found: Mapping
    published: Mapping | None = None
    random: Sequence[Mapping] = ()
    name: str = "DARTS_V2"


def lines(outcomes: Outcomes) -> list[tuple[str, str]]:
    """Returns (name, text) of each measure, and of the verdict."""
    found = outcomes.found
    text = "perplexity" in found["test"]
    rows = _text_rows(found) if text else _image_rows(found)
    if outcomes.published:
        value = _formatted(outcomes.published)
        rows.append(
            (outcomes.name, f"{value}, the published cell, trained in the same way")
        )
    if outcomes.random:
        rows.append(("random cells", _spread(outcomes.random)))
    verdict = _text_verdict if text else _image_verdict
    if _changed(outcomes):
        return [*rows, ("did it pay?", CHANGED)]
    return [*rows, *(("did it pay?", line) for line in verdict(outcomes))]


def _changed(outcomes: Outcomes) -> bool:
    """Returns whether trainings read other data, as far as that is known."""
    results = [outcomes.found, outcomes.published or {}, *outcomes.random]
    known = {result.get("flags", {}).get("fingerprint") for result in results}
    return len(known - {None}) > 1


def _image_rows(found: Mapping) -> list[tuple[str, str]]:
    test, chance = found["test"], found.get("chance")
    rows = [("accuracy", f"{1 - test['error']:.2%} of {test['images']:,} test images")]
    if chance:
        guess = f"{1 - chance['error']:.2%}, always answering {chance['answer']!r}"
        rows.append(("chance", f"{guess}, the largest class"))
    return rows


def _text_rows(found: Mapping) -> list[tuple[str, str]]:
    test, chance = found["test"], found.get("chance")
    rows = [("perplexity", f"{test['perplexity']:.2f} of {test['words']:,} test words")]
    if chance:
        unigram = f"{chance['unigram_perplexity']:.2f} by how often words occur"
        even = f"{chance['perplexity']:,.0f} by guessing evenly"
        rows.append(("chance", f"{unigram}, {even}"))
    return rows


def _formatted(result: Mapping) -> str:
    test = result["test"]
    if "perplexity" in test:
        return f"{test['perplexity']:.2f}"
    return f"{1 - test['error']:.2%}"


def _value(result: Mapping) -> float:
    """Returns accuracy in percent, or the perplexity."""
    test = result["test"]
    return test.get("perplexity", 100 * (1 - test.get("error", 0)))


def _spread(random: Sequence[Mapping]) -> str:
    values = [_value(result) for result in random]
    unit = "" if "perplexity" in random[0]["test"] else " %"
    if len(values) == 1:
        return f"{values[0]:.2f}{unit} (1 cell), trained in the same way"
    mean, deviation = statistics.mean(values), statistics.stdev(values)
    return (
        f"{mean:.2f} ± {deviation:.2f}{unit} ({len(values)} cells, {min(values):.2f} "
        f"to {max(values):.2f}), trained in the same way"
    )


def _image_verdict(outcomes: Outcomes) -> list[str]:
    found, count = outcomes.found["test"], outcomes.found["test"]["images"]
    guess = outcomes.found.get("chance", {}).get("error", 1.0)
    if guess - found["error"] <= _margin(guess, 0.0, count):
        return [
            "No: the network is not told apart from guessing. Give it more images "
            "or more --epochs first."
        ]
    texts = []
    if outcomes.published:
        error = outcomes.published["test"]["error"]
        gain, margin = error - found["error"], _margin(error, found["error"], count)
        texts.append(_beside_published(100 * gain, 100 * margin, count, outcomes.name))
    return texts + _beside_random(outcomes)


def _margin(first: float, second: float, count: int) -> float:
    """Returns how far two errors on `count` images may differ by chance (95 %)."""
    variance = first * (1 - first) + second * (1 - second)
    return NORMAL_95 * math.sqrt(variance / count)


def _beside_published(gain: float, margin: float, count: int, name: str) -> str:
    seeds = "one training each, so the spread between seeds is not in this"
    if abs(gain) <= margin:
        return (
            f"Not shown: {gain:+.1f} points against {name}, and {count:,} test "
            f"images leave ± {margin:.1f} open ({seeds})."
        )
    answer = "Yes" if gain > 0 else "No"
    return (
        f"{answer}, as far as one training each tells: {gain:+.1f} points against "
        f"{name}, more than the ± {margin:.1f} that {count:,} test images leave "
        "open. The spread between seeds is not in this."
    )


def _beside_random(outcomes: Outcomes) -> list[str]:
    values = [_value(result) for result in outcomes.random]
    if len(values) < 2:
        return []
    degrees = len(values) - 1
    quantile = STUDENT_95[min(degrees, len(STUDENT_95)) - 1]
    mean, deviation = statistics.mean(values), statistics.stdev(values)
    margin = quantile * deviation * math.sqrt(1 + 1 / len(values))
    text = "perplexity" in outcomes.found["test"]
    difference = _value(outcomes.found) - mean
    gain = -difference if text else difference
    word = "Yes" if gain > margin else "No" if gain < -margin else "Not shown"
    unit = "" if text else " points"
    return [
        f"{word}, beside random cells: {difference:+.2f}{unit} from their mean, and "
        f"one more random cell would be within ± {margin:.2f} (95 %)."
    ]


def _text_verdict(outcomes: Outcomes) -> list[str]:
    found = outcomes.found["test"]["perplexity"]
    chance = outcomes.found.get("chance", {})
    if found >= chance.get("unigram_perplexity", math.inf):
        return [
            "No: the model is no better than how often words occur. Give it more "
            "text or more --epochs first."
        ]
    texts = []
    if outcomes.published:
        change = found / outcomes.published["test"]["perplexity"] - 1
        word = "Not shown"
        if abs(change) > TEXT_SPREAD:
            word = "Yes" if change < 0 else "No"
        texts.append(
            f"{word}: {change:+.1%} against DARTS_V2 with one training each; "
            f"trainings from other seeds differ by up to {TEXT_SPREAD:.0%} (measured "
            "on Penn Treebank)."
        )
    return texts + _beside_random(outcomes)
