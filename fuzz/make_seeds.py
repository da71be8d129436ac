"""Writes the seeds: small good files of each reader and a few odd ones, in the form that `src/readers.rs` takes them.

    python3 fuzz/make_seeds.py PATH-OF-THALWEG

Inputs that the fuzzer found are added by hand, under names that begin with `found-`.
"""

import gzip
import io
import json
import pathlib
import struct
import subprocess
import sys
import tarfile
import tempfile

HERE = pathlib.Path(__file__).parent
SEEDS = HERE / "seeds"
FIXTURES = HERE.parent / "crates/data/tests/fixtures"
CUT = b"\n--8<--\n"


def seed(reader, name, content):
    folder = SEEDS / reader
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def two(first, second):
    return struct.pack("<H", len(first)) + first + second


def npy(descr, shape, content, version=1, fortran=False):
    text = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}".encode()
    size = "<H" if version == 1 else "<I"
    text += b" " * (-(len(text) + 9 + struct.calcsize(size)) % 64) + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack(size, len(text)) + text + content


def idx(kind, dims, content):
    return bytes([0, 0, kind, len(dims)]) + b"".join(struct.pack(">I", d) for d in dims) + content


def formats():
    """The smaller ones of the files that the tests of formats hold."""
    files = HERE.parent / "crates/data/tests/formats/files"
    for reader, names in {
        "json": ["plain.json", "plain.jsonl", "nested.ndjson"],
        "arff": ["plain.arff", "keel.dat"],
        "zip": ["plain.csv.zip", "one.zip"],
        "zstd": ["plain.csv.zst", "frames.csv.zst"],
        "excel": ["book.xls", "book.xlsx", "book.ods", "text.xls"],
        "parquet": ["none.parquet", "snappy.parquet", "gzip.parquet", "zstd.parquet", "lz4.parquet", "v2.parquet", "delta.parquet", "odd.parquet"],
        "arrow": ["plain.arrow", "stream.arrows", "lz4.feather", "odd.feather"],
    }.items():
        for name in names:
            seed(reader, name.replace(".", "-"), (files / name).read_bytes())


def program(*words):
    subprocess.run([sys.argv[1], *words, "-q"], check=True, cwd=WORK)


def configs():
    show = subprocess.run([sys.argv[1], "config", "show"], check=True, capture_output=True).stdout
    seed("config", "all", show)
    seed("config", "empty", b"")
    words = [
        b"model=resnet20", b"model=64-32-10", b"optimizer=adamw\noptimizer.lr=1e-2", b"schedule=cosine\nschedule.warmup=5ep",
        b"augment=crop-4,flip", b"loss=huber\ndata=xor", b"data.folds=5\ndata.fold=1", b"save.every=0.1dur",
        b"model=vgg11\nclip_norm=1", b"model.activation=gelu\nmodel.dropout=0.5", b"data.target=a,b\ndata.drop=0",
    ]
    for i, word in enumerate(words):
        seed("config", f"words-{i}", CUT + word)
    seed("config", "layers", b"""epochs = 3
[model]
layers = [
  { type = "conv", channels = 8, kernel = [3, 5], padding = "same", init = { name = "normal", std = 0.1 } },
  { type = "residual", activation = "relu", layers = [{ type = "batch_norm" }, { type = "linear", units = 4 }] },
  { type = "concat", branches = [[{ type = "relu" }], [{ type = "dropout", p = 0.1 }]] },
  { type = "linear", units = "outputs" },
]
[loss]
name = "cross_entropy"
label_smoothing = 0.1
""" + CUT + b"batch=32\nthreads=1")


def checkpoints():
    program("train", "data=xor", "data.n=40", "model=mlp-3", "batch=8", "epochs=1", "--run-dir", "a")
    whole = (WORK / "a/checkpoints/last.safetensors").read_bytes()
    header = whole[8 : 8 + struct.unpack("<Q", whole[:8])[0]]
    best = (WORK / "a/weights.safetensors").read_bytes()
    seed("checkpoint", "whole", b"\0" + whole)
    seed("checkpoint", "header", b"\1" + header)
    seed("checkpoint", "weights", b"\0" + best)
    (WORK / "conv.toml").write_text("""[model]
layers = [
  { type = "conv", channels = 2, kernel = 3 }, { type = "batch_norm" }, { type = "relu" }, { type = "flatten" },
  { type = "linear", units = "outputs" },
]
""")
    program("train", "--config", "conv.toml", "optimizer=sgd", "optimizer.lr=0.1", "steps=1", "--run-dir", "c")
    whole = (WORK / "c/checkpoints/last.safetensors").read_bytes()
    seed("checkpoint", "conv-header", b"\1" + whole[8 : 8 + struct.unpack("<Q", whole[:8])[0]])
    tensors = {"a": {"dtype": "F16", "shape": [2, 3], "data_offsets": [0, 12]},
               "b": {"dtype": "I64", "shape": [], "data_offsets": [12, 20]},
               "__metadata__": {"format": "pt"}}
    seed("safetensors", "header", b"\1" + json.dumps(tensors).encode())
    seed("safetensors", "whole", b"\0" + best)
    parts = ["config.toml", "summary.json", "metrics.csv", "evaluation.json"]
    for run in ("a", "c"):
        seed("run_folder", run, CUT.join((WORK / run / part).read_bytes() for part in parts))
    (WORK / "r.csv").write_text("".join(f"{i % 7},{i % 5},{i * i % 11}\n" for i in range(40)))
    program("train", "data=r.csv", "data.task=regression", "model=linear", "batch=8", "epochs=2", "--run-dir", "r")
    seed("run_folder", "r", CUT.join((WORK / "r" / part).read_bytes() for part in parts))


