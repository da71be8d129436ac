"""Writes scores.json: figures of classifiers' probabilities by scikit-learn; run it with `pip install scikit-learn`.

The expected calibration error is not in scikit-learn: it is written out here after Guo et al. (2017), independently of
the Rust code, by a loop over bins.
"""

import json
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    log_loss,
    roc_auc_score,
)


def calibration_error(y, p, bins=15):
    confidence, right = p.max(axis=1), p.argmax(axis=1) == y
    total = 0.0
    for m in range(bins):
        inside = (confidence > m / bins) & (confidence <= (m + 1) / bins)
        if inside.any():
            total += inside.sum() / len(y) * abs(right[inside].mean() - confidence[inside].mean())
    return total


def case(name, y, p):
    y, p = np.asarray(y), np.asarray(p, dtype=np.float64)
    k = p.shape[1]
    labels = list(range(k))
    present = [c for c in labels if 0 < (y == c).sum() < len(y)]
    if k == 2:
        positive = 1 if (y == 1).sum() <= (y == 0).sum() else 0
        auc = roc_auc_score(y == positive, p[:, positive])
        precision = average_precision_score(y == positive, p[:, positive])
        brier = brier_score_loss(y, p[:, 1], labels=labels)
    else:
        positive = None
        auc = np.mean([roc_auc_score(y == c, p[:, c]) for c in present])
        if len(present) == k:
            assert np.isclose(auc, roc_auc_score(y, p, multi_class="ovr", average="macro"), rtol=1e-14)
        precision = np.mean([average_precision_score(y == c, p[:, c]) for c in present])
        brier = brier_score_loss(y, p, labels=labels)
    return {
        "name": name,
        "truth": y.tolist(),
        "probabilities": p.tolist(),
        "positive": positive,
        "balanced_accuracy": balanced_accuracy_score(y, p.argmax(axis=1)),
        "roc_auc": auc,
        "average_precision": precision,
        "log_loss": log_loss(y, p, labels=labels),
        "brier": brier,
        "calibration_error": calibration_error(y, p),
    }


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def main():
    warnings.simplefilter("ignore")
    draw = np.random.default_rng(9)
    cases = []
    y = (draw.random(60) < 0.1).astype(int)
    cases.append(case("rare class", y, softmax(draw.normal(size=(60, 2)) + 1.5 * np.eye(2)[y])))
    y = (draw.random(50) < 0.7).astype(int)
    tied = np.round(draw.random(50) * 5) / 5
    cases.append(case("ties, and the first class is the rarer one", y, np.stack([1 - tied, tied], axis=1)))
    y = draw.integers(0, 4, size=80)
    cases.append(case("four classes", y, softmax(1.2 * draw.normal(size=(80, 4)) + np.eye(4)[y])))
    y = draw.choice([0, 1, 3], size=40)
    cases.append(case("a class without samples", y, softmax(draw.normal(size=(40, 4)))))
    y = np.arange(20) % 3
    sure = softmax(60.0 * np.eye(3)[np.where(np.arange(20) < 17, y, (y + 1) % 3)])
    cases.append(case("sure, and wrong three times", y, sure))
    out = {"scikit-learn": sklearn.__version__, "cases": cases}
    Path(__file__).with_name("scores.json").write_text(json.dumps(out, indent=None) + "\n")


main()
