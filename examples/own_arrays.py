"""Trains the network of a published cell on NumPy arrays, with Keras alone.

python examples/own_arrays.py
"""

import keras
import numpy as np

import darts_tf as dt


def stripes(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Draws noisy images [number, 16, 16, 3] of vertical (0) or horizontal stripes."""
    random = np.random.default_rng(number)
    labels = np.arange(number) % 2
    images = np.zeros((number, 16, 16, 3), np.uint8)
    images[labels == 0, :, ::4] = 200
    images[labels == 1, ::4] = 200
    return images + random.integers(0, 55, images.shape, np.uint8), labels


def main(examples: int = 256, epochs: int = 3):
    """Returns the accuracy on new images, and the same of the model saved."""
    data = dt.data.from_arrays(*stripes(examples), class_names=["down", "across"])
    x, y = data.train.images / 255, data.train.labels
    sizes = {"channels": 4, "layers": 3, "num_classes": data.num_classes}
    model = dt.build_network("DARTS_V2", **sizes, image_shape=data.image_shape)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    model.fit(x, y, batch_size=16, epochs=epochs, verbose=2)
    test = data.load_test()
    model.save("stripes.keras")
    models = model, keras.models.load_model("stripes.keras")
    return [m.evaluate(test.images / 255, test.labels, verbose=0)[1] for m in models]


if __name__ == "__main__":
    print("accuracy of the network, and of the loaded one:", main())
