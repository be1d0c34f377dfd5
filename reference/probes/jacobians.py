"""Probes of Jacobians: functions to differentiate, and products with a matrix that are counted."""

import numpy as np


def differences_of(notebook, which, w, h, scheme):
    """Return the Jacobian of one of four functions by differences."""
    functions = {
        "3 to 2": lambda x: np.array([x[0] * x[1] ** 2 + x[2] ** 3, np.sin(x[0] + 2 * x[2])]),
        "2 to 4": lambda x: np.array([x[0] ** 3, x[1] ** 2, x[0] * x[1], np.cos(x).prod()]),
        "3 to 1": lambda x: np.array([(3 + np.sin(x).sum()) ** 3]),
        "1 to 3": lambda x: np.array([x[0], x[0] ** 2, x[0] ** 3]),
    }
    return notebook.numeric_jacobian(functions[which], w, h, scheme)


def differences_of_matrix(notebook, matrix, w, h, scheme):
    """Return the Jacobian of a linear function by differences, and the point afterwards."""
    jacobian = notebook.numeric_jacobian(lambda x: matrix @ x, w, h, scheme)
    return {"J": jacobian, "w afterwards": w}


def differences_in_table(notebook, points, values, w, h, scheme):
    """Return the Jacobian by differences of a function of which only these values are known."""

    def look_up(x):
        distances = np.abs(points - np.asarray(x, dtype=float)).max(axis=1)
        nearest = int(distances.argmin())
        if not distances[nearest] < 1e-9:
            raise ValueError("f is called at a point that neither scheme needs")
        return values[nearest].copy()

    return notebook.numeric_jacobian(look_up, w, h, scheme)


def by_columns(notebook, matrix):
    """Return what jacobian_forward makes of the products with a matrix, and how many it took."""
    asked = []

    def product(v):
        asked.append(1)
        return matrix @ np.asarray(v, dtype=float).reshape(matrix.shape[1])

    return {"J": notebook.jacobian_forward(product, matrix.shape[1]), "calls": len(asked)}


def by_rows(notebook, matrix):
    """Return what jacobian_reverse makes of the products with a matrix, and how many it took."""
    asked = []

    def product(u):
        asked.append(1)
        return np.asarray(u, dtype=float).reshape(matrix.shape[0]) @ matrix

    return {"J": notebook.jacobian_reverse(product, matrix.shape[0]), "calls": len(asked)}
