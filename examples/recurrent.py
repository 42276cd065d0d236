"""Searches a recurrent cell on text that comes with Python, and trains it.

python examples/recurrent.py
"""

import darts_tf as dt

MODEL = {"hidden_size": 32, "dropout_x": 0.2, "dropout_output": 0.2}
DESCENT = {"batch_size": 32, "learning_rate": 20.0, "momentum": 0.0, "clip_norm": 0.25}


def main(folder: str | None = None, epochs: int = 1):
    """Returns the test perplexity; `folder` has train.txt, valid.txt and test.txt."""
    data = dt.data.from_text(folder) if folder else dt.data.load("python_topics")
    config = dt.SearchConfig(
        space="darts_recurrent",
        method="first_order",
        epochs=epochs,
        learning_rate_min=20.0,
        alpha_learning_rate=0.01,
        **MODEL,
        **DESCENT,
    )
    outcome = dt.search(data, config)
    print(outcome.genotype.to_json())
    config = dt.TrainingConfig(
        space="darts_recurrent", epochs=epochs, **MODEL, **DESCENT
    )
    return dt.evaluate(outcome.genotype, data, config).result["test"]["perplexity"]


if __name__ == "__main__":
    print(f"test perplexity: {main():.1f}")
