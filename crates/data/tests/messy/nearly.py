"""Kind 1: columns that are nearly numbers."""

import datetime

from table import (
    Column, cure, copied, dice, error, every, label, local, marked, numbers, target, uniform, words, write,
)  # fmt: skip

NBSP, THIN, APOSTROPHE, MINUS = "\u00a0", "\u202f", "\u2019", "\u2212"
N = 60
DECIMAL, GROUPS = "data.decimal", "data.thousands"
WORDS = ("data.missing", "data.types", "data.drop")


def german(key, n=N):
    """Two columns of decimal commas, the second to be predicted."""
    style = {"decimal": ","}
    return [
        numbers("temp", uniform(key + "t", n, -9, 30), **style),
        numbers("druck", uniform(key + "d", n, 900, 1100, 1), **style),
        target(numbers("energie", uniform(key + "e", n, 0, 50), **style)),
    ]


def nameless(columns):
    """Columns of a file without a header: any name will do."""
    for column in columns:
        column.name = None
    return columns


def issue_examples(book):
    """The two files of the issue."""
    temp = [f"{i // 10}.{(i * 7) % 100:02d}" for i in range(100)]
    energie = [f"{i * 3 // 10}.{(i * 11) % 100:02d}" for i in range(100)]
    columns = [numbers("temp", temp, decimal=","), target(numbers("energie", energie, decimal=","))]
    book.add(1, "de", "Decimal commas between semicolons: one input and one number to predict.", write(columns, ";"), columns)
    r = dice("none")
    a, b = ([f"{r.random() * f:.2f}" for _ in range(200)] for f in (5, 1))
    y = copied("y", [str(i % 2) for i in range(200)], ["category", "number", "boolean"])
    columns = [marked(numbers("a", a), range(0, 200, 7), "None"), numbers("b", b), target(y)]
    why = "Python's None in every seventh row of a column of numbers is a missing value."
    book.add(1, "none", why, write(columns), columns)


def decimal_commas(book):
    for name, sep in (("tab", "\t"), ("bar", "|"), ("blank", "  ")):
        columns = german(f"comma-{name}")
        why = f"Decimal commas in a table that is separated otherwise ({name})."
        book.add(1, f"comma-{name}", why, write(columns, sep), columns, ending=".tsv" if sep == "\t" else ".csv")
    for name, sep in (("semicolon", ";"), ("tab", "\t")):
        columns = nameless(german(f"bare-{name}"))
        why = f"Decimal commas without a header, {name} between: the comma separates nothing."
        book.add(1, f"comma-bare-{name}", why, write(columns, sep, header=False), columns)
    columns = german("mixed")
    columns[1] = numbers("anzahl", [str(dice(f"m{i}").randrange(3, 400)) for i in range(N)])
    columns[2] = label("klasse", "mixed", N, ("gut", "schlecht"))
    book.add(1, "comma-mixed", "Decimal commas, whole numbers and classes in one file.", write(columns, ";"), columns)
    columns = german("missing")
    marked(columns[0], every(N, 0.1, "m1"), "NA"), marked(columns[1], every(N, 0.15, "m2"), "-")
    book.add(1, "comma-missing", "Decimal commas with two marks for missing values.", write(columns, ";"), columns)
    plains = [f"{v}E{e:+03d}" for v, e in zip(uniform("exp", N, -9, 9, 4), [i % 7 - 3 for i in range(N)])]
    columns = [numbers("x", plains, write=lambda p: p.replace(".", ",")), target(numbers("y", uniform("ey", N, 0, 9), decimal=","))]
    book.add(1, "comma-exponent", "Decimal commas with exponents, as a spreadsheet of a German lab writes them.", write(columns, ";"), columns)
    columns = german("quoted")
    why = "Decimal commas between quotes and commas between the fields."
    book.add(1, "comma-quoted", why, write(columns, ",", quote="all"), columns)
    columns = [numbers("a", uniform("three", N, 0, 2, 3), decimal=","), target(numbers("y", uniform("ty", N, 1200, 9900, 3), decimal=","))]
    why = "Three digits after every comma, but 0,123 and 1234,567 cannot be grouped: decimal commas."
    book.add(1, "comma-three-digits", why, write(columns, ";"), columns)
    columns = german("point")
    columns[1] = numbers("druck", uniform("pd", N, 900, 1100, 1))
    why = "One column with decimal points, the others with decimal commas: each is clear by itself."
    book.add(1, "comma-and-point", why, write(columns, ";"), columns, error=error("druck", any_keys=[DECIMAL]))
    text = "a,b,y\n" + "".join(f"{a},{b},{i % 2}\n" for i, (a, b) in enumerate(zip(uniform("r1", N, 0, 9), uniform("r2", N, 0, 9)))).replace(".", ",")
    why = "A decimal comma where the comma also separates: five fields below three names."
    book.add(1, "comma-in-commas", why, text, error=error("5", "3"))
    plains = uniform("three-point", N, 0, 9, 3)
    columns = [numbers("a", plains), numbers("b", uniform("tp", N, 0, 9, 3)), label("y", "tp", N)]
    book.add(1, "point-three-digits", "Three digits after every point is how many programs write numbers; nothing is grouped.", write(columns), columns)
    columns = [numbers("a", plains), target(numbers("y", uniform("tp2", N, 1, 9, 3)))]
    why = "Three digits after every point between semicolons: a decimal point, as no comma is seen anywhere."
    book.add(1, "point-three-digits-semicolon", why, write(columns, ";"), columns)


