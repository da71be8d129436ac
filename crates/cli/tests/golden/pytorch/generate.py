"""Holds the handbook's Python to the program: writes a table, a run on it, and what the lines of the handbook give.

    python generate.py PATH-OF-THALWEG        (needs torch, safetensors)

Writes wine.csv, wine/ (a run folder without what is not needed to predict), snippet.py (the lines) and probabilities.csv.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

here = pathlib.Path(__file__).parent
os.chdir(here)
page = (here / "../../../../../docs/src/pytorch.md").read_text()
commands = re.search(r"```sh\n(.*?)```", page, re.S)[1]
lines = re.search(r"```python\n(.*?)```", page, re.S)[1]

rows = [f"{2 + i % 2}.{i % 10},{i % 9},{5 + (i // 7) % 3}" for i in range(200)]
pathlib.Path("wine.csv").write_text("acidity,sugar,quality\n" + "\n".join(rows) + "\n")
shutil.rmtree("wine", ignore_errors=True)
path = f"{pathlib.Path(sys.argv[1]).resolve().parent}:{os.environ['PATH']}"
subprocess.run(["sh", "-euc", commands], check=True, env={**os.environ, "PATH": path})

pathlib.Path("snippet.py").write_text(lines)
names = {}
exec(lines, names)
pathlib.Path("probabilities.csv").write_text(
    ",".join(names["facts"]["classes"]) + "\n" + "".join(",".join(map(repr, row)) + "\n" for row in names["p"].tolist())
)
ours = [line.split(",")[2:] for line in pathlib.Path("answers.csv").read_text().splitlines()[1:]]
far = max(abs(a - float(b)) for row, own in zip(names["p"].tolist(), ours) for a, b in zip(row, own))
print(f"{len(ours)} rows, at most {far:.1e} apart")
pathlib.Path("answers.csv").unlink()
for file in pathlib.Path("wine").rglob("*"):
    if file.is_file() and file.name not in ("config.toml", "summary.json", "best.safetensors"):
        file.unlink()
