"""Warnings at the end of a search: collapsed cells, early stops."""

from __future__ import annotations

import dataclasses
import textwrap

from darts_tf.config import SearchConfig
from darts_tf.strategy.diagnostics.collapse import NOTHING, collapse

WIDTH = 80


def outcome(loop, genotype) -> dict:
    """Returns "collapsed" (the reason or None) and "early_stop" (or None)."""
    stop = loop.stop
    return {
        "collapsed": collapse(loop.space, genotype) or None,
        "early_stop": stop and dataclasses.asdict(stop),
    }


def format_outcome(outcome: dict, config: SearchConfig) -> str:
    """Returns an outcome as paragraphs, "" where there is nothing to warn of."""
    texts = []
    if outcome["early_stop"]:
        texts.append(_stopped(outcome["early_stop"], config))
    if outcome["collapsed"]:
        texts.append(_collapsed(outcome["collapsed"], config))
    return "".join(
        textwrap.fill(
            text,
            WIDTH,
            initial_indent="  ",
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        + "\n"
        for text in texts
    )


def _stopped(stop: dict, config: SearchConfig) -> str:
    return (
        f"Stopped by --early_stop={config.early_stop} after epoch "
        f"{stop['epoch']} of {config.epochs}: {stop['reason']}. The genotype "
        f"is that of epoch {stop['taken']}."
    )


def _collapsed(reason: str, config: SearchConfig) -> str:
    if reason.endswith(NOTHING):
        return (
            f"ALARM: the search ends at a zero cell: {reason}. Zero competes with the "
            "other operations here, and how much of it the edges into a cell's output "
            "carry is nearly free, so that this may be the rule's doing and not the "
            "search's: see the cell with zero excluded below, and docs/collapse.md"
        )
    return (
        f"ALARM: the search has collapsed: {reason}. DARTS often does; the "
        f"network will be poor. Try, in another --workdir: "
        f"{'; '.join(_remedies(config))}. See docs/collapse.md"
    )


def _remedies(config: SearchConfig) -> list[str]:
    """Returns remedies against collapse that this search did not use."""
    remedies = []
    regularizes = config.optimization == "bilevel" and config.space != "darts_recurrent"
    if regularizes and config.lambda_regularizer == "none":
        remedies.append(
            "--lambda_regularizer=cosine --lambda_gradient=exact (Lambda-DARTS)"
        )
    if config.early_stop == "none":
        remedies.append("--early_stop=eigenvalue or --early_stop=skip_connections")
    remedies.append("fewer --epochs")
    remedies.append(
        f"a --weight_decay above {config.weight_decay:g} (Zela et al. 2020 go "
        f"up to 0.0243)"
    )
    return remedies
