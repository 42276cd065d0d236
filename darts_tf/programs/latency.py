"""Measures the latency of all parts of a space's networks, as a table.

Every part is timed in two passes over all parts. What is known is written after
each part into OUT.partial, so that a killed run goes on; OUT itself appears at
the end, and only if the passes agree. A part's latency is the mean of its two
medians, less that of a call that computes nothing, which every network has once.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import tqdm

from darts_tf.config import LatencyConfig, TrainingConfig
from darts_tf.config_rules import settle
from darts_tf.errors import InputError
from darts_tf.networks import implementation
from darts_tf.networks.footprint import latency_table
from darts_tf.networks.footprint.part import CALL, Part
from darts_tf.networks.footprint.parts import NetworkParts
from darts_tf.programs import plugins, search_costs
from darts_tf.programs.commands import command, quoted
from darts_tf.reading import expanded, read_json, reason_of
from darts_tf.run.export import litert
from darts_tf.run.files import write_atomic, write_json_atomic
from darts_tf.run.loop.progress import duration
from darts_tf.run.timing import Timed, Timing, origin, set_threads
from darts_tf.run.workdir import made
from darts_tf.space.genotype import Genotype
from darts_tf.space.registry import is_chain, space_by_name

PASSES = 2
EQUAL = 0.05
"""Operations that differ by less are not said to have an order."""

LINE_SECONDS = 30.0
"""Time between lines of progress where there is no terminal."""


@dataclasses.dataclass(frozen=True)
class Noise:
    """Disagreement of two passes over the same parts.

    Attributes:
      difference: median of the differences between the passes, each as a share
        of the smaller time.
      pairs: pairs of candidates at one shape.
      swapped: those that the passes order differently, with more than EQUAL
        between them.
      unsure: parts that differ by more than was allowed, or are in such a pair.
    """

    difference: float
    pairs: int
    swapped: int
    unsure: tuple[Part, ...]

    @property
    def swaps(self) -> float:
        """Returns the swapped pairs as a share of all."""
        return self.swapped / max(self.pairs, 1)


def run(config: LatencyConfig) -> str:
    """Measures what is missing and writes the table; returns a summary.

    Raises:
      InputError: settings or files cannot be used, LiteRT lacks an operation, or
        the machine is too noisy.
    """
    plugins.load(config.plugin)
    config = settle(config)
    out = expanded(config.out or "")
    _check_place(config, out)
    if config.runtime == "tensorflow":
        set_threads(config.threads)
    parts, measured = parts_of(config), Measured(out, config)
    prepare = functools.cache(functools.partial(_prepared, config, parts))
    if out.exists():
        _check_same(config, parts, measured)
    else:
        _measure(parts, measured, prepare)
        _check_noise(config, parts, measured)
        write_atomic(out, latency_table.as_csv(_rows(config, parts, measured)))
        measured.path.unlink(missing_ok=True)
    if config.models is not None:
        _write_models(expanded(config.models), parts, prepare)
    return _summary(config, parts, out)


def parts_of(config: LatencyConfig) -> NetworkParts:
    """Returns the parts of the networks that the settings describe."""
    genotype = search_costs.first_genotype(space_by_name(config.space))
    return network_of(config, genotype).parts()


def timed_network(config: LatencyConfig, genotype: Genotype) -> Timed:
    """Returns the whole network of a genotype as the runtime takes it."""
    shape = config.image_size, config.image_size, config.image_channels
    return _timed(config, network_of(config, genotype), [shape])


def network_of(config: LatencyConfig, genotype: Genotype):
    """Returns the built network of a genotype at the size of the settings."""
    names = ("width_multiplier",) if is_chain(config.space) else ("channels", "layers")
    sizes: dict[str, Any] = {name: getattr(config, name) for name in names}
    if config.network != "cifar":
        sizes["network"] = config.network
    return search_costs.build_from(
        settle(TrainingConfig(space=config.space, **sizes)),
        genotype,
        (config.image_size, config.image_size, config.image_channels),
        config.classes,
    )


class Measured:
    """The times that are known, in a file beside the table.

    Args:
      out: path of the table.
      config: settled settings.

    Attributes:
      path: of the file.
      origin: how is measured, by latency_table.ORIGIN.
      times: for each pass the timings by part.

    Raises:
      InputError: the file is of other settings, or cannot be read.
    """

    def __init__(self, out: Path, config: LatencyConfig):
        self.path = out.with_name(f"{out.name}.partial")
        self.origin = origin(config.runtime) | {
            "threads": str(config.threads),
            "batch_size": str(config.batch_size),
            "quantize": config.quantize,
        }
        self.times: list[dict[Part, Timing]] = [{} for _ in range(PASSES)]
        if self.path.exists():
            self._read()

    def _read(self) -> None:
        try:
            content = read_json(self.path)
            before = content["origin"]
            times = [
                {Part(*row[:6]): Timing(*row[6:]) for row in rows}
                for rows in content["times"]
            ]
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise InputError(
                f"{self.path} cannot be read ({reason_of(error)}); delete it"
            ) from error
        changed = [n for n, value in self.origin.items() if before.get(n) != value]
        if changed or len(times) != PASSES:
            name = changed[0] if changed else "passes"
            raise InputError(
                f"{self.path} was measured with {name} {before.get(name)!r}, and now "
                f"it is {self.origin.get(name)!r}; delete it, or give another `out`"
            )
        self.times = times

    def write(self) -> None:
        """Writes all times."""
        rows = [[(*vars(p).values(), *t) for p, t in d.items()] for d in self.times]
        write_json_atomic(self.path, {"origin": self.origin, "times": rows})

    def forget(self, parts: tuple[Part, ...]) -> None:
        """Drops the times of these parts, to be measured again."""
        for times in self.times:
            for part in parts:
                times.pop(part, None)
        self.write()


def _check_place(config: LatencyConfig, out: Path) -> None:
    if not out.parent.is_dir():
        raise InputError(
            f"`out={config.out}`: there is no folder {out.parent}; make it, or give "
            "another file"
        )
    if not os.access(out.parent, os.W_OK) or out.is_dir():
        raise InputError(f"`out={config.out}` cannot be written; give another file")


def _check_same(config: LatencyConfig, parts: NetworkParts, measured: Measured):
    """Refuses a finished table that is not what would be measured now."""
    table = latency_table.read_latency_table(config.out or "", config.space)
    changed = [n for n, v in measured.origin.items() if table.origin.get(n) != v]
    if changed or any(p not in table.milliseconds for p in parts.distinct()):
        name = changed[0] if changed else "size of the networks"
        raise InputError(
            f"`out={config.out}` exists and was measured with another {name}; give "
            "another file"
        )


def _measure(
    parts: NetworkParts, measured: Measured, prepare: Callable[[Part], Timed]
) -> None:
    """Times each part in each pass, unless it is known already."""
    todo = [(n, p) for n in range(PASSES) for p in parts.distinct()]
    missing = [(n, p) for n, p in todo if p not in measured.times[n]]
    for number, part in _with_progress(missing, len(todo)):
        measured.times[number][part] = prepare(part).measure()
        measured.write()


def _prepared(config: LatencyConfig, parts: NetworkParts, part: Part) -> Timed:
    """Returns a part as the runtime takes it.

    Raises:
      InputError: LiteRT cannot run it.
    """
    try:
        return prepared(config, parts, part)
    except litert.Unconvertible as error:
        raise litert.Unconvertible(
            f"{part.operation}: {error.reason}",
            "measure by `runtime=tensorflow`, or leave that candidate out of the space",
        ) from error


def prepared(config: LatencyConfig, parts: NetworkParts, part: Part) -> Timed:
    """Returns a part as the runtime takes it.

    Args:
      config: settled settings.
      parts: of the networks.
      part: one of them.

    Raises:
      litert.Unconvertible: LiteRT cannot run it.
    """
    piece = parts.makers[part]()
    return _timed(config, piece, [part.input_shape] * piece.inputs)


def _timed(config: LatencyConfig, layer, shapes: Sequence[Sequence[int]]) -> Timed:
    """Returns a built layer or network as the runtime takes it.

    Args:
      config: settled settings.
      layer: it takes one map, or a list of several.
      shapes: of the maps, [H, W, C] each.
    """

    def compute(x):
        with implementation.exported():
            return layer(x, training=False)

    shapes = [(config.batch_size, *shape) for shape in shapes]
    return Timed(
        compute, layer, shapes, config.runtime, config.threads, config.quantize
    )


def _write_models(
    folder: Path, parts: NetworkParts, prepare: Callable[[Part], Timed]
) -> None:
    """Writes OPERATION_HxW_IN_OUT_sSTRIDE.tflite for each part."""
    made(folder, "models")
    for part in parts.distinct():
        operation, height, width, *channels, stride = vars(part).values()
        sizes = f"{height}x{width}_{'_'.join(map(str, channels))}_s{stride}"
        path = folder / f"{operation}_{sizes}.tflite"
        content = prepare(part).content
        assert content is not None  # a rule: by LiteRT
        write_atomic(path, content)


def _with_progress(
    missing: list[tuple[int, Part]], total: int
) -> Iterator[tuple[int, Part]]:
    """Yields what is missing, and shows on stderr how much is left."""
    done, start = total - len(missing), time.monotonic()
    last_line = start
    with tqdm.tqdm(
        total=total, initial=done, unit="part", ncols=80, disable=None
    ) as bar:
        for count, (number, part) in enumerate(missing):
            bar.set_description_str(f"pass {number + 1}/{PASSES}", refresh=False)
            yield number, part
            bar.update(1)
            now = time.monotonic()
            if bar.disable and now - last_line > LINE_SECONDS:
                last_line = now
                left = (now - start) / (count + 1) * (len(missing) - count - 1)
                place = f"{done + count + 1}/{total}"
                print(f"part {place}, {duration(left)} left", file=sys.stderr)


def noise_of(
    parts: NetworkParts, times: list[Mapping[Part, Timing]], allowed: float
) -> Noise:
    """Compares two passes.

    Args:
      parts: of the networks.
      times: the two passes.
      allowed: the largest difference of a part that is no reason to time it again.
    """
    first, second = ({p: t.median for p, t in pass_.items()} for pass_ in times)
    differences = {
        p: abs(first[p] - second[p]) / min(first[p], second[p])
        for p in parts.distinct()
    }
    pairs = [
        pair
        for group in parts.alternatives()
        for pair in itertools.combinations(group, 2)
    ]
    swapped = [pair for pair in pairs if _swapped(pair, first, second)]
    unsure = [p for p, value in differences.items() if value > allowed]
    unsure += [part for pair in swapped for part in pair]
    return Noise(
        statistics.median(differences.values()),
        len(pairs),
        len(swapped),
        tuple(dict.fromkeys(unsure)),
    )


def _swapped(pair: tuple[Part, Part], *passes: Mapping[Part, float]) -> bool:
    """Returns whether two passes order two parts differently."""
    gaps = []
    for times in passes:
        one, other = (times[part] for part in pair)
        gaps.append((one - other) / max(one, other))
    return gaps[0] * gaps[1] < 0 and max(map(abs, gaps)) > EQUAL


def _check_noise(config: LatencyConfig, parts: NetworkParts, measured: Measured):
    noise = noise_of(parts, list(measured.times), config.max_noise)
    if max(noise.difference, noise.swaps) <= config.max_noise:
        return
    measured.forget(noise.unsure)
    raise InputError(
        f"this machine is too noisy to tell operations apart: two passes differ by "
        f"{noise.difference:.0%} in the median and order {noise.swapped} of "
        f"{noise.pairs} pairs differently, where `max_noise={config.max_noise:g}`; "
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; stop other work and "
        "repeat the command, which times what differs again"
    )


def _rows(
    config: LatencyConfig, parts: NetworkParts, measured: Measured
) -> list[dict[str, object]]:
    def mean(part: Part, place: int) -> float:
        return statistics.mean(times[part][place] for times in measured.times) * 1e6

    call, rows = mean(CALL, 0), []
    for part in parts.distinct():
        value = mean(part, 0)
        value = value if part == CALL else max(value - call, 0.0)
        rows.append(
            latency_table.row_of(
                config.space, part, value, mean(part, 1), measured.origin
            )
        )
    return rows


def _summary(config: LatencyConfig, parts: NetworkParts, out: Path) -> str:
    """Reads the table as a search does, and says what it predicts."""
    table = latency_table.read_latency_table(out, config.space)
    least, most = table.costs(space_by_name(config.space), parts).bounds()
    how = ", ".join(
        f"{name.replace('_', ' ')} {value}" for name, value in table.origin.items()
    )
    sizes = {"cost_channels": config.channels, "cost_layers": config.layers}
    sizes |= {"cost_image_size": config.image_size}
    if is_chain(config.space):
        sizes = {"width_multiplier": f"{config.width_multiplier:g}"}
        sizes |= {"cost_image_size": config.image_size}
    size = " ".join(f"--{name}={value}" for name, value in sizes.items())
    return f"""
Latencies of {len(table.milliseconds)} parts: {out}
  measured by   {how}
  networks      of this size take {least:.3f} to {most:.3f} ms, as predicted
  next          {command("search")} --space={config.space} --cost=latency \\
                    --latency_table={quoted(out)} {size} \\
                    --cost_target={(least + most) / 2:.3g}ms --workdir=runs/search"""