def wide(key, digits, low=2.0):
    """Amounts from a hundred to two million, some of them with two groups."""
    r = dice(key)
    out = [f"{10 ** r.uniform(low, 6.4):.{digits}f}" for _ in range(N)]
    out[7] = f"{r.uniform(1e6, 2e6):.{digits}f}"
    return out


def grouping(book):
    def amounts(name, why, sep=",", quote="minimal", digits=2, header=True, **style):
        columns = [
            numbers("income", wide(name + "i", digits), **style),
            numbers("age", [str(dice(f"{name}{i}").randrange(18, 90)) for i in range(N)]),
            target(numbers("debt", wide(name + "d", digits), **style)),
        ]
        if not header:
            nameless(columns)
        book.add(1, f"group-{name}", why, write(columns, sep, header=header, quote=quote), columns)

    amounts("comma", "American amounts, 1,234.50, quoted.", group=",")
    amounts("comma-whole", "Whole amounts with one or two commas, quoted: grouping, as 1,234,567 has two.", group=",", digits=0)
    amounts("comma-tab", "Whole amounts with commas between tabs.", "\t", group=",", digits=0)
    amounts("comma-bare", "American amounts without a header.", group=",", header=False, quote="all")
    amounts("point", "German amounts, 1.234,50.", ";", group=".", decimal=",")
    amounts("point-whole", "Whole amounts with points, 1.234.567.", ";", group=".", decimal=",", digits=0)
    amounts("point-tab", "German amounts between tabs.", "\t", group=".", decimal=",")
    amounts("blank", "French amounts, 1 234,50, with plain blanks.", ";", group=" ", decimal=",")
    amounts("blank-point", "Amounts in the style of ISO 31 with a decimal point, 1 234.50.", group=" ")
    amounts("nbsp", "French amounts with no-break blanks.", ";", group=NBSP, decimal=",")
    amounts("thin", "French amounts with narrow no-break blanks, as CLDR has them.", ";", group=THIN, decimal=",")
    amounts("apostrophe", "Swiss amounts, 1'234.50.", ";", group="'")
    amounts("apostrophe-comma", "Swiss amounts between commas.", group="'")
    amounts("apostrophe-curly", "Swiss amounts with a typographic apostrophe.", ";", group=APOSTROPHE)
    plains = [p if i % 3 else "-" + p for i, p in enumerate(wide("neg", 2))]
    columns = [numbers("flow", plains, group=","), label("y", "neg", N)]
    book.add(1, "group-negative", "Negative amounts with commas.", write(columns), columns)

    def lakh(plain):
        head, last = plain[:-3], plain[-3:]
        pairs = []
        while head:
            pairs.insert(0, head[-2:])
            head = head[:-2]
        return ",".join([*pairs, last])

    columns = [numbers("rupees", wide("lakh", 0, low=4.1), write=lakh), label("y", "lakh", N)]
    why = "Indian grouping, 12,34,567."
    book.add(1, "group-lakh", why, write(columns), columns, error=error("rupees", any_keys=[GROUPS, *WORDS]))


