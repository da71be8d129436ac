"""Kind 10: how a file is laid out, from encodings to lines that are no rows."""

import gzip

from table import (
    Column, cure, dice, error, label, numbers, target, uniform, words, write,
)  # fmt: skip

N = 40
SKIP, COMMENT = "data.skip", "data.comment"


def plain(key, n=N, classes=("0", "1")):
    """Two inputs and two classes."""
    names = ("a", "b")
    return [numbers(name, uniform(key + name, n, 0, 9)) for name in names] + [label("y", key, n, classes)]


def delimiters(book):
    def one(name, why, sep, end, header_too=True):
        columns = plain(name)
        lines = write(columns, sep).rstrip("\n").split("\n")
        lines = [line + (end if i or header_too else "") for i, line in enumerate(lines)]
        book.add(10, f"trailing-{name}", why, "\n".join(lines) + "\n", columns)

    one("comma", "A comma at the end of every line.", ",", ",")
    one("semicolon", "A semicolon at the end of every line.", ";", ";")
    one("tab", "A tab at the end of every line.", "\t", "\t")
    one("rows", "A comma at the end of every row, and none after the names.", ",", ",", False)
    one("blank", "A blank at the end of every line of a table of blanks.", " ", " ")
    columns = plain("excel-rows")
    text = write(columns) + ",,\n" * 3
    why = "Rows of nothing but commas at the end, as spreadsheets leave them."
    book.add(10, "trailing-empty-rows", why, text, columns, error=error("42"))
    columns = plain("two-more")
    text = "\n".join(line + ",," for line in write(columns).rstrip("\n").split("\n")) + "\n"
    book.add(10, "trailing-two", "Two commas at the end of every line.", text, columns)


def separators(book):
    def one(name, why, sep, ending=".csv", **more):
        columns = plain(name)
        book.add(10, f"sep-{name}", why, write(columns, sep), columns, ending=ending, **more)

    one("tab", "Tabs.", "\t", ".tsv")
    one("bar", "Bars.", "|")
    one("blanks", "Several blanks.", "   ", ".txt")
    one("comma-blank", "A comma and a blank.", ", ")
    one("colon", "Colons.", ":", error=error(any_keys=["data.separator"]))
    one("double-colon", "Two colons, as in MovieLens.", "::", ".txt", error=error(any_keys=["data.separator"]))
    columns = plain("fixed", classes=("ox", "cow"))
    widths = (9, 12, 6)
    head = "".join(c.name.rjust(w) for c, w in zip(columns, widths))
    rows = ["".join(t.rjust(w) for t, w in zip(row, widths)) for row in zip(*(c.texts for c in columns))]
    book.add(10, "fixed-width", "Columns of fixed width.", "\n".join([head, *rows]) + "\n", columns, ending=".txt")
    for name, sep, first in (("semicolon", ";", "sep=;"), ("comma", ",", "sep=,"), ("tab", "\t", "sep=\t")):
        columns = plain("sep" + name)
        text = f"{first}\r\n" + write(columns, sep, end="\r\n")
        book.add(10, f"sep-told-{name}", "Excel's first line tells the separator.", text, columns)
    columns = [words("note", "ct", N, ("red, round", "blue, square")), *plain("ct")]
    book.add(10, "sep-commas-in-text", "Commas within the texts of a table of semicolons.", write(columns, ";"), columns)
    columns = [words("note", "st", N, ("red; round", "blue; square")), *plain("st")]
    book.add(10, "sep-semicolons-in-text", "Semicolons within the texts of a table of commas.", write(columns), columns)
    columns = plain("mixed-separators")
    text = write(columns).replace(",", ";").replace("a;b;y", "a,b,y")
    book.add(10, "sep-header-other", "Commas between the names, semicolons between the fields.", text, columns, error=error("line"))
    columns = plain("markdown")
    rows = [" | ".join(row) for row in zip(*(c.texts for c in columns))]
    text = "| a | b | y |\n|---|---|---|\n" + "".join(f"| {row} |\n" for row in rows)
    book.add(10, "sep-markdown", "A table from a page in Markdown.", text, columns, error=error("line"))


