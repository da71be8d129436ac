"""Kind 2: what the first line is, and columns that only number the rows."""

from table import Column, dice, error, label, marked, numbers, target, uniform, words, write

N = 40
LEFT = ["left out"]


def floats(name, key, low=0, high=1, digits=3, n=N):
    return numbers(name, uniform(key, n, low, high, digits))


def plain(key, n=N):
    """Two inputs and two classes."""
    return [floats("a", key + "a", n=n), floats("b", key + "b", n=n), label("y", key, n)]


def index(name, texts):
    """A column that only numbers or names the rows."""
    whole = all(t.isdigit() for t in texts)
    values = [int(t) for t in texts] if whole else list(texts)
    return Column(name or None, list(texts), values, "index" if whole else ["index", "text"], "left_out")


def counted(first=0, n=N):
    return [str(i) for i in range(first, first + n)]


CARS = [f"{maker} {model}" for maker in ("Mazda", "Datsun", "Valiant", "Merc", "Fiat") for model in range(100, 116, 2)]


def issue_examples(book):
    n = 15
    columns = [floats(name, "na" + name, n=n) for name in ("RI", "Na", "Mg")] + [label("Type", "na", n)]
    book.add(2, "na", "A header with `Na`, which is sodium here and nothing missing.", write(columns), columns)
    columns = [index("", counted(0, n)), *plain("idx", n)]
    book.add(2, "idx", "The index of pandas: a column without a name, from 0.", write(columns), columns, note=LEFT)


def indices(book):
    def one(name, why, column, text=None, key=None, **style):
        columns = [column, *plain(key or name)]
        book.add(2, f"index-{name}", why, text or write(columns, **style), columns, note=LEFT)

    one("unnamed", "The index of pandas, written and read twice.", index("Unnamed: 0", counted()))
    one("semicolon", "The index of pandas between semicolons.", index("", counted()), sep=";")
    one("tab", "The index of pandas between tabs.", index("", counted()), sep="\t")
    shuffled = counted(0, 200)
    dice("shuffled").shuffle(shuffled)
    one("shuffled", "The index of pandas after shuffling and taking rows: any order, with gaps.", index("", shuffled[:N]))
    one("one", "Numbers from 1 below an empty name.", index("", counted(1)))
    one("rownames", "The first column of Rdatasets, numbers from 1.", index("rownames", counted(1)))
    one("rownames-words", "The first column of Rdatasets, names of cars.", index("rownames", CARS), quote="text")
    one("words", "Names of the rows below an empty name, as R's write.csv has them.", index("", CARS), quote="text")
    one("named", "A column `index` from reset_index.", index("index", counted()))
    one("id", "A column `id` from 1.", index("id", counted(1)))
    one("upper", "A column `Id` from 1, as in many competitions.", index("Id", counted(1)))
    columns = [index("Unnamed: 0.1", counted()), index("Unnamed: 0", counted()), *plain("twice")]
    book.add(2, "index-twice", "Two indices of pandas, one from each time it was saved.", write(columns), columns, note=LEFT)
    columns = plain("written")
    body = write([Column("", [f'"{i}"' for i in counted(1)], [], "index"), *columns], quote="none").split("\n", 1)[1]
    rows = [index("", counted(1)), *columns]
    book.add(2, "index-write-csv", 'R\'s write.csv: `""` in the header, row names between quotes.', '"","a","b","y"\n' + body, rows, note=LEFT)


def write_table(book):
    """R's write.table: the header is shorter by one, as row names have none."""

    def one(name, why, names, sep, quote):
        columns = plain(name)
        mark = '"' if quote else ""
        head = sep.join(f"{mark}{c.name}{mark}" for c in columns)
        lines = [sep.join([f"{mark}{r}{mark}", *(c.texts[i] for c in columns)]) for i, r in enumerate(names)]
        rows = [index(None, names), *columns]
        book.add(2, f"r-{name}", why, "\n".join([head, *lines]) + "\n", rows, note=LEFT)

    one("blank", "R's write.table as it is: blanks, quotes, and one name fewer than fields.", counted(1), " ", True)
    one("bare", "R's write.table without quotes.", counted(1), " ", False)
    one("tab", "R's write.table between tabs.", counted(1), "\t", True)
    one("comma", "R's write.table between commas.", counted(1), ",", True)
    one("words", "R's write.table with names of cars.", CARS, " ", True)
    columns = plain("longer")
    text = write(columns).replace("a,b,y\n", "a,b,y,\n", 1)
    book.add(2, "longer-empty", "A header with one comma too many at its end; the rows have none.", text, columns)
    text = write(plain("longer2")).replace("a,b,y\n", "id,a,b,y\n", 1)
    book.add(2, "longer-named", "Four names above three fields: which name is too much cannot be known.", text, error=error("3", "4"))
    text = write(plain("shorter2")).replace("a,b,y\n", "a\n", 1)
    book.add(2, "shorter-two", "One name above three fields.", text, error=error("3", "1"))


