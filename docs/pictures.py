"""Makes the README's pictures from a real run: the recording of a terminal, and the top of the run's report.

    python docs/pictures.py PATH-OF-THALWEG        (needs tmux, Chromium and pngquant)

Run it on an idle machine when what the program prints, or its report, has changed, and look at both pictures in a
browser, with a light and a dark scheme. It writes `terminal.svg`, in which CSS shows each line of the terminal for as
long as it stood there, and `report.png`.
"""

import html
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

COMMAND = "thalweg epochs=60"
COLUMNS, ROWS = 84, 34
KEY_SECS, FRAME_SECS, HOLD_SECS, LIMIT_SECS = 0.05, 0.04, 9.0, 60.0
CELL_W, CELL_H, PAD, HEAD = 8.4, 18, 16, 30
STYLE = """text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#1f2933;white-space:pre}
.w{fill:#fbfbfa;stroke:#d4d9de}.h{fill:#d4d9de}.b{font-weight:700}
.c33{fill:#b5501b;stroke:#b5501b}.c36{fill:#0b6fa8;stroke:#0b6fa8}.c238{fill:#aab4bd;stroke:#aab4bd}.c31{fill:#b3261e}.c32{fill:#1d7a46}
text.c33,text.c36,text.c238{stroke:none}.d{fill:none;stroke-width:2.3;stroke-linecap:round}.l{fill:none}
.e{visibility:hidden}.f{visibility:visible}
@media (prefers-color-scheme:dark){text{fill:#dbe2e8}.w{fill:#14191e;stroke:#333c45}.h{fill:#333c45}
.c33{fill:#f0995f;stroke:#f0995f}.c36{fill:#5cb8ea;stroke:#5cb8ea}.c238{fill:#4c5863;stroke:#4c5863}}
@media (prefers-reduced-motion:reduce){.e{animation:none!important}}
"""


def tmux(*words):
    return subprocess.run(["tmux", "-L", "pictures", *words], check=True, capture_output=True, text=True).stdout


