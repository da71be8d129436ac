//! Plain tables for a terminal: columns that line up, nothing else.

use record::visible_line;

/// Which side of its column a cell keeps to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Left,
    Right,
}

/// Rows as lines, each column as wide as its widest cell, two blanks between them; the last column is wrapped to
/// `width`.
pub fn table(rows: &[Vec<String>], sides: &[Side], width: usize) -> String {
    let wide = |text: &String| text.chars().count();
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| visible_line(cell).into_owned()).collect()).collect();
    let n = sides.len();
    let widths: Vec<usize> =
        (0..n).map(|c| rows.iter().filter_map(|r| r.get(c)).map(wide).max().unwrap_or(0)).collect();
    let before: usize = widths.iter().take(n.saturating_sub(1)).map(|w| w + 2).sum();
    let last = width.saturating_sub(before).max(24);
    let mut out = String::new();
    for row in &rows {
        let mut line = String::new();
        for (c, cell) in row.iter().enumerate().take(n) {
            let gap = " ".repeat(widths[c].saturating_sub(wide(cell)));
            match sides[c] {
                Side::Left if c + 1 == n => line += &wrapped(cell, last, before),
                Side::Left => line += &format!("{cell}{gap}  "),
                Side::Right => line += &format!("{gap}{cell}  "),
            }
        }
        out += line.trim_end();
        out.push('\n');
    }
    out
}

/// Text broken at blanks into lines of `width` columns; all but the first begin with `indent` blanks.
pub fn wrapped(text: &str, width: usize, indent: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let size = word.chars().count();
        if column > 0 && column + 1 + size > width {
            out += &format!("\n{}", " ".repeat(indent));
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out += word;
        column += size;
    }
    out
}

/// A number in few digits.
pub fn short(x: f64) -> String {
    let size = x.abs();
    if x == 0.0 || (1e-3..1e5).contains(&size) {
        let digits = if size >= 1000.0 {
            0
        } else if size >= 100.0 {
            1
        } else if size >= 10.0 {
            2
        } else {
            3
        };
        let text = format!("{x:.digits$}");
        let cut = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        if cut == "-0" { "0".into() } else { cut.into() }
    } else {
        format!("{x:.2e}")
    }
}

/// A figure by its name: shares as percent, others in four digits that line up; `–` where it is undefined.
pub fn figure(name: &str, value: f64) -> String {
    // the last word alone says what it is: a head may be called anything
    let kind = name.rsplit(['_', ' ']).next().unwrap_or(name);
    if value.is_nan() {
        return "–".into();
    }
    if kind == "accuracy" || kind.strip_prefix("top").is_some_and(|k| k.parse::<usize>().is_ok()) {
        return format!("{:.2} %", value * 100.0);
    }
    let size = value.abs();
    if !value.is_finite() || size != 0.0 && !(1e-4..1e5).contains(&size) {
        return format!("{value:.3e}");
    }
    let before = (0..5).take_while(|n| size >= [10.0, 100.0, 1e3, 1e4, 1e5][*n]).count();
    format!("{value:.*}", 4usize.saturating_sub(before))
}

/// A count with its thousands apart.
pub fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let cases = [
            (0.0, "0"),
            (0.25, "0.25"),
            (-12.345, "-12.35"),
            (1234.5, "1234"),
            (1e-5, "1.00e-5"),
            (3e7, "3.00e7"),
        ];
        cases.iter().for_each(|(x, text)| assert_eq!(short(*x), *text));
        assert_eq!(
            (count(7), count(1234), count(1_000_000)),
            ("7".into(), "1,234".into(), "1,000,000".into())
        );
    }

    #[test]
    fn shares_are_told_by_the_last_word_of_their_name() {
        let shown = ["valid_accuracy", "test_top5", "size accuracy", "stop_loss", "laptop_rmse", "top_r2"]
            .map(|name| figure(name, 0.5));
        assert_eq!(shown, ["50.00 %", "50.00 %", "50.00 %", "0.5000", "0.5000", "0.5000"]);
    }

    #[test]
    fn columns_line_up() {
        let rows = [
            vec!["a".into(), "10".into(), "one two three four five six".into()],
            vec!["bcd".into(), "2".into(), "x".into()],
        ];
        let text = table(&rows, &[Side::Left, Side::Right, Side::Left], 30);
        assert_eq!(text, "a    10  one two three four five\n         six\nbcd   2  x\n");
    }
}
