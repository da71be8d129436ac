"""Writes 200 random tables through Python's csv module and pandas, and what they hold, for the reader to be held to.

    python3 -m venv VENV && VENV/bin/pip install numpy pandas
    VENV/bin/python crates/data/tests/roundtrip/generate.py

Every table has a header, and its last column is the target. What is written can be read in one way only: a column of grouped
numbers has a number with two groups or with decimals, a column of days without years first has a day above 12. Before
anything is kept, csv.reader and pandas.read_csv, told how the file was written, must read the same values back.

`expected.jsonl.gz` has one object a line: `file`, `written` (how, for people), `columns`, each with `name` (null where empty), `type` (number,
boolean, category, date, time, datetime, index), `role` and `values`: a text for each row, null where missing. Numbers are
compared as f64, exactly; booleans are true and false; dates are YYYY-MM-DD, times HH:MM:SS, datetimes YYYY-MM-DDTHH:MM:SS;
categories are the text itself.
"""

import csv
import datetime
import gzip
import io
import json
import math
import random
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
N_TABLES = 200
NBSP, APOSTROPHE = "\u00a0", "'"
MARKS = ["", "NA", "NaN", "nan", "N/A", "null", "NULL", "None", "?", "-", ".", "<NA>", "#N/A", "nil", "N.A.", "*", "missing"]
NAMES = [
    "a", "b", "x1", "x2", "width", "Height (cm)", "Na", "pH", "größe", "café", "T °C", "µg", "rate %", "price_usd", "first.name", "Petal Length", "zeta", "kind",
    "station", "group", "ratio", "level", "depth [m]", "v,w", "p;q", "r|s", 'say "hi"', "two\nlines", "naïve", "total", "speed", "mass", "load", "angle",
]  # fmt: skip
WIDE_NAMES = ["体重", "скорость", "θ", "naïve—dash"]
LEVELS = [
    ["red", "green", "blue"], ["low", "mid", "high"], ["male", "female"], ["Oslo", "New York", "São Paulo", "Genève"], ["a, b", "c", "d;e"],
    ['the "big" one', "the small one"], ["two\nlines", "one line", "three\n\nlines"], ["o'neil", "smith", "d'arc"], ["x|y", "z", "tab\there"], ["A1", "B2", "C3", "D4", "E5"],
    ["C#", "C++", "F#"], ["yes, please", "no; thanks", '"'], ["1st", "2nd", "3rd"], ["Ünal", "Öztürk", "ßig"], ["<5", "5-9", ">9"],
]  # fmt: skip
WIDE_LEVELS = [["春", "夏", "秋"], ["да", "нет"], ["α", "β", "γ"]]


@dataclass
class Style:
    """How a whole table is written."""

    by: str
    sep: str
    quoting: int
    end: str
    encoding: str
    decimal: str
    group: str
    mark: str
    index: str | None


@dataclass
class Column:
    """Texts as written beside canonical values; `plain` are values for pandas to write."""

    name: str
    type: str
    texts: list
    values: list
    pattern: str = ""
    role: str = "input"


class Number(float):
    """A number that csv leaves without quotes and writes as given."""

    def __new__(cls, text):
        self = super().__new__(cls, 0.0)
        self.text = text
        return self

    def __str__(self):
        return self.text

    __repr__ = __str__


