"""What a finished search has to warn of, in words and for result.json."""

from __future__ import annotations

import dataclasses
import textwrap

from darts_tf.strategy.diagnostics.collapse import collapse

WIDTH = 80


def outcome(loop, genotype) -> dict:
    """ "collapsed" (why, or None) and "early_stop" (of it, or None)."""
    stop = loop.stop
    return {
        "collapsed": collapse(loop.space, genotype) or None,
        "early_stop": stop and dataclasses.asdict(stop),
    }


def told(found: dict, flags) -> str:
    """An outcome as paragraphs, "" where all went its usual way."""
    texts = []
    if found["early_stop"]:
        texts.append(_stopped(found["early_stop"], flags))
    if found["collapsed"]:
        texts.append(_collapsed(found["collapsed"], flags))
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


def _stopped(stop: dict, flags) -> str:
    return (
        f"Stopped by --early_stop={flags.early_stop} after epoch "
        f"{stop['epoch']} of {flags.epochs}: {stop['reason']}. The genotype "
        f"is that of epoch {stop['taken']}."
    )


def _collapsed(reason: str, flags) -> str:
    return (
        f"ALARM: the search has collapsed: {reason}. DARTS often does; the "
        f"network will be poor. Try, in another --workdir: "
        f'{"; ".join(_remedies(flags))}. See README, "Why did my search '
        f'collapse?"'
    )


def _remedies(flags) -> list[str]:
    """What this search did not use yet."""
    found = []
    if "lambda_regularizer" in flags and flags.lambda_regularizer == "none":
        found.append(
            "--lambda_regularizer=cosine --lambda_gradient=exact (Lambda-DARTS)"
        )
    if flags.early_stop == "none":
        found.append("--early_stop=eigenvalue or --early_stop=skip_connections")
    found.append("fewer --epochs")
    found.append(
        f"a --weight_decay above {flags.weight_decay:g} (Zela et al. 2020 go "
        f"up to 0.0243)"
    )
    return found