def extra_lines(book):
    def one(name, why, make, keys=(), says=(), cured=None, any_keys=(), **more):
        columns = plain(name)
        lines = write(columns).rstrip("\n").split("\n")
        told = {"error": error(*says, keys=keys, any_keys=any_keys)} if keys or says or any_keys else {}
        if cured:
            told["cured"] = [cure(columns, **cured)]
        book.add(10, f"lines-{name}", why, "\n".join(make(lines)) + "\n", columns, **told, **more)

    top = "# made by hand\n# 2024, station 7".split("\n")
    one("comments", "Comment lines with # above the header.", lambda l: [*top, *l])
    one("comments-within", "A comment line with # among the rows.", lambda l: [*l[:20], "# the sensor was moved", *l[20:]])
    one("comments-end", "A comment line with # at the end.", lambda l: [*l, "# end of file"])
    one("comments-commas", "Comments with as many commas as the rows.", lambda l: ["# a, b, and y", *l])
    one("comments-percent", "Comment lines with %, as MATLAB and ARFF have them.", lambda l: ["% made by hand", *l], [COMMENT], cured={"comment": "%"})
    one("comments-slashes", "Comment lines with //.", lambda l: ["// made by hand", *l], [COMMENT], cured={"comment": "//"})
    one("title", "A title above the header.", lambda l: ["Survey of the year 2024", *l], [SKIP], ["1"], {"skip": 1})
    one("title-blank", "A title and an empty line above the header.", lambda l: ["Survey of the year 2024", "", *l], [SKIP], ["1"])
    one("title-padded", "A title with the commas of a spreadsheet.", lambda l: ["Survey of the year 2024,,", *l], [SKIP], ["1"], {"skip": 1})
    head = ["Station: 7", "Height: 212 m", "Owner: the office"]
    one("title-three", "Three lines about the station above the header.", lambda l: [*head, *l], [SKIP], ["1"], {"skip": 3})
    one("units", "A row of units below the header.", lambda l: [l[0], "m/s,kg,-", *l[1:]], says=["m/s", "2"], any_keys=[SKIP, COMMENT])
    one("footer", "A line about the source at the end, without commas.", lambda l: [*l, "Source: the office"], says=["42"], any_keys=[SKIP, COMMENT])
    one("footer-count", "A count of the rows at the end, as SQL clients print it.", lambda l: [*l, "(40 rows)"], says=["42"], any_keys=[SKIP, COMMENT])
    one("footer-blank", "An empty line and a remark at the end.", lambda l: [*l, "", "Values are provisional"], says=["43"], any_keys=[SKIP, COMMENT])
    one("blank-lines", "Empty lines between the rows.", lambda l: [x for line in l for x in (line, "")])
    one("blank-first", "Empty lines above the header.", lambda l: ["", "", *l])
    one("blank-last", "Empty lines at the end.", lambda l: [*l, "", "", ""])
    one("blanks-only", "Lines of blanks at the end.", lambda l: [*l, "   ", "  "])
    one("rule", "A rule of dashes below the header.", lambda l: [l[0], "---,---,---", *l[1:]], says=["2"], any_keys=[SKIP, COMMENT])
    one("repeated-header", "The header again in the middle, where two files were joined.", lambda l: [*l[:21], l[0], *l[21:]], says=["22"])

    columns = plain("total")
    sums = [f"{sum(c.values):.2f}" for c in columns[:2]]
    text = write([words("site", "total", N, ("north", "south")), *columns]) + f"Total,{sums[0]},{sums[1]},\n"
    why = "A row of totals at the end must not be learned from."
    book.add(10, "lines-total", why, text, error=error("42"))
    columns = plain("total2")
    text = write(columns) + f"Total,{sums[1]},0\n"
    book.add(10, "lines-total-number", "A row of totals below numbers.", text, error=error("Total", "42"))
    columns = plain("savetxt")
    text = "# a b y\n" + write(columns, " ", header=False)
    for column in columns:
        column.name = None
    book.add(10, "lines-savetxt", "NumPy's savetxt puts # before the names.", text, columns, ending=".txt")
    columns = plain("savetxt2")
    text = "# a,b,y\n" + write(columns, header=False)
    for column in columns:
        column.name = None
    book.add(10, "lines-savetxt-comma", "The same with commas.", text, columns)
    columns = [words("tag", "hash", N, ("#1", "#2", "#3")), *plain("hash")]
    book.add(10, "lines-hash-values", "Values that begin with # are no comments.", write(columns), columns)
    columns = plain("keel")
    text = "@relation made\n@attribute a real\n@attribute b real\n@attribute y {0, 1}\n@inputs a, b\n@outputs y\n@data\n"
    for column in columns:
        column.name = None
    book.add(10, "lines-keel", "The head of a KEEL or ARFF file.", text + write(columns, header=False), columns, ending=".data", error=error("line", any_keys=[SKIP, COMMENT]))