def ambiguous(book):
    def thousand(key, rest=()):
        r = dice(key)
        return [str(r.randrange(1000, 10_000)) for _ in range(N - len(rest))] + list(rest)

    def both(name, why, sep, plains=None, extra=(), header=True):
        plains = plains or thousand(name)
        y = label("y", name, N)
        cols = lambda write: [Column("amount" if header else None, [local(p, group=",") for p in plains], [write(p) for p in plains], "number"), *extra, y]
        small = lambda p: int(p) / 1000 if len(p) > 3 else int(p)
        if not header:
            y.name = None
        read = [cure(cols(small), decimal=","), cure(cols(int), thousands=",")]
        told = error(*(["amount"] if header else []), keys=[DECIMAL, GROUPS])
        clear = cols(int) if name == "neighbor" else None
        book.add(1, f"ambiguous-{name}", why, write(cols(int), sep, header=header), clear, error=told, cured=read)

    both("quoted", "Exactly three digits after every comma: 1.234 or 1234, only the owner knows.", ",")
    both("semicolon", "The same between semicolons.", ";")
    both("tab", "The same between tabs.", "\t")
    both("bare", "The same without a header.", ";", header=False)
    small = [str(dice(f"s{i}").randrange(100, 1000)) for i in range(20)]
    both("small", "Numbers below 1000 have no comma either way.", ";", plains=thousand("small", small))
    both("neighbor", "A neighbor with decimal points hints that the commas group, so 1234 may be read; never 1.234.", ";", extra=[numbers("b", uniform("nb", N, 0, 9, 3))])
    plains = thousand("points")
    columns = [numbers("stück", plains, group="."), target(numbers("preis", uniform("pp", N, 0, 90), decimal=","))]
    why = "Points in threes beside decimal commas in the same file: the points group."
    book.add(1, "ambiguous-points", why, write(columns, ";"), columns, error=error("stück", keys=[DECIMAL, GROUPS]))


def currency(book):
    def money(name, why, sep=",", quote="minimal", write_one=None, plains=None, **style):
        plains = plains or uniform(name, N, 1, 999)
        columns = [numbers("price", plains, write=write_one, **style), numbers("n", [str(i * 7 % 23) for i in range(N)]), label("y", name, N)]
        book.add(1, f"money-{name}", why, write(columns, sep, quote=quote), columns)

    money("dollar", "A dollar sign before each number.", prefix="$")
    money("dollar-blank", "A dollar sign and a blank.", prefix="$ ")
    money("dollar-grouped", "Dollars in thousands.", plains=wide("dg", 2), prefix="$", group=",")
    money("euro-after", "A euro sign after each number, decimal commas.", ";", decimal=",", suffix=" €")
    money("euro-nbsp", "The same with a no-break blank.", ";", decimal=",", suffix=NBSP + "€")
    money("euro-before", "A euro sign before each number.", ";", prefix="€")
    money("euro-grouped", "German prices, 1.234,50 €.", ";", plains=wide("eg", 2), decimal=",", group=".", suffix=" €")
    money("pound", "Pounds.", prefix="£")
    signed = [p if i % 4 else "-" + p for i, p in enumerate(uniform("ds", N, 1, 99))]
    money("sign-before", "Losses as -$1.50.", plains=signed, prefix="$")
    money("accounting", "Losses in parentheses, ($1.50).", plains=signed, write_one=lambda p: f"(${p[1:]})" if p[0] == "-" else f"${p}")
    columns = [numbers("price", uniform("mx", N, 1, 99)), label("y", "mx", N)]
    columns[0].texts = [("$" if i % 2 else "€") + t for i, t in enumerate(columns[0].texts)]
    why = "Dollars and euros in one column are not one unit."
    book.add(1, "money-two", why, write(columns), error=error("price", "$", "€", any_keys=WORDS))


