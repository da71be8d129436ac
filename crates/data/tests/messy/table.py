"""Columns that know what their owner means, and how a table of them is written."""

import random
from dataclasses import dataclass, field


@dataclass
class Column:
    """Texts as the file has them, beside the values that they stand for (None where missing)."""

    name: str
    texts: list
    values: list
    type: object
    role: str = "input"
    extra: dict = field(default_factory=dict)

    def entry(self):
        """The line of the manifest."""
        out = {"name": self.name, "role": self.role, "type": self.type}
        out["missing"] = sum(v is None for v in self.values)
        known = [v for v in self.values if v is not None]
        if self.type == "number" and known and all(isinstance(v, (int, float)) for v in known):
            out["min"], out["max"] = min(known), max(known)
        return out | self.extra


def dice(key):
    """Draws that depend on the key alone."""
    return random.Random(f"messy/{key}")


def grouped(digits, mark):
    """Digits of a whole number in threes."""
    first = len(digits) % 3 or 3
    return mark.join([digits[:first]] + [digits[i : i + 3] for i in range(first, len(digits), 3)])


def local(plain, decimal=".", group="", prefix="", suffix=""):
    """A plain number such as -1234.50 as people of another country write it."""
    sign, plain = ("-", plain[1:]) if plain.startswith("-") else ("", plain)
    whole, _, rest = plain.partition(".")
    whole = grouped(whole, group) if group else whole
    return sign + prefix + whole + (decimal + rest if rest else "") + suffix


def value(plain):
    """The number that a plain text stands for."""
    return float(plain) if any(c in plain for c in ".eE") else int(plain)


def numbers(name, plains, write=None, **style):
    """A column of numbers, given as plain texts."""
    write = write or (lambda plain: local(plain, **style))
    return Column(name, [write(p) for p in plains], [value(p) for p in plains], "number")


def uniform(key, n, low, high, digits=2):
    """Plain texts of random numbers, all of them different from zero in their last digit at times."""
    r = dice(key)
    return [f"{r.uniform(low, high):.{digits}f}" for _ in range(n)]


def words(name, key, n, choices, type="category"):
    """A column of words; every choice occurs."""
    r = dice(key)
    texts = list(choices) + [r.choice(choices) for _ in range(n - len(choices))]
    r.shuffle(texts)
    return Column(name, texts, list(texts), type)


def copied(name, texts, type="category"):
    """A column of given words."""
    return Column(name, list(texts), list(texts), type)


def target(column):
    """The same column as the target; labels are texts, of whatever type they look."""
    column.role = "target"
    return column


def label(name, key, n, choices=("0", "1")):
    """A target of classes."""
    column = words(name, key, n, [str(c) for c in choices], type=["category", "number", "boolean", "text"])
    return target(column)


def marked(column, rows, mark):
    """Puts a mark for a missing value into some rows."""
    for row in rows:
        column.texts[row] = mark
        column.values[row] = None
    return column


def every(n, share, key):
    """Rows that make up a share of all, never the first two."""
    rows = dice(key).sample(range(2, n), max(1, round(share * n)))
    return sorted(rows)


def quoted(text, sep, style):
    """A field as csv.writer has it: style is minimal, all, text or none."""
    number = text.replace(".", "", 1).replace("-", "", 1).isdigit()
    need = sep in text or '"' in text or "\n" in text or "\r" in text
    if style == "none" or not (need or style == "all" or style == "text" and not number):
        return text
    return '"' + text.replace('"', '""') + '"'


def write(columns, sep=",", header=True, end="\n", quote="minimal"):
    """The text of a table."""
    lines = []
    if header:
        lines.append(sep.join(quoted(c.name or "", sep, quote) for c in columns))
    for row in zip(*(c.texts for c in columns)):
        lines.append(sep.join(quoted(t, sep, quote) for t in row))
    return end.join(lines) + end


def class_order(labels):
    """Classes as thalweg names them: by number where all are numbers, else by code point."""
    try:
        return sorted(labels, key=lambda text: (float(text), text))
    except ValueError:
        return sorted(labels)


def meaning(columns):
    """What the owner means: the `read` of a manifest entry."""
    goals = [c for c in columns if c.role == "target"]
    if len(goals) == 1 and goals[0].type != "number":
        classes = class_order({v for v in goals[0].values if v is not None})
        task = {"kind": "classification", "classes": classes}
    else:
        task = {"kind": "regression", "targets": [c.name for c in goals]}
    first = [list(row) for row in zip(*(c.values[:3] for c in columns))]
    return {
        "samples": len(columns[0].values),
        "columns": [c.entry() for c in columns],
        "task": task,
        "values": first,
    }


def without_rows(columns, rows):
    """The same table without some rows."""
    keep = [i for i in range(len(columns[0].values)) if i not in rows]
    return [
        Column(c.name, [c.texts[i] for i in keep], [c.values[i] for i in keep], c.type, c.role, c.extra)
        for c in columns
    ]


class Book:
    """The cases, in order."""

    def __init__(self):
        self.cases, self.files = [], {}

    def add(self, kind, name, why, text, columns=None, encoding="utf-8", ending=".csv", **more):
        """A file with what its owner means (`columns`), what the error must say (`error`), or both of them."""
        path = f"{kind}-{name}{ending}"
        assert path not in self.files, path
        self.files[path] = text if isinstance(text, bytes) else text.encode(encoding)
        case = {"file": path, "kind": int(kind), "why": why}
        if columns is not None:
            case["read"] = meaning(columns)
        case |= more
        assert "read" in case or "error" in case, path
        self.cases.append(case)

    def input_file(self, kind, name, text):
        """A file that another case names."""
        path = f"{kind}-{name}.csv"
        assert path not in self.files, path
        self.files[path] = text.encode("utf-8")
        return path


def error(*says, keys=(), any_keys=()):
    """What an error and its hint must say."""
    out = {"says": list(says), "keys": list(keys)}
    return out | ({"any_keys": list(any_keys)} if any_keys else {})


def cure(columns, **settings):
    """A setting of data.KEY that a hint may name, and what the file then holds."""
    return {"set": settings, "read": meaning(columns)}