def record(program, folder):
    """Types the command into a terminal; the frames, each with its time and its lines as tmux shows them."""
    subprocess.run(["tmux", "-L", "pictures", "kill-server"], capture_output=True)
    shell = f"env PATH={program.parent}:/usr/bin:/bin PS1='$ ' sh"
    tmux("-f", "/dev/null", "new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), "-c", str(folder), shell)
    time.sleep(0.5)
    frames, start, last_change = [], time.monotonic(), time.monotonic()
    keys, next_key = list(COMMAND) + ["Enter"], 0.3
    while (now := time.monotonic()) - start < LIMIT_SECS:
        if keys and now - start >= next_key:
            tmux("send-keys", *(["Enter"] if keys[0] == "Enter" else ["-l", keys[0]]))
            next_key = now - start + (0.4 if keys[1:2] == ["Enter"] else KEY_SECS)
            keys = keys[1:]
        lines = tmux("capture-pane", "-e", "-p").split("\n")
        if not frames or frames[-1][1] != lines:
            frames.append((now - start, lines))
            last_change = now
        if not keys and now - last_change > 2.0:
            break
        time.sleep(FRAME_SECS)
    tmux("kill-server")
    return frames


def cells(line):
    """A line as (character, class) pairs; tmux writes the attributes that change."""
    out, bold, color = [], False, ""
    for codes, char in re.findall(r"\x1b\[([0-9;]*)m|(.)", line):
        if char:
            out.append((char, " ".join(filter(None, ["b" if bold else "", color]))))
            continue
        codes = codes.split(";")
        while codes:
            code = codes.pop(0)
            if code == "38":
                color, codes = "c" + codes[1], codes[2:]
            elif code in ("", "0"):
                bold, color = False, ""
            elif code == "1":
                bold = True
            elif code == "39":
                color = ""
            elif code in ("31", "32", "33", "36"):
                color = "c" + code
    while out and out[-1][0] == " ":
        out.pop()
    return out


def number(x):
    return f"{x:.1f}".rstrip("0").rstrip(".")


def draw(line, row):
    """A line as SVG: text in pieces with places of their own, dots of braille and bars as shapes."""
    texts, dots, bars = [], {}, {}
    top = HEAD + PAD / 2 + row * CELL_H
    for i, (char, kind) in enumerate(cells(line)):
        x, bits = PAD + i * CELL_W, ord(char) - 0x2800
        if 0 <= bits < 256:
            for bit, (across, down) in enumerate([(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)]):
                if bits >> bit & 1:
                    at = f"M{number(x + 2.1 + 4.2 * across)} {number(top + 2.5 + 4.5 * down)}h.01"
                    dots.setdefault(kind, []).append(at)
        elif char in "━╸─":
            width = CELL_W / 2 if char == "╸" else CELL_W
            bars.setdefault((kind, 1 if char == "─" else 2.4), []).append((x, x + width))
        elif texts and texts[-1][1] == kind and texts[-1][0] + len(texts[-1][2]) == i:
            texts[-1][2] += char
        else:
            texts.append([i, kind, char])
    out = []
    for at, kind, text in texts:
        for piece in re.finditer(r"\S+(?: \S+)*", text):
            x, words = PAD + (at + piece.start()) * CELL_W, piece[0]
            kind_of = f' class="{kind}"' if kind else ""
            out.append(
                f'<text x="{number(x)}" y="{number(top + 13)}" textLength="{number(len(words) * CELL_W)}"{kind_of}>'
                f"{html.escape(words)}</text>"
            )
    out += [f'<path class="d {kind}" d="{"".join(at)}"/>' for kind, at in dots.items()]
    for (kind, thick), spans in bars.items():
        begin, end = min(a for a, _ in spans), max(b for _, b in spans)
        middle = number(top + CELL_H / 2)
        out.append(f'<path class="l {kind}" stroke-width="{thick}" d="M{number(begin)} {middle}H{number(end)}"/>')
    return "".join(out)


def spans(frames):
    """How long each line stood where: {(from, to): [(row, line)]}; what is there at the end has no `to`."""
    out, open_since = {}, {}
    for at, lines in frames + [(None, [])]:
        for row in range(ROWS):
            line = lines[row] if row < len(lines) else ""
            since, old = open_since.get(row, (0.0, ""))
            if line != old or at is None:
                if cells(old):
                    out.setdefault((since, at), []).append((row, old))
                open_since[row] = (at, line)
    return out


def picture(frames):
    used = max(row for lines in [frames[-1][1]] for row, line in enumerate(lines) if cells(line)) + 1
    width, height = COLUMNS * CELL_W + 2 * PAD, HEAD + used * CELL_H + 2 * PAD
    whole = frames[-1][0] + HOLD_SECS
    share = lambda at: f"{100 * at / whole:.2f}%"
    rules, body = [], []
    for i, ((since, to), lines) in enumerate(sorted(spans(frames).items(), key=lambda s: s[0][0])):
        end = "" if to is None else f"{share(to)}{{visibility:hidden}}"
        rules.append(f"@keyframes k{i}{{0%{{visibility:hidden}}{share(since)}{{visibility:visible}}{end}}}")
        rules.append(f".k{i}{{animation:k{i} {whole:.1f}s step-end infinite}}")
        shapes = "".join(draw(line, row) for row, line in lines)
        body.append(f'<g class="e k{i}{" f" if to is None else ""}">{shapes}</g>')
    dots = "".join(f'<circle class="h" cx="{PAD + 6 + 18 * i}" cy="{HEAD / 2 + 1}" r="5"/>' for i in range(3))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {number(width)} {number(height)}" width="{number(width)}" '
        f'height="{number(height)}" role="img" aria-label="A terminal: {COMMAND} trains a network and shows its curve">\n'
        f"<style>{STYLE}{''.join(rules)}</style>\n"
        f'<rect class="w" x=".5" y=".5" width="{number(width - 1)}" height="{number(height - 1)}" rx="8"/>{dots}\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


def screenshot(report, out):
    subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1120,800",
         "--force-device-scale-factor=1.25", f"--screenshot={out}", report.as_uri()], check=True, capture_output=True,
    )  # fmt: skip
    subprocess.run(["pngquant", "--force", "--output", out, "32", out], check=True)


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    images = pathlib.Path(__file__).resolve().parent / "src/images"
    folder = pathlib.Path(tempfile.mkdtemp(prefix="thalweg-pictures-"))
    (images / "terminal.svg").write_text(picture(record(program, folder)))
    screenshot(next(folder.glob("runs/*/report.html")), str(images / "report.png"))
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
