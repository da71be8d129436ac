//! Names of this program are spelled the American way; this is where the British spellings are understood.

/// Parts of words, British and American.
const PARTS: &[(&str, &str)] = &[
    ("centre", "center"),
    ("colour", "color"),
    ("grey", "gray"),
    ("initialis", "initializ"),
    ("neighbour", "neighbor"),
    ("normalis", "normaliz"),
    ("optimis", "optimiz"),
    ("standardis", "standardiz"),
];

/// The name among `known` of which `word` is the British spelling.
pub fn american<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let spelled = PARTS.iter().fold(word.to_owned(), |w, (british, american)| w.replace(british, american));
    if spelled == word { None } else { known.into_iter().find(|name| *name == spelled) }
}

#[cfg(test)]
mod tests {
    use super::american;

    #[test]
    fn only_british_spellings_of_known_names_are_found() {
        let names = ["optimizer", "channel-standardize", "gray"];
        let cases = [
            ("optimiser", Some("optimizer")),
            ("channel-standardise", Some("channel-standardize")),
            ("grey", Some("gray")),
            ("gray", None),
            ("centre", None),
        ];
        cases.iter().for_each(|(word, name)| assert_eq!(american(word, names), *name, "{word}"));
    }
}
