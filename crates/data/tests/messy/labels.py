"""Kinds 3, 4 and 8: tiny tables, numbers far from zero, and labels that look like something else."""

from table import Column, copied, dice, error, label, numbers, target, uniform, write

N = 60


def tiny(book):
    columns = [numbers("x", uniform("t10", 10, 0, 9)), target(numbers("y", uniform("t10y", 10, 0, 9)))]
    book.add(3, "ten-rows", "Ten rows: one of them validates, so R² of that part does not exist.", write(columns), columns)
    y = [f"{v}.5" for v in (1, 2, 3, 4, 5)] * 2 + ["6.5"] * 40
    columns = [numbers("x", uniform("eq", 50, 0, 9)), target(numbers("y", y))]
    book.add(3, "equal-targets", "Most targets are equal, so a validation part may hold one value only.", write(columns), columns)
    columns = [numbers("x", uniform("t3", 12, 0, 9)), label("y", "t3", 12, ("a", "b"))]
    book.add(3, "twelve-rows", "Twelve rows of two classes.", write(columns), columns)


def offsets(book):
    def one(name, why, x, y=None, **more):
        goal = target(numbers("y", y)) if y else label("y", name, len(x))
        columns = [numbers("t", x), numbers("b", uniform(name + "b", len(x), 0, 1)), goal]
        columns[0].type = ["number", "datetime"]
        columns[0].extra = {"min": min(columns[0].values), "max": max(columns[0].values)}
        book.add(4, name, why, write(columns), columns, **more)

    r = dice("seconds")
    seconds = [str(1_700_000_000 + v) for v in r.sample(range(200), 100)]
    half = uniform("so", 100, 0, 9)
    one("seconds-input", "Unix seconds of one morning as an input: 100 different values.", seconds)
    one("seconds-target", "Unix seconds of one morning to predict.", half, seconds)
    one("seconds-both", "Unix seconds on both sides.", seconds, [str(int(s) + 7 * i % 60) for i, s in enumerate(seconds)])
    julian = [f"{2_460_000 + i / 8:.4f}" for i in range(100)]
    r.shuffle(julian)
    one("julian-input", "Julian days, three hours apart.", julian)
    one("julian-target", "Julian days to predict.", half, julian)
    one("billion", "1e9 plus small fractions.", [f"{1_000_000_000 + float(v):.3f}" for v in uniform("bi", 100, 0, 9, 3)])
    one("milliseconds", "Unix milliseconds.", [str(1_700_000_000_000 + 37 * i) for i in range(100)])
    one("negative", "Far below zero.", [f"{-8_000_000 + float(v):.2f}" for v in uniform("ne", 100, 0, 9)])
    exact = [str(2**53 + i) for i in range(100)]
    columns = [numbers("t", exact), numbers("b", uniform("ex", 100, 0, 1)), label("y", "ex", 100)]
    columns[0].extra = {"min": float(2**53), "max": float(2**53 + 99)}
    columns[0].values = [float(v) for v in columns[0].values]
    book.add(4, "beyond-f64", "Whole numbers beyond 2^53 as an input: different values collapse, which is told.", write(columns), columns, note=["`t`"])


