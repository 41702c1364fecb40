"""When a class has been learnt and memorisation begins, seen from its IoU on the training labels (ADELE)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

LEAST_EPOCHS = 4
"""Points of a curve before it is fitted: one more than it has parameters."""
LAST_WEIGHT = 10.0
"""Weight of the last point's residual; that of the first is 1, and they grow geometrically."""
Values = NDArray[np.float64]


def learning_curve(epoch: Values | float, level: float, rate: float, power: float) -> Values:
    """Return f(t) = a (1 - exp(-b t^c)) with a = `level`, b = `rate`, c = `power`, for t from 1 on."""
    found: Values = level * (1 - np.exp(-rate * np.power(epoch, power)))
    return found


def fitted(ious: Sequence[float]) -> tuple[float, float, float]:
    """Return a, b and c of the curve nearest to the IoU after epochs 1, 2, ..., with 0 <= a, c <= 1 and b >= 0.

    Least squares, later epochs counting more, from one fixed beginning, so that the same values give the same curve.
    """
    values = np.asarray(ious, np.float64)
    epochs = np.arange(1, len(values) + 1, dtype=np.float64)
    weights = np.geomspace(1.0, LAST_WEIGHT, len(values))

    def residuals(parameters: Values) -> Values:
        found: Values = weights * (learning_curve(epochs, *parameters) - values)
        return found

    begin = (min(max(float(values.max()), 0.01), 0.99), 0.5, 0.5)
    found = least_squares(residuals, begin, bounds=([0, 0, 0], [1, np.inf, 1]))
    level, rate, power = (float(one) for one in found.x)
    return level, rate, power


def slope_change(epoch: float, rate: float, power: float) -> float:
    """Return |f'(t) - f'(1)| / |f'(1)|, by how much of itself the slope has changed since epoch 1; a cancels out."""
    return float(abs(epoch ** (power - 1) * np.exp(-rate * (epoch**power - 1)) - 1))


def has_slowed(ious: Sequence[float], share: float, learnt: float) -> bool:
    """Return whether the slope has fallen by more than `share` at the last epoch.

    Args:
        ious: IoU of a class on the training labels after each epoch; NaN where it was neither labelled nor predicted.
        share: r.
        learnt: Least IoU of the last epoch. Before a class is learnt its curve is flat as well.
    """
    known = [value for value in ious if not np.isnan(value)]
    if len(known) < LEAST_EPOCHS or known[-1] < learnt:
        return False
    _, rate, power = fitted(known)
    return slope_change(len(known), rate, power) > share
