//! Which of several arrays holds the targets of which inputs, told by their names.

/// Words for inputs and, for each, those for its targets, the usual one first.
const WORDS: [(&str, [&str; 5]); 7] = [
    ("x", ["y", "labels", "targets", "label", "target"]),
    ("inputs", ["targets", "labels", "y", "target", "label"]),
    ("input", ["target", "label", "targets", "labels", "y"]),
    ("images", ["labels", "targets", "y", "label", "target"]),
    ("features", ["labels", "targets", "y", "label", "target"]),
    ("data", ["labels", "targets", "target", "label", "y"]),
    ("arr_0", ["arr_1", "y", "labels", "targets", "target"]),
];

/// Words for the training, validation and test parts.
const PARTS: [&[&str]; 3] = [&["", "train", "training"], &["valid", "val", "validation"], &["test"]];

/// What stands around a part's word: `x_train`, `train_x`, `x-train`, `xtrain`.
const FORMS: [fn(&str, &str) -> String; 4] = [
    |word, part| format!("{word}_{part}"),
    |word, part| format!("{part}_{word}"),
    |word, part| format!("{word}-{part}"),
    |word, part| format!("{word}{part}"),
];

/// The name of inputs in one of these forms.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Parsed {
    word: usize,
    part: usize,
    spelled: &'static str,
    form: usize,
}

/// All names of inputs, the plain ones first.
fn all() -> impl Iterator<Item = (Parsed, String)> {
    let forms = |spelled: &str| if spelled.is_empty() { 1 } else { FORMS.len() };
    (0..PARTS.len()).flat_map(move |part| {
        PARTS[part].iter().flat_map(move |spelled| {
            (0..WORDS.len()).flat_map(move |word| {
                (0..forms(spelled)).map(move |form| {
                    let parsed = Parsed { word, part, spelled, form };
                    (parsed, parsed.name(WORDS[word].0))
                })
            })
        })
    })
}

impl Parsed {
    fn of(name: &str) -> Option<Parsed> {
        all().find(|(_, known)| name.to_lowercase() == *known).map(|(parsed, _)| parsed)
    }

    /// The name with another word in its place.
    fn name(self, word: &str) -> String {
        if self.spelled.is_empty() { word.into() } else { FORMS[self.form](word, self.spelled) }
    }
}

/// Names for the targets of inputs called `inputs`, lower case, the closest first; none for a name that tells nothing.
pub(super) fn targets_of(inputs: &str) -> Vec<String> {
    let Some(own) = Parsed::of(inputs) else { return Vec::new() };
    WORDS[own.word].1.iter().map(|word| own.name(word)).collect()
}

/// The name of the array that holds the inputs of a part, with the names that it was looked for by.
pub(super) fn inputs_of(names: &[String], part: usize) -> Option<&String> {
    all().filter(|(parsed, _)| parsed.part == part).find_map(|(_, known)| find(names, &known))
}

/// The name of the array that holds the targets of a part's inputs: its partner by name, or else any of that part.
pub(super) fn partner<'a>(names: &'a [String], inputs: &str, part: usize) -> Option<&'a String> {
    let close = targets_of(inputs);
    let others = all()
        .filter(|(parsed, _)| parsed.part == part)
        .flat_map(|(parsed, _)| WORDS[parsed.word].1.map(|word| parsed.name(word)));
    close.into_iter().chain(others).find_map(|known| find(names, &known))
}

/// The inputs of `part` that belong to training inputs called `train`, in the same form.
pub(super) fn sibling(names: &[String], train: &str, part: usize) -> Option<String> {
    let own = Parsed::of(train).filter(|own| own.part == 0 && !own.spelled.is_empty())?;
    let told = PARTS[part].iter().map(|spelled| Parsed { part, spelled, ..own }.name(WORDS[own.word].0));
    told.into_iter().find_map(|known| find(names, &known).cloned())
}

fn find<'a>(names: &'a [String], known: &str) -> Option<&'a String> {
    names.iter().find(|n| n.to_lowercase() == known)
}

/// Names that would do, for an error: those that people mostly use.
pub(super) fn usual(targets: bool, part: usize) -> String {
    let names = match (targets, part) {
        (false, 0) => "x, x_train, train_x, inputs, images, train_images, features, data, arr_0",
        (true, 0) => "y, y_train, train_y, targets, labels, train_labels, target, arr_1",
        (false, 1) => "x_valid, x_val, valid_images, val_images",
        (true, 1) => "y_valid, y_val, valid_labels, val_labels",
        (false, _) => "x_test, test_x, test_images",
        (true, _) => "y_test, test_y, test_labels",
    };
    names.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partners_are_told_by_name() {
        for (inputs, targets) in [
            ("x", "y"),
            ("X_train", "y_train"),
            ("x_test", "y_test"),
            ("train_images", "train_labels"),
            ("val_images", "val_labels"),
            ("features", "labels"),
            ("inputs", "targets"),
            ("train_x", "train_y"),
            ("xtrain", "ytrain"),
            ("test-x", ""),
            ("x-test", "y-test"),
            ("arr_0", "arr_1"),
            ("data", "labels"),
            ("anything", ""),
        ] {
            assert_eq!(targets_of(inputs).first().map_or("", |t| t), targets, "{inputs}");
        }
    }

    #[test]
    fn the_closest_partner_comes_first() {
        let names = ["y", "X_Train", "labels", "Y_train", "x_test"].map(String::from);
        assert_eq!(inputs_of(&names, 0), Some(&names[1]));
        assert_eq!(partner(&names, "X_Train", 0), Some(&names[3]));
        assert_eq!(partner(&["labels".into()], "x_train", 0), Some(&"labels".into()));
        assert_eq!(partner(&["labels".into()], "x_test", 2), None);
        assert_eq!((inputs_of(&names, 1), inputs_of(&names, 2)), (None, Some(&names[4])));
        assert_eq!(sibling(&names, "X_Train", 2), Some("x_test".into()));
        assert_eq!(sibling(&names, "x", 2), None);
    }
}