def names(book):
    def one(name, why, columns, head=None, **more):
        text = write(columns, quote=more.pop("quote", "minimal"))
        if head is not None:
            text = head + text[text.index("\n") :]
        book.add(2, f"names-{name}", why, text, columns, **more)

    columns = plain("gap")
    columns[1].name = None
    one("empty", "The second of three names is empty; its column is an input like others.", columns, "a,,y")
    columns = [index(None, counted()), *plain("gap2")]
    columns[2].name = None
    one("empty-two", "An index and an input without names.", columns, ",a,,y", note=LEFT)
    columns = plain("twice2")
    columns[1].name, columns[1].extra = None, {"name_begins": "a"}
    one("repeated", "The same name twice: two inputs, told apart by a suffix.", columns, "a,a,y")
    columns = [words("kind", "rk", N, ("red", "blue")), words(None, "rk2", N, ("small", "large")), label("y", "rk", N)]
    columns[1].extra = {"name_begins": "kind"}
    one("repeated-words", "The same name twice above words.", columns, "kind,kind,y")
    columns = plain("goal")
    columns[0].name = None
    columns[0].extra = {"name_begins": "y"}
    columns[2].name = None
    columns[2].extra = {"name_begins": "y"}
    one("repeated-target", "The first and the last column have the same name; the last is the target.", columns, "y,b,y")
    for key in ("NA", "nan", "None", "null"):
        columns = [floats(key, "m" + key), floats("b", "m2" + key), label("y", "m" + key, N)]
        one(f"missing-{key}", f"A column called `{key}` is a column all the same.", columns)
    columns = [floats(str(i), f"pandas{i}", -3, 3) for i in range(3)] + [label("3", "pandas", N)]
    one("counted", "A frame of NumPy's numbers: the header is 0, 1, 2, 3.", columns)
    columns = [floats(str(i), f"pt{i}", -3, 3) for i in range(3)] + [label("target", "pt", N, ("a", "b"))]
    one("counted-target", "The header 0, 1, 2, target.", columns)
    columns = [label("label", "spec", N, ("oil", "water"))]
    columns[0].role = "input"
    columns[0].type = "category"
    columns += [floats(str(nm), f"spec{nm}") for nm in range(400, 440, 10)]
    target(columns[-1])
    one("wavelengths", "A spectrum: names are wavelengths, after the name of the first column.", columns)
    columns = [floats(str(nm), f"wave{nm}") for nm in range(400, 440, 10)] + [label("class", "wave", N, ("a", "b"))]
    one("wavelengths-last", "A spectrum with its class in the last column.", columns)
    columns = [floats(str(year), f"year{year}", 0, 100, 1) for year in range(1990, 1994)] + [target(floats("1994", "y94", 0, 100, 1))]
    one("years", "Names are years, far from the values below them.", columns)
    columns = [floats(f"{i}.5", f"half{i}", 10, 20) for i in range(4)] + [target(words("state", "half", N, ("on", "off"), type=["category", "boolean"]))]
    one("halves", "Names are numbers with a fraction, the last is a word above words.", columns)
    columns = [words("sex", "tit", N, ("male", "female")), words("adult", "tit2", N, ("adult", "child")), floats("fare", "tit", 5, 80, 2), target(words("alive", "tit3", N, ("yes", "no"), type=["category", "boolean"]))]
    one("own-value", "The name `adult` is also a value of its column; the name of the fares above numbers decides.", columns)
    columns = [words("outlook", "pl", N, ("sunny", "rain")), words("windy", "pl2", N, ("windy", "calm")), target(words("play", "pl3", N, ("go", "stay")))]
    one("own-value-words", "All words, and the name `windy` is a value of its column; `outlook` and `play` are values of none.", columns)
    columns = [words("size", "wo", N, ("small", "large")), words("color", "wo2", N, ("red", "blue", "green")), target(words("label", "wo3", N, ("cup", "bowl")))]
    one("words", "A header of words above words.", columns)
    columns = [floats("height (cm)", "un", 150, 200), floats("weight [kg]", "un2", 50, 90), target(floats("body fat, %", "un3", 5, 40))]
    one("units", "Names with blanks, brackets and a comma between quotes.", columns)
    columns = [floats("line\nbreak", "lb"), floats('say "a"', "lb2"), label("y", "lb", N)]
    one("newline", "Names with a line break and quotes in them.", columns)
    columns = [floats("größe", "uc"), floats("体重", "uc2"), label("κλάση", "uc", N)]
    one("unicode", "Names in three scripts.", columns)
    columns = [floats(" a ", "sp"), floats("b", "sp2"), label("y", "sp", N)]
    columns[0].name = "a"
    one("blanks", "Blanks around names are no part of them.", columns, " a , b, y ")