def percent(book):
    def share(name, why, sep=",", **style):
        columns = [numbers("share", uniform(name, N, 0, 100, 1), **style), label("y", name, N)]
        book.add(1, f"percent-{name}", why, write(columns, sep), columns)

    share("sign", "A percent sign after each number; the number is as the file has it.", suffix="%")
    share("blank", "Percent after a blank, decimal commas.", ";", decimal=",", suffix=" %")
    share("nbsp", "Percent after a no-break blank.", suffix=NBSP + "%")
    columns = [numbers("share", uniform("whole", N, 0, 99, 0), suffix="%"), target(numbers("growth", uniform("g", N, -9, 9, 1), suffix="%"))]
    book.add(1, "percent-target", "Percent signs in the target too: a number to predict.", write(columns), columns)
    columns = [numbers("share", uniform("pm", N, 0, 100, 1)), label("y", "pm", N)]
    columns[0].texts = [t + "%" if i % 2 else f"{float(t) / 100:.3f}" for i, t in enumerate(columns[0].texts)]
    why = "Half of the column in percent and half as fractions: two units."
    book.add(1, "percent-mixed", why, write(columns), error=error("share", "%", any_keys=WORDS))


MARKS = [
    "None", "-", ".", "<NA>", "#N/A", "nil", "N.A.", "NaT", "*", "#VALUE!", "#DIV/0!", "missing", "1.#QNAN", "-nan",
]  # fmt: skip
KNOWN = ["", "?", "NA", "n/a", "NaN", "null", "NULL", "nan", "none", "MISSING"]
RARE = ["--", "---", "(null)", "\\N", "#NUM!", "#REF!", "#NAME?", "-1.#IND", "1.#IND", "nan(ind)"]


def slug(mark):
    """A mark as part of a file's name."""
    names = {
        "-": "dash", ".": "point", "*": "star", "": "empty", "?": "question", "--": "dashes", "---": "rule",
        "#N/A": "excel-na", "N.A.": "na-points", "<NA>": "na-angles", "(null)": "null-parens", "\\N": "backslash-n",
        "n/a": "na-slash", "-1.#IND": "minus-ind", "-nan": "minus-nan",
    }  # fmt: skip
    plain = "".join(c.lower() if c.isalnum() else "-" for c in mark).strip("-")
    return names.get(mark, plain or "mark")


def missing(book):
    def one(mark, share, **more):
        key = f"{slug(mark)}-{round(100 * share)}"
        if mark in ("NULL", "nan", "none", "MISSING"):
            key += "-case"
        rows = every(100, share, key + mark)
        columns = [marked(numbers("a", uniform(key, 100, 0, 5)), rows, mark), numbers("b", uniform(key + "b", 100, 0, 1)), label("y", key, 100)]
        why = f"`{mark}` stands for a missing value in {len(rows)} of 100 rows."
        book.add(1, f"missing-{key}", why, write(columns), columns, **more)

    for mark in MARKS:
        for share in (0.02, 0.15, 0.4):
            one(mark, share)
    for mark in KNOWN:
        one(mark, 0.15)
    for mark in RARE:
        one(mark, 0.15, error=error("a", keys=["data.missing"]))
    columns = [numbers("a", uniform("several", 100, 0, 5)), numbers("b", uniform("sb", 100, 0, 1)), label("y", "several", 100)]
    for i, mark in enumerate(("NA", "-", "N.A.", "#N/A", "missing", "")):
        marked(columns[i % 2], range(5 + i, 100, 17), mark)
    book.add(1, "missing-several", "Many marks in one file, as when people of many habits have typed it.", write(columns), columns)
    columns = [words("rhesus", "rh", N, ("+", "-")), numbers("b", uniform("rhb", N, 0, 1)), label("y", "rh", N)]
    book.add(1, "plus-minus", "A column of + and - is a category with two values; nothing is missing.", write(columns), columns)
    columns = [numbers("b", uniform("pmt", N, 0, 1)), target(words("approved", "pmt", N, ("+", "-")))]
    book.add(1, "plus-minus-target", "Classes + and -, as in the credit approval table of UCI.", write(columns), columns)
    target_gaps(book)