def ragged(book):
    def one(name, why, change, *says, **more):
        lines = write(plain(name)).rstrip("\n").split("\n")
        change(lines)
        book.add(10, f"ragged-{name}", why, "\n".join(lines) + "\n", error=error(*says), **more)

    def short(lines):
        lines[11] = lines[11].rsplit(",", 1)[0]

    def long(lines):
        lines[11] += ",7"

    def cut(lines):
        lines[-1] = lines[-1].split(",")[0]

    one("short", "One row lacks a field.", short, "12", "2", "3")
    one("long", "One row has a field more.", long, "12", "4", "3")
    one("cut", "The file breaks off in its last row.", cut, "41", "1", "3")


def encodings(book):
    def one(name, why, encoding, bom=b"", **more):
        columns = [words("größe", name, N, ("groß", "klein")), words("café", name + "2", N, ("crème", "noir")), *plain(name)]
        book.add(10, f"encoding-{name}", why, bom + write(columns).encode(encoding), columns, **more)

    one("utf8", "UTF-8.", "utf-8")
    one("utf8-bom", "UTF-8 with a byte order mark.", "utf-8-sig")
    one("utf16-le", "UTF-16, low byte first, with its mark.", "utf-16-le", b"\xff\xfe")
    one("utf16-be", "UTF-16, high byte first, with its mark.", "utf-16-be", b"\xfe\xff")
    one("utf16-bare", "UTF-16 without a mark: every other byte is 0.", "utf-16-le", error=error("UTF-16"))
    one("cp1252", "CP1252, the code page of Western Windows.", "cp1252")
    columns = [words("grade", "cp", N, ("“good”", "it’s – bad", "5 €")), *plain("cp")]
    why = "CP1252 with quotation marks, a dash and a euro sign, which Latin-1 lacks."
    book.add(10, "encoding-cp1252-signs", why, write(columns), columns, encoding="cp1252")
    columns = [numbers("preis", uniform("eu", N, 1, 99), decimal=",", suffix=" €"), label("y", "eu", N)]
    book.add(10, "encoding-cp1252-euro", "CP1252 with prices in euros and decimal commas.", write(columns, ";"), columns, encoding="cp1252")
    columns = [numbers("temp", uniform("u16", N, -9, 30), decimal=","), target(numbers("y", uniform("u16y", N, 0, 9), decimal=","))]
    text = b"\xff\xfe" + write(columns, "\t", end="\r\n").encode("utf-16-le")
    book.add(10, "encoding-utf16-excel", "Excel's Unicode text: UTF-16, tabs, decimal commas, CRLF.", text, columns, ending=".txt")
    text = write(plain("nul")).replace("\n", "\n\0", 1)
    book.add(10, "encoding-nul", "A zero byte in the middle: no text, or a row that is told.", text, error=error())


def line_ends(book):
    def one(name, why, end, change=lambda text: text):
        columns = [words("kind", name, N, ("red", "blue")), *plain(name)]
        book.add(10, f"ends-{name}", why, change(write(columns, end=end)), columns)

    one("crlf", "CRLF.", "\r\n")
    one("cr", "CR alone, as old programs for the Mac write it.", "\r")
    one("mixed", "LF and CRLF in one file.", "\n", lambda t: "\n".join(l + "\r" * (i % 2) for i, l in enumerate(t.split("\n")[:-1])) + "\n")
    one("none", "No line end after the last row.", "\n", lambda t: t[:-1])
    one("dos", "Control-Z at the end, as CP/M and DOS have it.", "\r\n", lambda t: t + "\x1a")
    columns = plain("gz")
    text = gzip.compress(write(columns).encode(), mtime=0)
    book.add(10, "packed", "A table packed by gzip.", text, columns, ending=".csv.gz")


