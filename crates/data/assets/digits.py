"""Writes digits.gz from scikit-learn's digits.csv.gz: all labels, then all pixels, one byte each.

    pip download scikit-learn --no-deps
    unzip -j scikit_learn-*.whl sklearn/datasets/data/digits.csv.gz
    python digits.py digits.csv.gz
"""

import gzip
import pathlib
import sys

rows = [[int(float(x)) for x in line.split(",")] for line in gzip.open(sys.argv[1], "rt")]
assert len(rows) == 1797 and all(len(r) == 65 and max(r) <= 16 and min(r) >= 0 for r in rows)
content = bytes(r[64] for r in rows) + bytes(p for r in rows for p in r[:64])
here = pathlib.Path(__file__).parent
(here / "digits.gz").write_bytes(gzip.compress(content, 9, mtime=0))
