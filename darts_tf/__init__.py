"""darts-tf: differentiable architecture search in TensorFlow and Keras."""
