"""Kind 5: tables for a model that was trained on another table."""

from table import label, numbers, target, uniform, words, write

N = 60


def train(book, name, why, columns, text, answers, says=(), refused=None, **style):
    """A training table, and a second one: one answer for each of its rows, with what a warning must say."""
    path = book.input_file(5, f"{name}-new", text)
    told = {"file": path, "says": list(says)}
    told |= {"error": refused} if refused else {"answers": answers}
    book.add(5, name, why, write(columns, **style), columns, predict=told)


def wordy(key, names=("color", "size", "label"), n=N):
    choices = (("red", "green", "blue"), ("small", "large"))
    columns = [words(name, key + name, n, c) for name, c in zip(names, choices)]
    return [*columns, target(words(names[-1], key + "t", n, ("cup", "bowl")))]


def mixed(key, n=N):
    return [words("color", key, n, ("red", "green", "blue")), numbers("w", uniform(key, n, 0, 9)), label("y", key + "y", n, ("no", "yes"))]


def add(book):
    bare = wordy("bare")
    for column in bare:
        column.name = None
    why = "A table of words without a header: its first row is a row, in new data too."
    train(book, "bare-two", why, bare, "red,small\nblue,large\n", 2, header=False)
    train(book, "bare-target", why, bare, "red,small,cup\nblue,large,bowl\ngreen,small,cup\n", 3, header=False)
    train(book, "bare-one", "One row of new words.", bare, "green,large\n", 1, header=False)
    columns = mixed("new")
    why = "New data need no target: "
    train(book, "no-target", why + "its column is not there.", columns, "color,w\nred,1.5\nblue,2.5\n", 2)
    train(book, "empty-target", why + "its column is empty.", columns, "color,w,y\nred,1.5,\nblue,2.5,\n", 2)
    train(book, "unknown-target", why + "its column has a question mark.", columns, "color,w,y\nred,1.5,?\nblue,2.5,?\n", 2)
    train(book, "other-target", why + "its column has classes that are not known.", columns, "color,w,y\nred,1.5,maybe\nblue,2.5,later\n", 2)
    numeric = [numbers("x", uniform("nt", N, 0, 9)), target(numbers("y", uniform("nty", N, 0, 9)))]
    train(book, "number-target-empty", why + "the numbers are empty.", numeric, "x,y\n1.5,\n2.5,\n", 2)
    train(book, "number-target-word", why + "the numbers are words.", numeric, "x,y\n1.5,tbd\n2.5,tbd\n", 2)
    text = "color,w\n" + "".join(f"{c},{i}.5\n" for i, c in enumerate(["red", "pink", "blue", "pink", "mauve"]))
    train(book, "unseen", "Two colors that training has not seen, in three of five rows.", columns, text, 5, ["color", "3", "pink", "mauve"])
    train(book, "missing", "Missing values in new data are counted.", columns, "color,w\nred,\n,2.5\nblue,NA\n", 3, ["w", "2"])
    train(book, "order", "The columns in another order.", columns, "w,color\n1.5,red\n2.5,blue\n", 2)
    train(book, "more", "Columns that the model does not know.", columns, "id,w,color,remark\n7,1.5,red,fine\n9,2.5,blue,odd\n", 2)
    train(book, "lacking", "A column that the model needs is not there.", columns, "color\nred\nblue\n", 0, refused={"says": ["w"], "keys": []})
    train(book, "word-for-number", "A word where training had numbers.", columns, "color,w\nred,1.5\nblue,heavy\n", 2, ["w", "heavy"])
    german = [numbers("a", uniform("pg", N, 0, 9), decimal=","), numbers("b", uniform("pgb", N, 0, 9, 3), decimal=","), label("y", "pg", N, ("no", "yes"))]
    why = "Decimal commas in training are decimal commas in new data, though two rows show it badly."
    train(book, "comma", why, german, "a;b\n1,234;2,345\n3,456;4,567\n", 2, sep=";")
    indexed = [numbers("a", uniform("pi", N, 0, 9)), numbers("b", uniform("pib", N, 0, 9)), label("y", "pi", N, ("no", "yes"))]
    train(book, "index", "New data with the index of pandas, training without.", indexed, ",a,b\n0,1.5,2.5\n1,3.5,4.5\n", 2)
    bare_numbers = [numbers(None, uniform("bn", N, 0, 9)), numbers(None, uniform("bnb", N, 0, 9)), label(None, "bn", N, ("no", "yes"))]
    train(book, "bare-numbers", "Numbers without names, without the target.", bare_numbers, "1.5,2.5\n3.5,4.5\n", 2, header=False)
    train(book, "blank-lines", "Empty lines in new data are no rows.", columns, "color,w\nred,1.5\n\nblue,2.5\n\n", 2)
    train(book, "order-of-rows", "Rows in the order of the file, 30 of them.", indexed, "a,b\n" + "".join(f"{i}.5,{30 - i}.5\n" for i in range(30)), 30)
