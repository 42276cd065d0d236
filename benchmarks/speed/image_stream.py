"""Measures how fast a streamed set opens, and its images a second.

    python -m benchmarks.speed.image_stream --batches=4

Writes made-up photographs (500 x 375 pixels, JPEG) into TFRecord files in a
temporary folder, reads them as configs/imagenet/evaluate.flags does in
training and in measuring, and prints a Markdown table. Seconds are those of
the clock and of all threads. The files are in the disk's cache: what a disk
can give is another question.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip  # noqa: F401
from darts_tf.run.process import quiet_tensorflow  # isort: skip  # noqa: F401

import io
import itertools
import pathlib
import tempfile
import time

import numpy as np
import tensorflow as tf
from absl import flags
from PIL import Image

from darts_tf.data.images import streamed_batches
from darts_tf.data.images.augmentation import Augmentation
from darts_tf.data.images.records import find_examples
from darts_tf.data.images.streamed import StreamedPart
from darts_tf.programs import setup

SHAPE, SIZE = (375, 500), 224
AUGMENTATION = Augmentation(crop_padding=0, resized_crop=True, colour_jitter=0.4)
STATISTICS = (np.full(3, 120, np.float32), np.full(3, 60, np.float32))

flags.DEFINE_integer("photographs", 512, "that are made", lower_bound=1)
flags.DEFINE_integer("batch_size", 128, "images a batch", lower_bound=1)
flags.DEFINE_integer("batches", 4, "that are timed", lower_bound=1)
FLAGS = flags.FLAGS


def main(_) -> None:
    """Prints the table."""
    setup.disable_grappler()
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "photographs.tfrecord"
        write(path, FLAGS.photographs)
        size = path.stat().st_size / FLAGS.photographs / 1e3
        print(f"{FLAGS.photographs} photographs of {size:.0f} kB")
        start = time.process_time()
        part = opened(path)
        seconds = (time.process_time() - start) / part.size
        print(f"finding an example: {1e6 * seconds:.0f} CPU microseconds")
        arguments = {"batch_size": FLAGS.batch_size, "statistics": STATISTICS}
        training = streamed_batches.training_batches(
            part, seed=0, start_step=0, augmentation=AUGMENTATION, **arguments
        )
        measuring = streamed_batches.ordered_batches(part, **arguments)
        print("| batches | images a second | images a CPU second |")
        print("|---|---|---|")
        for name, batches in (
            ("training", training),
            ("measuring", measuring.repeat()),
        ):
            wall, processor = rates(batches)
            print(f"| {name} | {wall:.0f} | {processor:.0f} |")


def rates(batches: tf.data.Dataset) -> tuple[float, float]:
    """Returns the images a second by the clock, and a CPU second."""
    iterator = iter(batches)
    next(iterator)
    start = time.monotonic(), time.process_time()
    timed = itertools.islice(iterator, FLAGS.batches)
    count = sum(len(labels) for _, labels in timed)
    return (
        count / (time.monotonic() - start[0]),
        count / (time.process_time() - start[1]),
    )


def write(path: pathlib.Path, count: int) -> None:
    """Writes examples with an image and its label."""
    random = np.random.default_rng(0)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for label in range(count):
            feature = {
                "image": tf.train.Feature(
                    bytes_list=tf.train.BytesList(value=[photograph(random)])
                ),
                "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
            }
            features = tf.train.Features(feature=feature)
            writer.write(tf.train.Example(features=features).SerializeToString())


def photograph(random: np.random.Generator) -> bytes:
    """Makes a JPEG of smooth colours with some noise."""
    height, width = SHAPE
    few = random.integers(0, 256, (12, 16, 3), np.uint8)
    smooth = Image.fromarray(few).resize((width, height), Image.BICUBIC)
    noise = random.normal(0, 14, (height, width, 1))
    pixels = np.clip(np.asarray(smooth) + noise, 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def opened(path: pathlib.Path) -> StreamedPart:
    """Opens the part that is in this file."""
    files, places, labels = find_examples([str(path)], "label")

    def encoded(record):
        feature = {"image": tf.io.FixedLenFeature([], tf.string)}
        return tf.io.parse_single_example(record, feature)["image"]

    return StreamedPart(
        (str(path),),
        files,
        places,
        labels.astype(np.int32),
        (SIZE, SIZE, 3),
        True,
        encoded,
    )


if __name__ == "__main__":
    entry_point.run(main)
