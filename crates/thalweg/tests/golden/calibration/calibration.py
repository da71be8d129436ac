"""Writes calibration.json: temperatures by scipy and thresholds by scikit-learn; run it with `pip install scikit-learn`.

The temperature is the minimum of the mean log loss by scipy's bounded search; thresholds are found by trying the middle
of every two neighboring probabilities.
"""

import json
from pathlib import Path

import numpy as np
import sklearn
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.metrics import balanced_accuracy_score, f1_score


def threshold(y, p, metric):
    positive = 1 if (y == 1).sum() <= (y == 0).sum() else 0
    own, score = (y == positive).astype(int), p[:, positive]
    ranked = np.unique(score)
    middles = (ranked[1:] + ranked[:-1]) / 2
    figures = np.array([metric(own, (score >= at).astype(int)) for at in middles])
    best = middles[figures >= figures.max() - 1e-12]
    return {"class": positive, "at": best[np.abs(best - 0.5).argmin()], "figure": figures.max()}


def case(name, y, logits):
    logits = np.round(logits, 4).astype(np.float32).astype(np.float64)
    loss = lambda t: -log_softmax(logits / np.exp(t), axis=1)[np.arange(len(y)), y].mean()
    found = minimize_scalar(loss, bounds=(-4, 4), method="bounded", options={"xatol": 1e-12})
    temperature = float(np.exp(found.x))
    out = {
        "name": name,
        "truth": y.tolist(),
        "logits": logits.tolist(),
        "temperature": temperature,
        "log_loss": [loss(0.0), float(found.fun)],
    }
    if logits.shape[1] == 2:
        p = softmax(logits / temperature, axis=1)
        out["balanced_accuracy"] = threshold(y, p, balanced_accuracy_score)
        out["f1"] = threshold(y, p, f1_score)
    return out


draw = np.random.default_rng(5)
cases = []
y = (draw.random(120) < 0.15).astype(int)
cases.append(case("too sure, rare class", y, 4.0 * (np.eye(2)[y] + draw.normal(size=(120, 2)) + [0.6, 0.0])))
y = (draw.random(90) < 0.7).astype(int)
cases.append(case("too timid, first class is rarer", y, 0.3 * (2 * np.eye(2)[y] + draw.normal(size=(90, 2)))))
y = draw.integers(0, 4, size=100)
cases.append(case("four classes", y, 3.0 * (np.eye(4)[y] + draw.normal(size=(100, 4)))))
path = Path(__file__).with_name("calibration.json")
path.write_text(json.dumps({"sklearn": sklearn.__version__, "cases": cases}) + "\n")
print([(c["name"], c["temperature"], c.get("balanced_accuracy"), c.get("f1")) for c in cases])