def arrays():
    y = npy("<i8", "(4,)", struct.pack("<4q", 0, 1, 0, 1))
    for file in sorted((FIXTURES / "npy").glob("*.npy")):
        seed("npy", file.stem, two(file.read_bytes(), npy("|u1", "(4,)", bytes([0, 1, 2, 1]))))
    floats = struct.pack("<8f", *range(8))
    seed("npy", "x", two(npy("<f4", "(4, 2)", floats), y))
    seed("npy", "image", two(npy("|u1", "(4, 2, 3, 1)", bytes(range(24)), version=2), y))
    seed("npy", "turned", two(npy("<f4", "(4, 2)", floats, version=3, fortran=True), y))
    for file in sorted(FIXTURES.glob("*.npz")):
        seed("npz", file.stem, file.read_bytes())
    images, labels = idx(8, [4, 2, 2], bytes(range(16))), idx(8, [4], bytes([0, 1, 2, 1]))
    seed("idx", "bytes", b"\0" + two(images, labels))
    seed("idx", "floats", b"\0" + two(idx(13, [4, 2], struct.pack(">8f", *range(8))), labels))
    seed("idx", "words", b"\0" + two(idx(11, [4, 3], struct.pack(">12h", *range(12))), idx(12, [4], struct.pack(">4i", 0, 1, 1, 0))))
    seed("idx", "gzip", b"\1" + two(gzip.compress(images, mtime=0), gzip.compress(labels, mtime=0)))
    pixels = bytes(i % 251 for i in range(3072))
    seed("cifar", "ten", b"\0" + b"".join(bytes([i]) + pixels for i in range(3)))
    seed("cifar", "hundred", b"\1" + b"".join(bytes([i, 3 * i]) + pixels for i in range(2)))


def tables():
    iris = "a,b,kind\n" + "".join(f"{i}.5,{i * i % 7},{'xyz'[i % 3]}\n" for i in range(12))
    texts = {
        "names": iris, "numbers": "1,2,3\n4,5,6\n7,8,9\n" * 4, "semicolon": "a;b\n1,5;2\n3;4\n" * 2,
        "quotes": 'a,"b ""c""",d\n"x,\ny",2,1\nz,,0\n', "blank": "1  2   3\n4 5 6\n", "missing": "a,b,c\n1,?,x\n,2,y\nNA,nan,x\n",
        "bom": "\ufeffa,b\n1,0\n2,1\n", "cr": "a,b\r1,0\r2,1\r", "tab": "a\tb\n1\t0\n2\t1\n", "large": "1e308,0\n-1e-308,1\n1e39,0\n",
    }
    for name, text in texts.items():
        seed("csv", name, b"\0" + text.encode())
    for bits in (2, 6, 8, 24, 32, 64, 128, 230):
        seed("csv", f"options-{bits}", bytes([bits]) + iris.encode())
    seed("csv", "gzip", b"\1" + gzip.compress(iris.encode(), mtime=0))


READERS = {".png": "png", ".jpg": "jpeg", ".webp": "webp", ".gif": "gif", ".bmp": "bmp", ".tif": "tiff"}


def pictures():
    for file in sorted([*(FIXTURES / "images").iterdir(), *(FIXTURES / "kinds").iterdir()]):
        # one orientation is enough
        if file.suffix in READERS and not (file.stem.startswith("turned-") and file.stem != "turned-6"):
            seed(READERS[file.suffix], file.stem, file.read_bytes())


def archives():
    def tar(*entries, form=tarfile.USTAR_FORMAT):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=form) as archive:
            for name, kind, content in entries:
                info = tarfile.TarInfo(name)
                info.type, info.size, info.linkname = kind, len(content), "/etc/passwd" if kind in (b"1", b"2") else ""
                archive.addfile(info, io.BytesIO(content))
        return out.getvalue().rstrip(b"\0") + b"\0" * 1024
    one, two_ = ("set/one", b"0", b"abc"), ("set/two", b"0", b"de" * 200)
    long = "set/" + "d" * 150 + "/x"
    for name, entries in {
        "good": [("set", b"5", b""), one, ("./set/two", b"0", b"x")],
        "more": [one, ("set/readme", b"0", b"r" * 700), two_],
        "link": [one, ("set/two", b"2", b"")], "hard": [one, ("set/two", b"1", b"")], "climb": [("../evil", b"0", b"x"), one, two_],
    }.items():
        seed("tar", name, tar(*entries))
    seed("tar", "gnu", tar(one, (long, b"0", b"l"), two_, form=tarfile.GNU_FORMAT))
    seed("tar", "pax", tar(one, (long + "\u00e9", b"0", b"l"), two_, form=tarfile.PAX_FORMAT))


with tempfile.TemporaryDirectory() as folder:
    WORK = pathlib.Path(folder)
    configs()
    checkpoints()
    arrays()
    tables()
    formats()
    pictures()
    archives()
