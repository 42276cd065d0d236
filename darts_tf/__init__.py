"""darts-tf: differentiable architecture search in TensorFlow and Keras."""

__version__ = "0.2.0"
