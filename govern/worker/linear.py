"""Exact attributions of linear models: one matrix product. Runs in the model's process only."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from govern.worker.raw import Background, Explainer, Floats, Raw, dense, space_of

METHOD: Final = "linear, exact"
BLOCK: Final = 4096  # rows
GENERALISED: Final = {"PoissonRegressor", "GammaRegressor", "TweedieRegressor"}


def linear(model: Any, origin: list[int], n_columns: int) -> Explainer | None:
    """coefficient × (value − mean of the background), summed over the encoded columns of each of `n_columns` input
    columns; None where the model's own output is not linear in the columns it sees.

    `origin` gives the input column of each encoded column. Exact for a linear output.
    Source: Lundberg & Lee 2017, arXiv:1705.07874, corollary 1 (columns taken as independent).
    """
    if type(model).__module__.split(".")[0] != "sklearn" or not hasattr(model, "coef_"):
        return None
    raw_output = getattr(model, "decision_function", None) or getattr(model, "predict", None)
    coefficients = np.asarray(dense(model.coef_))
    coefficients = coefficients.reshape(-1, coefficients.shape[-1])
    if raw_output is None or coefficients.shape[1] != len(origin):
        return None
    generalised = type(model).__name__ in GENERALISED
    # A column for each output and input column: the product adds the encoded columns up by itself.
    by_output = np.zeros((len(origin), len(coefficients), n_columns))
    by_output[np.arange(len(origin)), :, origin] = coefficients.T
    spread = by_output.reshape(len(origin), -1)
    intercept = np.zeros(len(coefficients)) + np.asarray(getattr(model, "intercept_", 0.0), dtype=float).reshape(-1)

    def explain(x: Any, background: Background) -> Raw:
        behind = _plain(background.rows())
        mean = np.asarray(behind.mean(axis=0), dtype=np.float64).reshape(-1)
        products = centred_product(_plain(x), spread, mean @ spread)
        values = products.reshape(-1, len(coefficients), n_columns).transpose(1, 0, 2)
        bases = coefficients @ mean + intercept
        outputs = np.asarray(raw_output(x), dtype=np.float64).reshape(len(values[0]), -1).T
        if generalised:
            # It predicts a function of what is linear: the outputs are those that the function is told by.
            outputs = values.sum(axis=2) + bases[:, None]
        space = space_of(model, x, outputs)
        if generalised and space == "margin":
            raise ValueError("what it predicts is no known function of a linear one")
        return Raw(values, bases, outputs, METHOD, space, "mean", behind.shape[0])

    return Explainer(explain)


def centred_product(x: Any, weights: Floats, shift: Floats) -> Floats:
    """x @ weights − shift, (n_rows, n_outputs); in blocks that stay in the processor's cache between the two steps."""
    if not isinstance(x, np.ndarray):
        products: Floats = np.asarray(x @ weights, dtype=np.float64)
        products -= shift
        return products
    products = np.empty((len(x), weights.shape[1]))
    for start in range(0, len(x), BLOCK):
        block = products[start : start + BLOCK]
        np.matmul(x[start : start + BLOCK], weights, out=block)
        block -= shift
    return products


def _plain(x: Any) -> Any:
    plain = x.to_numpy() if hasattr(x, "iloc") else x
    return plain if hasattr(plain, "toarray") else np.asarray(plain, dtype=np.float64)