def target_gaps(book):
    keys = ["data.missing_target"]
    for name, mark in (("empty", ""), ("na", "NA")):
        rows = every(N, 0.1, "gap" + name)
        y = marked(target(numbers("y", uniform("gy" + name, N, 0, 9))), rows, mark)
        columns = [numbers("a", uniform("ga" + name, N, 0, 9)), y]
        full = [Column(c.name, [t for i, t in enumerate(c.texts) if i not in rows], [v for i, v in enumerate(c.values) if i not in rows], c.type, c.role) for c in columns]
        why = f"{len(rows)} rows without a target (`{mark}`): nothing may be learned from them unless told."
        book.add(1, f"target-gap-{name}", why, write(columns), error=error("y", str(len(rows)), keys=keys), cured=[cure(full, missing_target="drop")])
    rows = every(N, 0.1, "gapclass")
    y = label("y", "gapclass", N, ("yes", "no"))
    for row in rows:
        y.texts[row] = ""
    columns = [numbers("a", uniform("gc", N, 0, 9)), y]
    book.add(1, "target-gap-class", "Classes that are empty in some rows are not a class of their own.", write(columns), error=error("y", str(len(rows)), keys=keys))


def slips(book):
    """Mostly numbers, with other words among them."""
    for word, share in (
        ("abc", 0.02), ("unknown", 0.05), ("<0.01", 0.1), (">100", 0.15), ("trace", 0.3), ("n.d.", 0.4), ("bad", 0.48),
        ("12a", 0.02), ("1.2.3", 0.05), ("1O.5", 0.02), ("ca. 5", 0.1), ("ten", 0.02), ("see note", 0.15),
    ):  # fmt: skip
        key = f"{slug(word)}-{round(100 * share)}"
        rows = every(N, share, key)
        columns = [marked(numbers("a", uniform(key, N, 0, 5)), rows, word), numbers("b", uniform(key + "b", N, 0, 1)), label("y", key, N)]
        why = f"Numbers with `{word}` in {len(rows)} of {N} rows: whether that is missing, a slip or a category, only the owner knows."
        cured = [cure(columns, missing=word)]
        book.add(1, f"slip-{key}", why, write(columns), error=error("a", word, str(rows[0] + 2), any_keys=WORDS), cured=cured)
    rows = every(N, 0.15, "slip-target")
    y = target(numbers("y", uniform("st", N, 0, 9)))
    columns = [numbers("a", uniform("sta", N, 0, 9)), marked(y, rows, "failed")]
    book.add(1, "slip-target", "Numbers to predict with a word among them: never one class for each number.", write(columns), error=error("y", "failed", str(rows[0] + 2)))
    columns = [copied("doors", [("2", "3", "4", "5more")[i * 7 % 4] for i in range(N)]), label("y", "doors", N, ("bad", "good"))]
    drive = [copied("drv", [("f", "4", "r")[i * 7 % 3] for i in range(N)]), numbers("displ", uniform("drv", N, 1, 6, 1)), target(numbers("hwy", uniform("hwy", N, 12, 40, 1)))]
    book.add(1, "slip-drive", "Front, rear and 4 wheels, as in the mpg table: a category, one of whose words is a digit.", write(drive), drive)
    seats = [copied("persons", [("2", "4", "more")[i * 7 % 3] for i in range(N)]), label("y", "persons", N, ("bad", "good"))]
    why = "Persons 2, 4 and more, as in the car table of UCI: two of three rows are numbers, and all are words."
    told = error("persons", "more", any_keys=["data.types"])
    book.add(1, "slip-seats", why, write(seats), seats, error=told, cured=[cure(seats, types={"persons": "category"})])
    why = "Levels 2, 3, 4 and 5more, as in the car table of UCI: a category, or the owner is asked, as most are numbers."
    book.add(1, "slip-levels", why, write(columns), columns, error=error("doors", "5more", any_keys=["data.types"]), cured=[cure(columns, types={"doors": "category"})])


