//! Numbers, durations and metric names as people read them.

/// Four significant digits: `0.01234`, `12.34`, `1.234e-7`; `–` where there is no number.
pub(crate) fn number(v: f64) -> String {
    if v.is_nan() {
        return "–".into();
    }
    if v.is_infinite() {
        return if v > 0.0 { "∞".into() } else { "−∞".into() };
    }
    let size = v.abs();
    let text = if size == 0.0 {
        "0".into()
    } else if !(1e-4..1e6).contains(&size) {
        format!("{v:.3e}")
    } else {
        format!("{v:.*}", (3 - size.log10().floor() as i32).clamp(0, 7) as usize)
    };
    text.replace('-', "−").replace("e−", "e-")
}

/// Like [`number`] without zeros at the end: for learning rates and axis marks.
pub(crate) fn short(v: f64) -> String {
    let text = number(v);
    let (mantissa, exponent) = match text.split_once('e') {
        Some((m, e)) => (m, format!("e{e}")),
        None => (text.as_str(), String::new()),
    };
    let trimmed =
        if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
    format!("{trimmed}{exponent}")
}

/// A share as percent, with as many digits as keep it apart from 100 %.
pub(crate) fn percent(v: f64) -> String {
    if !v.is_finite() || v.abs() > 1e3 {
        return number(v);
    }
    let p = v * 100.0;
    let decimals = if v < 1.0 && p >= 99.95 { 2 } else { 1 };
    let shown = if v < 1.0 { p.min(99.99) } else { p };
    format!("{shown:.decimals$}\u{a0}%").replace('-', "−")
}

/// True for metrics that are shares of one and read best as percent.
pub(crate) fn is_share(metric: &str) -> bool {
    let name = metric.rsplit('_').next().unwrap_or(metric);
    matches!(name, "accuracy" | "precision" | "recall" | "f1" | "error")
        || name.strip_prefix("top").is_some_and(|k| !k.is_empty() && k.bytes().all(|b| b.is_ascii_digit()))
}

/// A metric's value: percent for shares, four digits otherwise.
pub(crate) fn value(metric: &str, v: f64) -> String {
    if is_share(metric) { percent(v) } else { number(v) }
}

/// A whole number with thousands apart: `407,050`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, d) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(d);
    }
    out
}

/// `1 epoch`, `20 epochs`.
pub(crate) fn plural(n: u64, noun: &str) -> String {
    let end = if n == 1 { "" } else { "s" };
    format!("{}\u{a0}{noun}{end}", count(n))
}

/// `0.42 s`, `3.1 s`, `2 min 05 s`, `1 h 12 min`.
pub(crate) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "–".into();
    }
    let whole = seconds.round() as u64;
    match seconds {
        s if s < 0.0995 => format!("{:.0}\u{a0}ms", s * 1e3),
        s if s < 0.995 => format!("{s:.2}\u{a0}s"),
        s if s < 59.95 => format!("{s:.1}\u{a0}s"),
        _ if whole < 3600 => format!("{}\u{a0}min\u{a0}{:02}\u{a0}s", whole / 60, whole % 60),
        _ => format!("{}\u{a0}h\u{a0}{:02}\u{a0}min", whole / 3600, whole % 3600 / 60),
    }
}

/// A metric's name in words, without its split: `top5` is `top-5 accuracy`.
pub(crate) fn metric_words(metric: &str) -> String {
    match metric {
        "rmse" => "RMSE".into(),
        "mse" => "mean squared error".into(),
        "mae" => "mean absolute error".into(),
        "r2" => "R²".into(),
        "f1" => "F1".into(),
        "lr" => "learning rate".into(),
        _ => match metric.strip_prefix("top") {
            Some(k) if is_share(metric) => format!("top-{k} accuracy"),
            _ => metric.replace('_', " "),
        },
    }
}

/// A split's name in words.
pub(crate) fn split_words(split: &str) -> &str {
    match split {
        "train" => "training",
        "valid" => "validation",
        other => other,
    }
}

/// `valid_accuracy` is `("valid", "accuracy")`; a name without a known split has the split `""`.
pub(crate) fn split_of(column: &str) -> (&str, &str) {
    match column.split_once('_') {
        Some((split @ ("train" | "valid" | "test"), metric)) if !metric.is_empty() => (split, metric),
        _ => ("", column),
    }
}

/// The first letter large.
pub(crate) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let cases =
            [(0.0, "0"), (0.012345, "0.01235"), (12.3456, "12.35"), (-1.5, "−1.500"), (1.5e-9, "1.500e-9")];
        for (v, want) in cases {
            assert_eq!(number(v), want);
        }
        assert_eq!((number(f64::NAN), number(f64::NEG_INFINITY)), ("–".into(), "−∞".into()));
        assert_eq!(
            (short(0.001), short(100.0), short(1e-9), short(0.5)),
            ("0.001".into(), "100".into(), "1e-9".into(), "0.5".into())
        );
        assert_eq!(count(407_050), "407,050");
        assert_eq!(count(12), "12");
    }

    #[test]
    fn a_share_below_one_is_never_100_per_cent() {
        assert_eq!(percent(0.9778), "97.8\u{a0}%");
        assert_eq!(percent(0.99951), "99.95\u{a0}%");
        assert_eq!(percent(0.999_999), "99.99\u{a0}%");
        assert_eq!(percent(1.0), "100.0\u{a0}%");
        assert_eq!(percent(f64::NAN), "–");
    }

    #[test]
    fn times_and_names() {
        let show = |s: f64| duration(s).replace('\u{a0}', " ");
        assert_eq!(
            ["4 ms", "0.42 s", "3.1 s", "2 min 05 s", "1 h 12 min", "–"].map(String::from),
            [0.004, 0.42, 3.1, 125.0, 4320.0, f64::NAN].map(show)
        );
        assert_eq!(show(59.97), "1 min 00 s");
        assert_eq!(split_of("valid_top5"), ("valid", "top5"));
        assert_eq!(split_of("grad_norm"), ("", "grad_norm"));
        assert_eq!(metric_words("top5"), "top-5 accuracy");
        assert!(
            is_share("valid_top5")
                && is_share("accuracy")
                && !is_share("topology")
                && !is_share("valid_loss")
        );
    }
}
