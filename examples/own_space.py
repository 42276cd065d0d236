"""Defines a space with an own operation, for Python and for the command line.

python examples/own_space.py
python -m train.search --plugin=examples/own_space.py --space=squeezed \
  --dataset=digits --noflip --crop_padding=1 --layers=3 --epochs=3 --workdir=runs/own
"""

import keras

import darts_tf as dt


class Gate(keras.layers.Layer):
    """Scales each channel of [B, H, W, C] by a learned function of the means."""

    def build(self, shape):
        self.dense = keras.layers.Dense(shape[-1], activation="sigmoid")

    def call(self, x):
        return x * self.dense(keras.ops.mean(x, (1, 2), keepdims=True))


@dt.register_operation("gated_conv_3x3")
def gated_conv(channels: int, stride: int) -> keras.layers.Layer:
    conv = keras.layers.Conv2D(channels, 3, stride, padding="same", use_bias=False)
    norm = keras.layers.BatchNormalization()
    return keras.Sequential([keras.layers.ReLU(), conv, Gate(), norm])


dt.cell_space("squeezed", nodes=2, operations=["gated_conv_3x3", "skip_connect"])


def main(epochs: int = 3) -> dt.Genotype:
    sizes = {"channels": 4, "layers": 3, "batch_size": 32, "crop_padding": 1}
    config = dt.SearchConfig(space="squeezed", epochs=epochs, flip=False, **sizes)
    return dt.search(dt.data.load("digits"), config).genotype


if __name__ == "__main__":
    print(main().to_json())
