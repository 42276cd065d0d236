"""The task of images: data, networks, loops and measures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from darts_tf.config import MAX_SEED, SearchConfig, TrainingConfig
from darts_tf.config_rules import SearchStage, search_stages
from darts_tf.data.images.loading import ImageData, largest_share
from darts_tf.descent.replicas import Replicas
from darts_tf.estimation import training
from darts_tf.estimation.training_settings import TrainingSettings
from darts_tf.networks import (
    chain,
    conv,
    implementation,
    initial_weights,
    nasbench201,
)
from darts_tf.networks.footprint import counts
from darts_tf.programs import (
    diagnostics,
    image_export,
    memory_report,
    multiply_adds_limit,
    nasbench201_oracle,
    search_costs,
    setup,
)
from darts_tf.programs.export_request import ExportRequest
from darts_tf.programs.image_data import Batches, Data, load_data, once, united
from darts_tf.programs.task import ImageConfig
from darts_tf.run.report import classes
from darts_tf.space.cell import SearchSpace
from darts_tf.space.chain import ChainSpace
from darts_tf.space.genotype import Genotype
from darts_tf.space.registry import is_chain, space_by_name
from darts_tf.strategy.darts import search_loop, tasks
from darts_tf.strategy.darts.cost_penalty import CostPenalty
from darts_tf.strategy.darts.joint import SEARCHES
from darts_tf.strategy.darts.search_settings import SearchSettings
from darts_tf.strategy.darts.staged_search import StagedSearch

UNBALANCED = 1.5
"""The largest class, in shares of a balanced one, from which summaries tell it."""


class ImageProgramTask:
    """Implements `darts_tf.programs.task.Task` for images, on `image_data.Data`."""

    def search_data(self, config: SearchConfig, data: ImageData | None = None) -> Data:
        """Returns a part for w and a part for alpha.

        In a joint search both are the union, and a third part is measured.
        """
        portions = [config.train_portion, 1 - config.train_portion]
        divided = load_data(config, portions, data)
        return united(divided) if setup.joint(config) else divided

    def search(
        self, config: SearchConfig, replicas: Replicas, data: Data
    ) -> search_loop.Search | StagedSearch:
        """Returns the supernet's search loop."""
        space, stages = space_by_name(config.space), search_stages(config)
        if not stages:
            penalty = search_costs.penalty(config, data.images, replicas)
            return self._search(config, replicas, data, space, penalty)

        def build(number: int, space: SearchSpace) -> search_loop.Search:
            of_stage = stage_config(config, stages[number], number)
            if number:
                keras.utils.set_random_seed(of_stage.seed)
            later = space if number else None
            penalty = search_costs.penalty(of_stage, data.images, replicas, later)
            loop = self._search(of_stage, replicas, data, space, penalty)
            if replicas.chief:
                print(_format_stage(stages, number), flush=True)
            if number:  # the program reports the first one's memory
                model, method = loop.task.model, config.method
                memory_report.report(model, method, of_stage, data, replicas)
            return loop

        return StagedSearch(
            space,
            [stage.operations for stage in stages],
            [stage.epochs for stage in stages],
            build,
        )

    def _search(
        self,
        config: SearchConfig,
        replicas: Replicas,
        data: Data,
        space: SearchSpace,
        penalty: CostPenalty | None,
    ) -> search_loop.Search:
        """Returns the loop of a search without stages, or of one of its stages."""
        model = built_supernet(config, data, replicas, space)
        train = Batches(config, data, 0, replicas)
        valid = Batches(config, data, 1, replicas)
        joint = setup.joint(config)
        task = tasks.ImageTask(
            model,
            train.augmented,
            valid.augmented if joint else valid.plain,
            Batches(config, data, len(data.parts) - 1, replicas).once,
            replicas,
            relaxed=config.relaxation != "softmax",
        )
        kind = SEARCHES[config.optimization] if joint else search_loop.Search
        return kind(
            task,
            search_settings(config, data.parts[0].size // config.batch_size),
            replicas,
            instruments=(
                *diagnostics.instruments(config, task, replicas),
                *nasbench201_oracle.instruments(config),
            ),
            early_stopping=diagnostics.early_stopping(config, task.space),
            cost_penalty=penalty,
        )

    def training_data(self, config: ImageConfig, data: ImageData | None = None) -> Data:
        """Returns a part to learn from, and one held out where there is any."""
        return image_export.load(config, data)

    def training(
        self, config: ImageConfig, genotype: Genotype, replicas: Replicas, data: Data
    ) -> training.Training:
        """Returns the training loop of a genotype's network."""
        images = data.images
        model = build_evaluation_network(
            config, genotype, images.num_classes, images.image_shape, replicas
        )
        held_out = config.valid_fraction > 0
        return training.Training(
            model,
            _training_settings(config, data.parts[0].size // config.batch_size),
            Batches(config, data, 0, replicas).augmented,
            Batches(config, data, 1, replicas).once if held_out else None,
            replicas,
        )

    def check_limits(
        self,
        config: TrainingConfig,
        genotype: Genotype,
        data: ImageData | None = None,
    ) -> None:
        """Raises InputError for a network above `max_multiply_adds`."""

        def build(classes: int, shape):
            one = Replicas("one_device")
            return build_evaluation_network(config, genotype, classes, shape, one)

        multiply_adds_limit.check(config, build, data)

    def validated(self, loop, data: Data, config: ImageConfig) -> dict:
        """Returns errors on the part that was held out."""
        part = data.parts[1]
        batches = once(config, part, data.statistics, loop.replicas)
        return {
            "error": 1 - loop.accuracy(batches),
            "best_error": 1 - loop.best_accuracy,
            "best_epoch": loop.best_epoch,
            "images": part.size,
            "largest_class_share": largest_share(part.labels),
        }

    def chance(self, data: Data) -> dict:
        """Returns the error of guessing."""
        return {"error": 1 - 1 / data.images.num_classes}

    def measured(self, loop, data: Data, config: TrainingConfig) -> dict:
        """Returns errors on the test part, counts, and what an export needs.

        Under "confusion" the images by label and answer, int64 [K, K], of the part
        "test", or of "valid" where the test part is not read.
        """
        statistics, shape = data.statistics, data.images.image_shape
        valid = self.validated(loop, data, config) if len(data.parts) > 1 else {}
        if config.test:
            tested = _tested(loop, data, config)
        else:
            tested = _confused(loop, data, config) if valid else {}
        return {
            "valid": valid,
            **tested,
            "parameters": counts.parameters(loop.model),
            "multiply_adds": counts.multiply_adds(loop.model, shape),
            "data": {
                "image_shape": list(shape),
                "mean": [float(x) for x in statistics[0]],
                "std": [float(x) for x in statistics[1]],
                "class_names": list(data.images.class_names),
                "scaling": data.images.scaling,
                **_example(data),
            },
        }

    def texts_for_tensorboard(
        self, loop, data: Data, config: TrainingConfig
    ) -> dict[str, str]:
        """Returns nothing: images have no texts."""
        del loop, data, config
        return {}

    def summary(self, result: dict) -> list[tuple[str, str]]:
        """Returns a result as (name, text) lines."""
        valid = result["valid"]
        best = (
            f"{valid['error']:.2%} error in the last epoch; best epoch "
            f"{valid['best_epoch']}: {valid['best_error']:.2%}"
            if valid
            else "none held out (--valid_fraction)"
        )
        classes = len(result["data"]["class_names"])
        return [
            ("test error", _format_test(result.get("test"), classes)),
            ("validation", best),
            ("parameters", f"{result['parameters']:,}"),
            ("multiply-adds", f"{result['multiply_adds']:,}"),
        ]

    def write_example(self, data: Data, path: Path) -> None:
        """Writes an image to show an export with, where the data are no files."""
        image_export.write_example(data, path)

    def export(self, request: ExportRequest) -> str:
        """Writes the network in the format asked for; returns a summary."""
        data, config = request.result["data"], request.trained
        classes, shape = len(data["class_names"]), data["image_shape"]
        model = build_evaluation_network(
            config, request.genotype, classes, shape, Replicas()
        )
        setup.load_network(model, request.arrays)

        def forward(images):
            with implementation.exported():
                return model(images, training=False)

        return image_export.write(forward, model, request)


def stage_config(config: SearchConfig, stage: SearchStage, number: int) -> SearchConfig:
    """Returns the settings of a stage, counted from 0, as of a search by itself.

    Every stage but the first has a seed of its own, which follows from the search's:
    of its initial weights, its order of images and its draws.
    """
    seed = config.seed
    if number:
        words = np.random.SeedSequence([config.seed, number]).generate_state(1)
        seed = int(words[0]) % (MAX_SEED + 1)
    return config.replace(
        stages=(),
        epochs=stage.epochs,
        layers=stage.layers,
        partial_channels=stage.partial_channels,
        seed=seed,
    )


def _format_stage(stages: Sequence[SearchStage], number: int) -> str:
    stage = stages[number]
    return (
        f"stage {number + 1} of {len(stages)}: {stage.epochs} epochs, {stage.layers} "
        f"cells, {stage.operations} candidates an edge"
    )


def search_settings(config: SearchConfig, steps_per_epoch: int) -> SearchSettings:
    """Returns the protocol of a search by descent on alpha."""
    return SearchSettings(
        method=config.method,
        epochs=config.epochs,
        steps_per_epoch=steps_per_epoch,
        batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        learning_rate_min=config.learning_rate_min,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
        clip_norm=config.clip_norm,
        alpha_learning_rate=config.alpha_learning_rate,
        alpha_weight_decay=config.alpha_weight_decay,
        alpha_beta1=config.alpha_beta1,
        lambda_regularizer=config.lambda_regularizer,
        lambda_strength=config.lambda_strength,
        lambda_gradient=config.lambda_gradient,
        lambda_epsilon=config.lambda_epsilon,
        lambda_cells=config.lambda_cells,
        relaxation=config.relaxation,
        gumbel_tau=config.gumbel_tau,
        gumbel_tau_end=config.gumbel_tau_end,
        alpha_regularizer=config.alpha_regularizer,
        alpha_regularizer_strength=config.alpha_regularizer_strength,
        alpha_regularizer_schedule=config.alpha_regularizer_schedule,
        alpha_perturbation=config.alpha_perturbation,
        alpha_perturbation_epsilon=config.alpha_perturbation_epsilon,
        temperature_end=config.temperature_end,
        micro_batches=config.micro_batches,
        precision=config.precision,
        partial_channels=config.partial_channels,
        warmup_epochs=config.warmup_epochs,
        seed=config.seed,
        compiled=config.compiled,
    )


def _training_settings(config: ImageConfig, steps_per_epoch: int) -> TrainingSettings:
    return TrainingSettings(
        epochs=config.epochs,
        steps_per_epoch=steps_per_epoch,
        batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
        clip_norm=config.clip_norm,
        auxiliary_weight=config.auxiliary_weight,
        drop_path=config.drop_path,
        precision=config.precision,
        schedule=config.schedule,
        learning_rate_decay=config.learning_rate_decay,
        learning_rate_warmup=config.learning_rate_warmup,
        label_smoothing=config.label_smoothing,
        seed=config.seed,
    )


def _tested(loop, data: Data, config: TrainingConfig) -> dict:
    """Reads the test part and returns its errors, and those of guessing."""
    test = data.images.load_test()
    batches = once(config, test, data.statistics, loop.replicas)
    counts = loop.confusion(batches)
    errors = {
        "error": 1 - int(counts.trace()) / int(counts.sum()),
        **_top_error(loop, batches, data),
        "images": test.size,
        "largest_class_share": largest_share(test.labels),
        "class_accuracy": classes.accuracies(counts),
    }
    return {
        "test": errors,
        "confusion": {"test": counts},
        "chance": _guessing(data.images, test.labels),
    }


def _confused(loop, data: Data, config: TrainingConfig) -> dict:
    """Returns the confusions of the part that was held out."""
    batches = once(config, data.parts[1], data.statistics, loop.replicas)
    return {"confusion": {"valid": loop.confusion(batches)}}


def _format_test(test: dict | None, classes: int) -> str:
    """Returns the errors on the test part in words."""
    if test is None:
        return "not measured (--notest)"
    top5 = f"; top-5: {test['top5_error']:.2%}" if "top5_error" in test else ""
    share = test.get("largest_class_share", 0)
    if share >= UNBALANCED / classes:
        top5 += f"; {share:.2%} of them are of one class"
    return (
        f"{test['error']:.2%} of {test['images']} images (weights of the last "
        f"epoch){top5}"
    )


def _example(data: Data) -> dict[str, str]:
    """Returns the path of an image file, where the data are files."""
    path = data.images.example_file
    return {} if path is None else {"example_file": path}


def _guessing(images: ImageData, labels: np.ndarray) -> dict[str, object]:
    """Returns the test error of always answering with the largest training class."""
    largest = int(np.bincount(images.train.labels).argmax())
    share = float(np.mean(labels == largest))
    return {"error": 1 - share, "answer": images.class_names[largest]}


def _top_error(loop, batches, data: Data) -> dict[str, float]:
    """Returns the top-5 error, where there are more than a few classes."""
    if data.images.num_classes <= 2 * training.TOP:
        return {}
    return {"top5_error": 1 - loop.top_accuracy(batches)}


def built_supernet(
    config: SearchConfig,
    data: Data,
    replicas: Replicas,
    space: SearchSpace | None = None,
):
    """Returns the search network with random weights.

    Args:
      config: of the search.
      data: its images.
      replicas: where it runs.
      space: that of a stage; None: all of `config.space`.
    """
    with replicas.scope():
        model = _supernet_of(config, data, space or space_by_name(config.space))
        model.build((None, *data.images.image_shape))
        _initialise(config, model)
    return model


def _supernet_of(config: SearchConfig, data: Data, space: SearchSpace | ChainSpace):
    """Returns the search network of a space, not built yet."""
    classes = data.images.num_classes
    if isinstance(space, ChainSpace):
        size = min(data.images.image_shape[:2])
        sizes = config.width_multiplier, size, classes
        return chain.Supernet(space, *sizes, compiled=config.compiled)
    exact = setup.exact_names(config)
    return supernet(
        space,
        config.channels,
        config.layers,
        classes,
        setup.differentiates_gradients(exact, config.recompute),
        config.recompute,
        config.partial_channels,
        config.jit == "on",
        config.compiled,
        config.relaxation == "gumbel",
    )


def _initialise(config: ImageConfig, model) -> None:
    """Draws the initial weights of a built network, in the replicas' scope."""
    if config.initial_weights == "authors":
        initial_weights.draw_as_authors(model)


def supernet(
    space,
    channels: int,
    layers: int,
    classes: int,
    second_derivatives: bool = False,
    recompute: bool = False,
    partial_channels: int = 1,
    xla: bool = False,
    compiled: bool = True,
    single_path: bool = False,
):
    """Returns the search network of a space, not built yet."""
    sizes = channels, layers, classes
    less = {
        "recompute": recompute,
        "partial_channels": partial_channels,
        "compiled": compiled,
        "single_path": single_path,
    }
    if space.name == "nasbench201":
        return nasbench201.Supernet(space, *sizes, **less)
    return conv.Supernet(
        space,
        *sizes,
        second_derivatives=second_derivatives,
        xla=xla,
        **less,
    )


def build_evaluation_network(
    config: ImageConfig,
    genotype: Genotype,
    classes: int,
    image_shape,
    replicas: Replicas,
):
    """Returns a genotype's network with random weights."""
    with replicas.scope():
        model = _evaluation_network(config, genotype, classes, image_shape)
        model.build((None, *image_shape))
        _initialise(config, model)
    return model


def _evaluation_network(
    config: ImageConfig, genotype: Genotype, classes: int, image_shape
):
    if is_chain(genotype.space):
        size = min(image_shape[:2])
        return chain.EvaluationNetwork(genotype, config.width_multiplier, size, classes)
    sizes = config.channels, config.layers, classes
    if genotype.space == "nasbench201":
        return nasbench201.EvaluationNetwork(genotype, *sizes)
    networks = {"cifar": conv.EvaluationNetwork, "mobile": conv.MobileNetwork}
    return networks[config.network](
        genotype, *sizes, auxiliary=config.auxiliary_weight > 0
    )
