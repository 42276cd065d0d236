"""Searches among operations of which one is an own Keras layer.

python examples/own_operation.py
"""

import keras

import darts_tf as dt


@dt.register_operation("ghost_conv_3x3")
def ghost_conv(channels: int, stride: int) -> keras.layers.Layer:
    """Makes a layer [B, H, W, C] -> [B, H / stride, W / stride, C]."""
    layers = keras.layers
    conv = layers.Conv2D(channels, 1, use_bias=False)
    depthwise = layers.DepthwiseConv2D(3, stride, padding="same", use_bias=False)
    return keras.Sequential(
        [layers.ReLU(), conv, depthwise, layers.BatchNormalization()]
    )


NAMES = ["ghost_conv_3x3", "max_pool_3x3", "skip_connect", "none"]
SIZES = {"channels": 4, "layers": 3, "batch_size": 32, "flip": False, "crop_padding": 1}


def main(epochs: int = 3):
    """Returns the result of a training of the searched cell."""
    space = dt.cell_space("ghosts", nodes=2, operations=NAMES)
    data = dt.data.load("digits")
    rates = {"learning_rate": 0.05, "alpha_learning_rate": 0.02}
    config = dt.SearchConfig(space=space.name, epochs=epochs, **SIZES, **rates)
    genotype = dt.search(data, config).genotype
    print(genotype.to_json())
    return dt.evaluate(genotype, data, dt.TrainingConfig(epochs=epochs, **SIZES)).result


if __name__ == "__main__":
    result = main()
    print(f"{result['multiply_adds']:,} multiply-adds; {result['test']['error']:.2%}")
