//! The name that was probably meant.

/// The candidate closest to `name`, if any is close: alike from the start on, or one slip of the fingers away.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let low = name.to_lowercase();
    let score = |c: &str| {
        let c = c.to_lowercase();
        let slip = strsim::osa_distance(&low, &c) == 1 && low.len().max(c.len()) > 2;
        strsim::jaro_winkler(&low, &c).max(if slip { 0.8 } else { 0.0 })
    };
    candidates
        .into_iter()
        .map(|c| (score(c), c))
        .filter(|(score, _)| *score > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, c)| c.to_string())
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let names = ["mlp", "linear", "epochs", "batch"];
        let cases = [
            ("mpl", Some("mlp")),
            ("Linaer", Some("linear")),
            ("epoch", Some("epochs")),
            ("xyz", None),
            ("", None),
        ];
        cases
            .iter()
            .for_each(|(typed, meant)| assert_eq!(nearest(typed, names).as_deref(), *meant, "{typed}"));
    }
}