def labels(book):
    def one(name, why, choices, text=None, **more):
        columns = [numbers("a", uniform(name, N, 0, 9)), label("code", name, N, choices)]
        columns[1].extra = more.pop("extra", {})
        book.add(8, name, why, text(columns) if text else write(columns), columns, **more)

    one("zeros", "Labels 001, 002 and 010 keep their zeros.", ("001", "002", "010"))
    one("zeros-differ", "Labels 01 and 1 are two classes.", ("01", "1", "2"))
    one("zeros-three", "Labels 001, 01 and 1 are three classes.", ("001", "01", "1"))
    one("exponents", "Labels 1E2 and 1E3 are names of plates.", ("1E2", "1E3", "2B7"))
    one("exponents-only", "Labels that all look like numbers with an exponent.", ("1E2", "1E3", "2E1"))
    big = [str(2**53 + i) for i in range(4)]
    one("big", "Whole numbers beyond 2^53 are four classes.", big)
    one("huge", "Identifiers of twenty digits.", ("12345678901234567890", "12345678901234567891", "12345678901234567892"))
    one("true-false", "TRUE and False, each as the file has it.", ("TRUE", "False"))
    one("yes-no", "yes and no.", ("yes", "no"))
    one("bands", "Ages in bands, 10-19, are no dates and no differences.", ("10-19", "20-29", "30-39"))
    one("months", "Labels that look like months.", ("2020-01", "2020-02", "2021-01"))
    one("fractions", "Labels 1/2 and 3/4, which look like days.", ("1/2", "3/4", "1/4"))
    one("clock", "Labels that look like times.", ("08:00", "12:30", "18:15"))
    one("points", "Labels 1.0 and 2.0 keep their text.", ("1.0", "2.0"))
    one("plus", "Labels +1 and -1, as LIBSVM has them.", ("+1", "-1"))
    one("ten", "Labels 1, 2 and 10 are in the order of numbers.", ("1", "2", "10"))
    one("negative", "Labels -1, 0 and 1.", ("-1", "0", "1"))
    one("percent", "Labels that are percentages with a sign.", ("10%", "20%", "30%"))
    one("hex", "Labels that look like numbers of base 16.", ("0x1A", "0x1B", "0x2C"))
    one("comma", "Labels with the separator in them, between quotes.", ("a, b", "c", 'd "e"'))
    one("unicode", "Labels in other scripts, and one with an accent.", ("été", "зима", "春"))
    one("case", "A and a are two classes, as alleles are.", ("A", "a", "B"))

    columns = [numbers("a", uniform("blank", N, 0, 9)), label("code", "blank", N, ("yes", "no"))]
    columns[1].texts = [" " + t if i % 3 == 0 else t for i, t in enumerate(columns[1].texts)]
    book.add(8, "blanks", "` yes` and `yes` are one class: a blank after the comma.", write(columns), columns)
    columns = [numbers("a", uniform("tail", N, 0, 9)), label("code", "tail", N, ("yes", "no"))]
    columns[1].texts = [t + "  " if i % 3 == 0 else t for i, t in enumerate(columns[1].texts)]
    book.add(8, "blanks-after", "`yes  ` and `yes` are one class: fields of a fixed width.", write(columns), columns)
    columns = [numbers("a", uniform("quo", N, 0, 9)), label("code", "quo", N, ("1", "2"))]
    lines = write(columns).split("\n")
    text = "\n".join(f'{line[:-1]}"{line[-1]}"' if i % 2 and line else line for i, line in enumerate(lines))
    book.add(8, "quotes", 'Labels 1 and "1" are one class: quotes are no part of a field.', text, columns)


def too_many(book):
    r = dice("names")
    names = ["".join(r.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(6)).title() for _ in range(N)]
    columns = [numbers("a", uniform("tm", N, 0, 9)), numbers("b", uniform("tm2", N, 0, 9)), copied("name", names)]
    told = error("name", "60", any_keys=["data.target", "data.task"])
    book.add(8, "name-last", "The last column is a name in every row: no target, and the owner is asked.", write(columns), error=told)
    texts = names[:15] + ["common", "usual", "plain"] * 15
    r.shuffle(texts)
    columns = [numbers("a", uniform("md", N, 0, 9)), copied("group", texts)]
    told = error("group", "18", any_keys=["data.target", "data.task"])
    why = "18 classes of 60 rows, and most of the classes have one row: the owner is asked."
    book.add(8, "median-one", why, write(columns), error=told)
    columns = [numbers("a", uniform("fd", N, 0, 9)), Column("when", [f"2024-{1 + i // 28:02d}-{1 + i % 28:02d}" for i in range(N)], [], "date")]
    told = error("when", any_keys=["data.target", "data.task"])
    book.add(8, "date-last", "The last column is a date in every row: neither classes nor a plain number.", write(columns), error=told)


def add(book):
    for part in (tiny, offsets, labels, too_many):
        part(book)