def quotes(book):
    columns = plain("stray", classes=("good", "bad"))
    columns = [words("part", "stray", N, ("bolt", "nut")), *columns]
    lines = write(columns).rstrip("\n").split("\n")
    lines[6] = '"' + lines[6]
    book.add(10, "quotes-stray", "A quote in line 7 that is never closed.", "\n".join(lines) + "\n", error=error("quote", "line 7"))
    lines = write(columns).rstrip("\n").split("\n")
    lines[6], lines[30] = '"' + lines[6], '"' + lines[30]
    told = error("quote")
    book.add(10, "quotes-stray-two", "A quote in line 7 that ends in line 31: 24 rows would be lost.", "\n".join(lines) + "\n", error=told)
    columns = [words("pipe", "inch", N, ('3"', '5"', '7"')), *plain("inch")]
    text = write(columns, quote="none")
    book.add(10, "quotes-inches", "Inches: a quote at the end of a field that none begins.", text, columns)
    columns = [words("part", "dq", N, ('the "big" one', "the small one")), *plain("dq")]
    book.add(10, "quotes-doubled", "Quotes within quotes are doubled.", write(columns), columns)
    columns = [words("note", "nl", N, ("two\nlines", "one line", "a\n\nb")), *plain("nl")]
    book.add(10, "quotes-newlines", "Line breaks within quotes.", write(columns), columns)
    columns = [words("note", "nlr", N, ("two\r\nlines", "one line")), *plain("nlr")]
    book.add(10, "quotes-newlines-crlf", "Line breaks within quotes in a file of CRLF.", write(columns, end="\r\n"), columns)
    columns = [words("kind", "all", N, ("red", "blue")), *plain("all")]
    book.add(10, "quotes-all", "Quotes around every field.", write(columns, ";", quote="all"), columns)
    columns = [words("kind", "sq", N, ("red", "blue")), *plain("sq")]
    lines = ["'" + l.replace(",", "','") + "'" for l in write(columns).rstrip("\n").split("\n")]
    why = "Single quotes around every field."
    book.add(10, "quotes-single", why, "\n".join(lines) + "\n", columns, error=error("'"))
    columns = [words("part", "ap", N, ("o'neil's", "smith")), *plain("ap")]
    book.add(10, "quotes-apostrophes", "Apostrophes within words are no quotes.", write(columns), columns)
    columns = [words("part", "bs", N, ('the "big" one', "the small one")), *plain("bs")]
    text = write(columns).replace('""', '\\"')
    book.add(10, "quotes-backslash", "A backslash before quotes within quotes, as MySQL writes them.", text, columns, error=error("part"))
    columns = [words("code", "eq", N, ("001", "002", "010")), *plain("eq")]
    text = write(columns, quote="none")
    text = "\n".join(f'="{l[:3]}"{l[3:]}' if i and l else l for i, l in enumerate(text.split("\n")))
    columns[0].type = ["category", "text"]
    book.add(10, "quotes-excel", 'Excel\'s ="001" keeps a text a text.', text, columns, error=error("code"))
    columns = [words("part", "bl", N, ("bolt", "nut")), *plain("bl")]
    text = write(columns, ", ", quote="all")
    book.add(10, "quotes-after-blank", "A blank between the comma and the quote.", text, columns)


def unusable(book):
    r = dice("text")
    some = "the of valley river line lowest point water stone hill path slope bank field mill".split()
    text = lambda: " ".join(r.choice(some) for _ in range(7))
    columns = [Column(name, texts := [text() for _ in range(N)], list(texts), "text", "left_out") for name in ("title", "remark", "story")]
    columns += plain("free")
    names = ["title", "remark", "story"]
    why = "Three columns of free text are left out with a note, or told together with what drops them."
    told = error(*names, keys=["data.drop"])
    cured = [cure(columns, drop=names)]
    book.add(10, "unusable-texts", why, write(columns), columns, error=told, cured=cured, note=["left out", *names])
    columns = [Column("mail", texts := [f"u{r.randrange(10**6)}@example.org" for _ in range(N)], list(texts), "text", "left_out"), *plain("mail")]
    columns.insert(1, Column("token", texts := [f"{r.getrandbits(48):012x}-q" for _ in range(N)], list(texts), "text", "left_out"))
    told = error("mail", "token", keys=["data.drop"])
    book.add(10, "unusable-ids", "Addresses and tokens differ in every row.", write(columns), columns, error=told, note=["left out", "mail", "token"])


def nothing(book):
    book.add(10, "empty", "A file of no bytes.", "", error=error("empty"))
    book.add(10, "empty-bom", "A byte order mark and nothing else.", b"\xef\xbb\xbf", error=error())
    book.add(10, "empty-lines", "Line ends only.", "\n\n\n", error=error())
    book.add(10, "header-only", "Names and no row.", "a,b,y\n", error=error("no"))
    columns = [numbers("y", uniform("alone", N, 0, 9))]
    book.add(10, "one-column", "One column: a target without inputs.", write(columns), error=error("input"))


def add(book):
    for part in (delimiters, separators, extra_lines, ragged, encodings, line_ends, quotes, unusable, nothing):
        part(book)