def bare(book):
    """Tables without a header."""

    def one(name, why, columns, **style):
        for column in columns:
            column.name = None
        book.add(2, f"bare-{name}", why, write(columns, header=False, **style), columns)

    columns = [words("a", f"mush{i}", N, "xbsyw") for i in range(4)] + [target(words("y", "mush", N, "pe"))]
    one("words", "Words without a header, as the mushrooms of UCI.", columns)
    columns = [words("a", f"rare{i}", N, ("red", "green", "blue")) for i in range(3)] + [target(words("y", "rare", N, ("yes", "no"), type=["category", "boolean"]))]
    columns[0].texts[0] = columns[0].values[0] = "purple"
    one("words-rare", "Words without a header; the first of all fields occurs once only.", columns)
    one("mixed", "Numbers and a class without a header, as the iris of UCI.", [floats("a", f"ir{i}", 4, 8, 1) for i in range(4)] + [target(words("y", "ir", N, ("setosa", "virginica")))])
    one("numbers", "Numbers alone.", [floats("a", f"nu{i}", -5, 5) for i in range(3)] + [label("y", "nu", N)])
    one("whole", "Whole numbers alone, as the letters of UCI.", [numbers("a", [str(dice(f"wh{i}{j}").randrange(16)) for j in range(N)]) for i in range(4)] + [label("y", "wh", N, ("A", "B", "C"))])
    columns = [marked(floats("a", "mi"), [0, 7], "?"), floats("b", "mi2"), label("y", "mi", N, ("good", "bad"))]
    one("missing-first", "No header, and the first field of the file is missing.", columns)
    columns = [marked(floats("a", "em"), [0, 9], ""), floats("b", "em2"), label("y", "em", N, ("good", "bad"))]
    one("empty-first", "No header, and the first field of the file is empty.", columns)
    columns = [floats("a", "dup"), floats("b", "dup2"), label("y", "dup", N)]
    columns[1].texts[0], columns[1].values[0] = columns[0].texts[0], columns[0].values[0]
    one("equal-first", "No header, and two fields of the first row are equal.", columns)
    one("negative-class", "No header, classes -1 and 1.", [floats("a", "ng"), floats("b", "ng2"), label("y", "ng", N, ("-1", "1"))])
    text = "40,2,no,yes\n" + write([floats("a", "ct"), floats("b", "ct2"), label("y", "ct", N)], header=False)
    columns = [floats(None, "ct"), floats(None, "ct2"), label(None, "ct", N)]
    columns[2].texts = columns[2].values = [("no", "yes")[int(v)] for v in columns[2].values]
    columns[2].type = ["category", "number"]
    book.add(2, "counted-first", "The files of scikit-learn: rows, inputs and names of the classes come first.", text, columns)


def traps(book):
    """Columns that count but are inputs."""
    columns = [numbers("x", counted()), target(floats("y", "tx", 0, 9))]
    book.add(2, "trap-only-input", "x from 0 is the only input: a curve, and no index.", write(columns), columns)
    columns = [numbers("year", counted(1960)), floats("rain", "ty", 200, 900, 1), target(floats("yield", "ty2", 0, 9))]
    book.add(2, "trap-years", "Years one after another are an input.", write(columns), columns)
    columns = [floats("a", "tt"), numbers("minutes", counted(1)), target(floats("y", "tt2", 0, 9))]
    book.add(2, "trap-second", "Minutes from 1 in the second column are an input.", write(columns), columns)
    columns = [floats("a", "tl"), floats("b", "tl2"), target(numbers("rank", counted(1)))]
    book.add(2, "trap-target", "Ranks from 1 in the last column are the target.", write(columns), columns)
    columns = [words("id", "ti", N, ("left", "right")), floats("b", "ti2"), label("y", "ti", N)]
    book.add(2, "trap-id-words", "A column called `id` with two words is a category.", write(columns), columns)
    columns = [Column("unit", ["7.5"] * N, [7.5] * N, ["constant", "number"], ["input", "left_out"]), *plain("const")]
    book.add(2, "trap-constant", "A column with one value only says nothing; the row number is not lost by it.", write(columns), columns)
    columns = [Column("empty", [""] * N, [None] * N, None, "left_out"), *plain("allgone")]
    book.add(2, "trap-empty", "A column without any value is left out.", write(columns), columns, note=LEFT)


def add(book):
    for part in (issue_examples, indices, write_table, names, bare, traps):
        part(book)