def notations(book):
    def column(name, why, plains, one, **more):
        columns = [numbers("x", plains, write=one), label("y", name, N)]
        book.add(1, f"notation-{name}", why, write(columns), columns, **more)

    mixed = [p if i % 3 else "-" + p for i, p in enumerate(uniform("not", N, 0.1, 9))]
    column("accounting", "Negative numbers in parentheses, (1.50).", mixed, lambda p: f"({p[1:]})" if p[0] == "-" else p)
    column("plus", "A plus sign before positive numbers.", mixed, lambda p: p if p[0] == "-" else "+" + p)
    column("no-zero", "Numbers without the zero, .5 and -.5.", [f"{p[0]}0.{i:02d}" if p[0] == "-" else f"0.{i:02d}" for i, p in enumerate(mixed)], lambda p: p.replace("0.", ".", 1))
    column("exponent", "Exponents, 1.5e-03 and 1E5.", [f"{float(p):.3e}" if i % 2 else f"{float(p):.1E}" for i, p in enumerate(mixed)], str)
    columns = [numbers("x", mixed), label("y", "quoted", N)]
    book.add(1, "notation-quoted", "All fields between quotes are numbers still.", write(columns, quote="all"), columns)
    column("padded", "Blanks around numbers.", mixed, lambda p: f"  {p} ")
    hint = error("x", any_keys=WORDS)
    column("minus-sign", "A typographic minus sign, as word processors set it.", mixed, lambda p: p.replace("-", MINUS), error=hint)
    column("minus-after", "The minus sign after the number, as SAP writes it.", mixed, lambda p: p[1:] + "-" if p[0] == "-" else p, error=hint)
    column("fortran", "Fortran's exponent, 1.5D+03.", [f"{float(p):.3e}" for p in mixed], lambda p: p.replace("e", "D"), error=hint)
    column("unit", "The same unit after every number, 5.25 kg.", uniform("kg", N, 1, 99), lambda p: p + " kg", error=hint)
    plains = uniform("inf", N, 0, 9)
    columns = [numbers("x", plains), label("y", "inf", N)]
    columns[0].texts[9] = "inf"
    book.add(1, "notation-infinite", "An infinite value cannot be trained on; it is told with its line.", write(columns), error=error("inf", "11", "x"))


def booleans(book):
    for name, yes, no in (("true", "true", "false"), ("upper", "TRUE", "FALSE"), ("title", "True", "False"), ("yes", "yes", "no"), ("letters", "T", "F")):
        draws = [dice(f"bool-{name}-{i}").random() < 0.5 for i in range(N)]
        kind = "boolean" if name in ("true", "upper", "title") else ["boolean", "category"]
        values = draws if kind == "boolean" else [yes if d else no for d in draws]
        flag = Column("flag", [yes if d else no for d in draws], values, kind)
        columns = [flag, numbers("a", uniform("bool" + name, N, 0, 9)), label("y", "bool" + name, N)]
        book.add(1, f"boolean-{name}", f"A column of {yes} and {no}.", write(columns), columns)
        if kind == "boolean":
            marked(flag, every(N, 0.1, "bool" + name), "NA")
            book.add(1, f"boolean-{name}-missing", f"A column of {yes} and {no}, and of missing values.", write(columns), columns)


def days(n, step=5):
    """ISO dates."""
    return [datetime.date(2023, 1, 1) + datetime.timedelta(days=i * step) for i in range(n)]


def dates(book):
    def one(name, why, texts):
        day = Column("day", texts, [d.isoformat() for d in days(N)], "date")
        columns = [day, numbers("a", uniform(name, N, 0, 9)), label("y", name, N)]
        book.add(1, f"date-{name}", why, write(columns), columns)

    one("iso", "ISO dates.", [d.isoformat() for d in days(N)])
    one("dmy", "Day before month, which one day above 12 decides.", [d.strftime("%d/%m/%Y") for d in days(N)])
    one("mdy", "Month before day, which one day above 12 decides.", [d.strftime("%m/%d/%Y") for d in days(N)])
    one("points", "German dates with points.", [d.strftime("%d.%m.%Y") for d in days(N)])
    texts = [f"{i % 12 + 1:02d}/{i * 5 % 12 + 1:02d}/2025" for i in range(N)]
    columns = [copied("day", texts, "date"), numbers("a", uniform("da", N, 0, 9)), label("y", "da", N)]
    book.add(1, "date-ambiguous", "No day above 12: 03/04/2025 is in March or in April.", write(columns), error=error("day", keys=["data.date_order"]))


def add(book):
    for part in (issue_examples, decimal_commas, grouping, ambiguous, currency, percent, missing, slips, notations, booleans, dates):
        part(book)