def style(r):
    by = r.choice(["csv", "pandas"])
    decimal = "," if r.random() < 0.35 else "."
    sep = r.choice(";\t|") if decimal == "," else r.choice([",", ",", ",", ";", "\t", "|", " "])
    groups = {",": ["", "", ".", " ", NBSP], ".": ["", "", ",", APOSTROPHE, " "]}[decimal]
    group = "" if by == "pandas" else r.choice(groups)
    quoting = r.choice([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
    if sep == " ":
        group = group.replace(" ", "")
    index = r.choice([None, None, None, "", "Unnamed: 0"])
    encoding = r.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252"])
    # a run of blanks is one separator, so that an empty field cannot be seen there
    mark = r.choice(MARKS[1:] if sep == " " else MARKS)
    return Style(by, sep, quoting, r.choice(["\n", "\n", "\r\n"]), encoding, decimal, group, mark, index)


def in_threes(digits, mark):
    first = len(digits) % 3 or 3
    return mark.join([digits[:first]] + [digits[i : i + 3] for i in range(first, len(digits), 3)])


def local(plain, s, grouped):
    """A plain number in the table's style."""
    sign, plain = ("-", plain[1:]) if plain[0] in "-" else ("", plain)
    if "e" in plain or "E" in plain:
        return sign + plain.replace(".", s.decimal)
    whole, _, rest = plain.partition(".")
    whole = in_threes(whole, s.group) if grouped else whole
    return sign + whole + (s.decimal + rest if rest else "")


def whole_numbers(r, n, s, name):
    grouped = bool(s.group) and r.random() < 0.5
    if grouped:
        plains = [str(int(10 ** r.uniform(1, 7))) for _ in range(n - 1)] + [str(r.randrange(10**6, 10**8))]
        r.shuffle(plains)
    else:
        high = r.choice([10, 100, 5000, 10**9, 2**52])
        plains = [str(r.randrange(-high if r.random() < 0.3 else 0, high)) for _ in range(n)]
    return Column(name, "number", [local(p, s, grouped) for p in plains], [str(int(p)) for p in plains], "grouped" * grouped)


def fractions(r, n, s, name):
    grouped = bool(s.group) and r.random() < 0.5
    scale = 10 ** r.uniform(-3, 5)
    draws = [r.gauss(0, scale) if r.random() < 0.5 else r.uniform(0, scale) for _ in range(n)]
    kind = "fixed" if grouped else r.choice(["fixed", "shortest", "e", "E"])
    digits = r.choice([1, 2, 4, 5])
    if kind == "fixed" and scale < 1:
        digits = 5
    form = {"fixed": f"{{:.{digits}f}}", "shortest": "{!r}", "e": "{:.6e}", "E": "{:.4E}"}[kind]
    plains = [form.format(v) for v in draws]
    if grouped:
        plains[r.randrange(n)] = form.format(r.uniform(2000, 90_000))
    return Column(name, "number", [local(p, s, grouped) for p in plains], [repr(float(p)) for p in plains], "grouped" * grouped)


def booleans(r, n, s, name):
    yes, no = r.choice([("true", "false"), ("True", "False"), ("TRUE", "FALSE")])
    draws = [True, False] + [r.random() < 0.5 for _ in range(n - 2)]
    r.shuffle(draws)
    return Column(name, "boolean", [yes if d else no for d in draws], ["true" if d else "false" for d in draws])


def categories(r, n, s, name):
    levels = r.choice(LEVELS + (WIDE_LEVELS if s.encoding != "cp1252" else []))
    draws = levels * 2 + [r.choice(levels) for _ in range(n - 2 * len(levels))]
    r.shuffle(draws)
    return Column(name, "category", draws, list(draws))


def moments(r, n, seconds):
    start = datetime.datetime(r.randrange(1950, 2024), 1, 1)
    span = r.choice([40, 400, 9000]) * 86400
    out = [start + datetime.timedelta(seconds=r.randrange(span)) for _ in range(n - 1)]
    out.append(datetime.datetime(start.year, 1, 25, 13, 45, 59))
    r.shuffle(out)
    return out if seconds else [m.replace(second=0) for m in out]


def dates(r, n, s, name):
    pattern = r.choice(["%Y-%m-%d", "%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%m/%d/%Y", "%Y/%m/%d"])
    draws = moments(r, n, True)
    return Column(name, "date", [d.strftime(pattern) for d in draws], [d.strftime("%Y-%m-%d") for d in draws], pattern)


def datetimes(r, n, s, name):
    pattern = r.choice(["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M"])
    draws = moments(r, n, "%S" in pattern)
    return Column(name, "datetime", [d.strftime(pattern) for d in draws], [d.strftime("%Y-%m-%dT%H:%M:%S") for d in draws], pattern)


def times(r, n, s, name):
    pattern = r.choice(["%H:%M", "%H:%M:%S"])
    draws = moments(r, n, "%S" in pattern)
    return Column(name, "time", [d.strftime(pattern) for d in draws], [d.strftime("%H:%M:%S") for d in draws], pattern)


KINDS = [whole_numbers, fractions, fractions, booleans, categories, categories, dates, datetimes, times]


def with_gaps(r, column, s):
    """Some values are missing; what makes the column readable in one way stays."""
    share = r.choice([0, 0, 0.03, 0.1, 0.2])
    keep = {next(i for i, v in enumerate(column.values) if v == first) for first in sorted(set(column.values))[:2]}
    evidence = {
        "grouped": lambda t: t.count(s.group) > 1 or s.decimal in t,
        "%d/%m/%Y": lambda t: int(t[:2]) > 12,
        "%m/%d/%Y": lambda t: int(t[3:5]) > 12,
        "%d/%m/%Y %H:%M": lambda t: int(t[:2]) > 12,
    }.get(column.pattern, lambda t: True)
    keep.add(next(i for i, t in enumerate(column.texts) if evidence(t)))
    if s.mark in column.texts:
        return
    for row in range(len(column.values)):
        if row not in keep and r.random() < share:
            column.texts[row] = s.mark
            column.values[row] = None


def draw(r):
    """A table and its style."""
    s = style(r)
    n = r.randrange(25, 50)
    pool = NAMES + (WIDE_NAMES if s.encoding != "cp1252" else [])
    names = r.sample(pool, r.randrange(2, 7) + 1)
    columns = [r.choice(KINDS)(r, n, s, name) for name in names[:-1]]
    for column in columns:
        with_gaps(r, column, s)
    goal = r.choice([fractions, categories])(r, n, s, names[-1])
    goal.role = "target"
    columns.append(goal)
    if s.index is not None:
        first = r.choice([0, 0, 1])
        counted = [str(i) for i in range(first, first + n)]
        columns.insert(0, Column(s.index, "index", counted, list(counted), role="left_out"))
    return s, columns


def write_csv(s, columns):
    """By Python's csv module."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=s.sep, quoting=s.quoting, lineterminator=s.end)
    writer.writerow([c.name for c in columns])
    bare = s.quoting == csv.QUOTE_NONNUMERIC
    for i in range(len(columns[0].texts)):
        row = [Number(c.texts[i]) if bare and c.type in ("number", "index") else c.texts[i] for c in columns]
        writer.writerow(row)
    return out.getvalue()


def write_pandas(s, columns):
    """By pandas, of texts where they are written in a way of our own, else of its own types."""
    index = next((c for c in columns if c.type == "index"), None)
    frame = {}
    for c in columns:
        if c is index:
            continue
        if c.type == "number" and all(v is not None and float(v).is_integer() and "." not in v and "e" not in v for v in c.values):
            frame[c.name] = [int(v) for v in c.values]
        elif c.type == "number":
            frame[c.name] = [math.nan if v is None else float(v) for v in c.values]
        elif c.pattern == "%Y-%m-%d":
            frame[c.name] = pd.to_datetime([pd.NaT if v is None else v for v in c.values])
        else:
            frame[c.name] = [None if v is None else t for v, t in zip(c.values, c.texts)]
    frame = pd.DataFrame(frame)
    if index:
        frame.index = [int(v) for v in index.values]
    return frame.to_csv(
        sep=s.sep, quoting=s.quoting, lineterminator=s.end, decimal=s.decimal, na_rep=s.mark, index=bool(index),
        index_label=(index.name or None) if index else None,
    )  # fmt: skip


def canonical(column, text, s):
    """A field of the file as the value that it stands for, computed anew."""
    if text == s.mark:
        return None
    if column.type in ("number", "index"):
        if s.group:
            text = text.replace(s.group, "")
        text = text.replace(s.decimal, ".")
        return repr(float(text))
    if column.type == "boolean":
        return text.lower()
    if column.pattern:
        form = {"date": "%Y-%m-%d", "time": "%H:%M:%S", "datetime": "%Y-%m-%dT%H:%M:%S"}[column.type]
        return datetime.datetime.strptime(text, column.pattern).strftime(form)
    return text


def same(column, got):
    """Whether values are those of the column."""
    number = column.type in ("number", "index")
    want = [None if v is None else repr(float(v)) if number else v for v in column.values]
    got = [None if v is None else repr(float(v)) if number else v for v in got]
    return want == got


def check(path, s, columns):
    """The file, read by csv and by pandas as they are told, holds what the columns hold."""
    with path.open(newline="", encoding=s.encoding) as file:
        rows = list(csv.reader(file, delimiter=s.sep))
    assert rows[0] == [c.name for c in columns], (path, rows[0])
    for i, column in enumerate(columns):
        assert same(column, [canonical(column, row[i], s) for row in rows[1:]]), (path, column.name)
    options = {"sep": s.sep, "encoding": s.encoding, "keep_default_na": False, "na_values": [s.mark], "decimal": s.decimal, "float_precision": "round_trip"}
    if s.group and s.group != NBSP:
        options["thousands"] = s.group
    texts = {i: str for i, c in enumerate(columns) if c.type not in ("number", "index") or s.group == NBSP}
    frame = pd.read_csv(path, header=0, dtype=texts, **options)
    assert len(frame) == len(columns[0].values), (path, len(frame))
    for i, column in enumerate(columns):
        got = [None if pd.isna(v) else v for v in frame.iloc[:, i]]
        if i in texts:
            got = [None if v is None else canonical(column, v, s) for v in got]
        assert same(column, got), (path, column.name, got[:3], column.values[:3])


def main():
    files = HERE / "files"
    files.mkdir(exist_ok=True)
    for old in files.iterdir():
        old.unlink()
    lines = []
    for number in range(N_TABLES):
        s, columns = draw(random.Random(f"roundtrip/{number}"))
        text = write_pandas(s, columns) if s.by == "pandas" else write_csv(s, columns)
        name = f"{number:03}.{'tsv' if s.sep == chr(9) else 'csv'}"
        (files / name).write_bytes(text.encode(s.encoding))
        check(files / name, s, columns)
        told = [{"name": c.name or None, "type": c.type, "role": c.role, "values": c.values} for c in columns]
        lines.append(json.dumps({"file": name, "written": vars(s), "columns": told}, ensure_ascii=False))
    packed = gzip.compress("".join(line + "\n" for line in lines).encode(), mtime=0)
    (HERE / "expected.jsonl.gz").write_bytes(packed)
    total = sum(f.stat().st_size for f in files.iterdir())
    print(f"{len(lines)} tables, {total} bytes, what they hold in {len(packed)} bytes")


if __name__ == "__main__":
    main()
