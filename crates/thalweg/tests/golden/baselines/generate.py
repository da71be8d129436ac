"""Writes baselines.json: simple models by scikit-learn; run it with `pip install scikit-learn`.

Data are drawn with a fixed seed and rounded, so that they stand in the file as they were used. One input is constant,
one is far larger than the others. Inputs are standardized as `StandardScaler` does.
"""

import json
from pathlib import Path

import numpy as np
import sklearn
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.preprocessing import StandardScaler


def inputs(rng, n, d):
    x = rng.normal(size=(n, d))
    x[:, 1] = 3.0
    x[:, 2] = 1000.0 * x[:, 2] + 50.0 * x[:, 0]
    return np.round(x, 4).astype(np.float32).astype(np.float64)


def rmse(truth, said):
    return float(np.sqrt(np.mean((truth - said) ** 2)))


def gain(linear, own):
    differences = linear - own
    return [float(differences.mean()), float(differences.std(ddof=1) / np.sqrt(len(differences)))]


def classes(name, k, n, m, d, seed):
    rng = np.random.default_rng(seed)
    x = inputs(rng, n + m, d)
    scaler = StandardScaler().fit(x[:n])
    z = scaler.transform(x)
    scores = z @ rng.normal(size=(d, k)) + 0.8 * rng.normal(size=(n + m, k)) + np.linspace(0.8, 0, k)
    y = scores.argmax(axis=1)
    network = np.round(scores + 0.8 * rng.normal(size=scores.shape), 4).astype(np.float32)[n:]
    models = [
        DummyClassifier(strategy="most_frequent"),
        LogisticRegression(tol=1e-10, max_iter=10000),
        KNeighborsClassifier(),
    ]
    said = [model.fit(z[:n], y[:n]).predict(z[n:]) for model in models]
    truth, own = y[n:], network.argmax(axis=1)
    linear = models[1]
    return {
        "name": name,
        "classes": k,
        "x": x.tolist(),
        "y": y.tolist(),
        "train": n,
        "network": network.tolist(),
        "figures": [float((s == truth).mean()) for s in said],
        "network_figure": float((own == truth).mean()),
        "gain": gain((said[1] != truth) * 1.0, (own != truth) * 1.0),
        "said": [s.tolist() for s in said],
        "weights": np.c_[linear.coef_, linear.intercept_].tolist(),
    }


def numbers(name, targets, n, m, d, seed):
    rng = np.random.default_rng(seed)
    x = inputs(rng, n + m, d)
    z = StandardScaler().fit(x[:n]).transform(x)
    mean = z @ rng.normal(size=(d, targets)) + np.sin(2 * z[:, :targets])
    y = np.round(1000.0 + 20.0 * (mean + 0.2 * rng.normal(size=mean.shape)), 3).astype(np.float32)
    network = np.round(y[n:] + 9.0 * rng.normal(size=(m, targets)), 3).astype(np.float32)
    models = [DummyRegressor(), Ridge(solver="cholesky"), KNeighborsRegressor()]
    wide = y.astype(np.float64)
    said = [model.fit(z[:n], wide[:n]).predict(z[n:]).reshape(m, targets) for model in models]
    truth = wide[n:]
    cost = lambda s: ((s - truth) ** 2).mean(axis=1)
    linear = models[1]
    return {
        "name": name,
        "targets": targets,
        "x": x.tolist(),
        "y": y.tolist(),
        "train": n,
        "network": network.tolist(),
        "figures": [rmse(truth, s) for s in said],
        "network_figure": rmse(truth, network.astype(np.float64)),
        "gain": gain(cost(said[1]), cost(network.astype(np.float64))),
        "said": [s.T.tolist() for s in said],
        "weights": np.c_[linear.coef_.reshape(targets, d), np.atleast_1d(linear.intercept_)].tolist(),
    }


cases = [
    classes("two classes", 2, 90, 40, 5, 1),
    classes("four classes", 4, 120, 50, 6, 2),
    numbers("one number", 1, 80, 40, 5, 3),
    numbers("two numbers", 2, 80, 40, 6, 4),
]
path = Path(__file__).with_name("baselines.json")
path.write_text(json.dumps({"sklearn": sklearn.__version__, "cases": cases}) + "\n")
print([(c["name"], c["figures"], c["network_figure"], c["gain"]) for c in cases])
