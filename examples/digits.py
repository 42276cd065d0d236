"""Searches a cell on handwritten digits, trains its network, and tests it once.

python examples/digits.py
"""

import darts_tf as dt

NETWORK = {"channels": 4, "layers": 3}
IMAGES = {"batch_size": 32, "flip": False, "crop_padding": 1, "learning_rate": 0.05}


def main(search_epochs: int = 6, training_epochs: int = 15, space: str = "darts_conv"):
    """Prints the cell and its test error; the defaults take some three minutes."""
    data = dt.data.load("digits")
    config = dt.SearchConfig(
        space=space,
        method="finite_difference",  # eq. 8
        epochs=search_epochs,
        alpha_learning_rate=0.05,
        **NETWORK,
        **IMAGES,
    )
    outcome = dt.search(data, config)
    print(outcome.genotype.to_json())
    outcome.plot().savefig("alpha.png")

    config = dt.TrainingConfig(epochs=training_epochs, **NETWORK, **IMAGES)
    result = dt.evaluate(outcome.genotype, data, config).result
    print(f"test error: {result['test']['error']:.2%} of {result['test']['images']}")
    return result


if __name__ == "__main__":
    main()
