"""Writes the files of this folder's `files/` and the manifest that says what the owner of each one means.

    python3 crates/data/tests/messy/generate.py

Python alone is enough. The same bytes come out every time: a file's numbers depend on nothing but its name here.

Kinds: 1 columns that are nearly numbers, 2 headers and index columns, 3 tables too small for R², 4 numbers far from zero, 5 new data for
a trained model, 8 labels that look like something else, 10 layout: separators, lines that are no rows, encodings, quotes.

The manifest is a list. A case has `file`, `kind`, `why`, and

- `read`: `samples`; `columns` as the file has them, each with `name` (null: any; `name_begins` where a suffix is free), `role` (input, target, left_out),
  `type`, `missing`, and for numbers `min` and `max`; `task` with `kind` and `classes` (a set; the order is free) or `targets`; `values`: the first three
  rows, numbers as numbers, words and labels as text, booleans of type boolean as true and false, dates as YYYY-MM-DD, null where missing. A list in `role` or `type` names all that are right; null is any.
- `error`: `says`, words that message and hint must hold (the file's own name does not count); `keys`, settings that the hint must name; `any_keys`, of which it must name one.
  A case with `read` and `error` may be either: right, or an error. Never anything else.
- `cured`: settings of `data.KEY` (`set`) that a hint may offer, with what is then read.
- `note`: words that the notes together must hold.
- `predict`: a second `file` for a model trained on the first: `answers`, one for each row, with what the warnings say (`says`); or `error`.
"""

import json
from pathlib import Path

import headers
import labels
import layout
import nearly
import predict
from table import Book

HERE = Path(__file__).parent


def main():
    book = Book()
    for part in (nearly, headers, labels, predict, layout):
        part.add(book)
    files = HERE / "files"
    files.mkdir(exist_ok=True)
    for old in files.iterdir():
        if old.name not in book.files:
            old.unlink()
    for name, content in book.files.items():
        (files / name).write_bytes(content)
    lines = [json.dumps(case, ensure_ascii=False) for case in book.cases]
    (HERE / "manifest.json").write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
    by_kind = {k: sum(c["kind"] == k for c in book.cases) for k in sorted({c["kind"] for c in book.cases})}
    print(len(book.cases), "cases,", len(book.files), "files,", sum(map(len, book.files.values())), "bytes;", by_kind)
    large = [name for name, content in book.files.items() if len(content) > 8000]
    print("larger than 8 kB:", large)


if __name__ == "__main__":
    main()
