"""govern: evidence, policy verdict and model card for a machine-learning model."""

__version__ = "0.1.0"
