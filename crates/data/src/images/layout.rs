//! Which folders are classes, and of which part: where they lie is seen, not told.

use super::listing::Folder;
use crate::error::first;
use crate::{DataError, DataOptions};

/// Names of the folders of the parts.
const PARTS: [&[&str]; 3] = [&["train", "training"], &["valid", "val", "validation"], &["test", "testing"]];

/// How a note of a place begins.
const FOUND: &str = "class folders found in";

/// The class folders that were found.
#[derive(Default)]
pub(super) struct Layout<'a> {
    /// Part (0 training, 1 validation, 2 test) and folder.
    pub classes: Vec<(usize, &'a Folder)>,
    /// What is left aside or was guessed.
    pub notes: Vec<String>,
    /// Images that are in no class folder.
    outside: usize,
    /// Class folders without images.
    empty: Vec<String>,
}

impl<'a> Layout<'a> {
    /// `CLASS/IMAGE` or `train/CLASS/IMAGE` with the parts beside it, here or, where images are all that there is, in
    /// the one folder further in; none where there are no folders of images.
    ///
    /// # Errors
    /// [`DataError::PartsWithoutClasses`] and [`DataError::ClassesFurtherIn`], unless only inputs are wanted.
    pub fn find(
        top: &'a Folder,
        options: &DataOptions,
        alone: bool,
    ) -> Result<Option<Layout<'a>>, DataError> {
        let full = top.full();
        if full.is_empty() {
            return Ok(None);
        }
        let mut layout = Layout { outside: top.images.len(), ..Layout::default() };
        if let Some(parts) = parts(&full) {
            layout.take_parts(top, parts);
        } else if full.iter().any(|f| !f.images.is_empty()) || (options.inputs_only && full.len() > 1) {
            let is_part = |f: &&Folder| part_of(&f.name).is_some_and(|(_, exact)| exact);
            let known = |f: &&Folder| options.known_classes.contains(&f.name);
            if !options.inputs_only && full.iter().all(|f| is_part(f) && !known(f)) {
                let mut parts: Vec<String> = full.iter().map(|f| f.name.clone()).collect();
                parts.sort_by_key(|name| part_of(name));
                return Err(DataError::PartsWithoutClasses { parts, path: top.path.clone() });
            }
            layout.take_classes(0, top);
        } else if !alone {
            return Ok(None);
        } else if let [one] = full[..] {
            let inside = Layout::find(one, options, alone)?;
            return Ok(inside
                .map(|layout| Layout { outside: layout.outside + top.images.len(), ..layout }.from(one)));
        } else {
            let parents = full.iter().map(|f| &class_parent(f).unwrap_or(f).path);
            let found =
                parents.map(|p| p.strip_prefix(&top.path).unwrap_or(p).display().to_string()).collect();
            return Err(DataError::ClassesFurtherIn { found, path: top.path.clone() });
        }
        Ok(Some(layout))
    }

    /// All that a user should know, the most important first.
    pub fn told(&self) -> Vec<String> {
        let (outside, mut notes) = (self.outside, Vec::new());
        let nested = |(_, class): &(usize, &'a Folder)| class.all()[1..].to_vec();
        let nested = self.classes.iter().flat_map(nested).filter(|f| !f.images.is_empty());
        let nested: Vec<String> = nested.map(Folder::shown).collect();
        if !self.empty.is_empty() {
            notes.push(format!("class folders without images were left out: {}", first(&self.empty)));
        }
        notes.extend_from_slice(&self.notes);
        match outside {
            0 => {}
            1 => notes.push("1 image outside the class folders was left out".into()),
            n => notes.push(format!("{n} images outside the class folders were left out")),
        }
        if !nested.is_empty() {
            notes.push(format!(
                "images in folders inside class folders count for the class: {}",
                first(&nested)
            ));
        }
        notes
    }

    /// With a note of where the classes were found.
    fn from(mut self, folder: &Folder) -> Layout<'a> {
        let further = self.notes.first().is_some_and(|note| note.starts_with(FOUND));
        if !further {
            self.notes.insert(0, format!("{FOUND} `{}`", folder.shown()));
        }
        self
    }

    fn take_classes(&mut self, part: usize, parent: &'a Folder) {
        let (full, empty): (Vec<_>, Vec<_>) = parent.folders.iter().partition(|f| f.n_images() > 0);
        self.classes.extend(full.into_iter().map(|f| (part, f)));
        self.empty.extend(empty.into_iter().map(Folder::shown));
    }

    fn take_parts(&mut self, top: &'a Folder, parts: [Option<&'a Folder>; 3]) {
        let mut places = Vec::new();
        let is_part = |f: &&Folder| parts.iter().flatten().any(|p| p.name == f.name);
        let beside: Vec<String> =
            top.full().into_iter().filter(|f| !is_part(f)).map(|f| f.name.clone()).collect();
        for (index, part) in parts.iter().enumerate() {
            let Some(part) = part else { continue };
            let trained: Vec<&str> = self.classes.iter().map(|(_, f)| &f.name[..]).collect();
            let known = |classes: &[&Folder]| {
                index == 0 || classes.len() > 1 || trained.contains(&&classes[0].name[..])
            };
            match class_parent(part).filter(|parent| known(&parent.full())) {
                Some(parent) => {
                    self.outside +=
                        part.images.len() + if parent.path == part.path { 0 } else { parent.images.len() };
                    self.take_classes(index, parent);
                    let (_, exact) = part_of(&part.name).unwrap_or_default();
                    let word = ["training", "validation", "test"][index];
                    if !exact || parent.path != part.path {
                        places.push(format!("`{}` ({word} part)", parent.shown()));
                    }
                }
                None => {
                    let (n, name) = (part.n_images(), part.shown());
                    let images = if n == 1 { "1 image" } else { &format!("{n} images") };
                    self.notes.push(format!(
                        "`{name}` has {images} without class folders and was left out: new data, not a part"
                    ));
                }
            }
        }
        if !places.is_empty() {
            self.notes.insert(0, format!("{FOUND} {}", places.join(", ")));
        }
        if !beside.is_empty() {
            let train = parts[0].map_or("", |p| &p.name);
            let names = first(&beside);
            self.notes.push(format!(
                "folders beside `{train}` other than `valid` and `test` were left out: {names}"
            ));
        }
    }
}

/// The folders of the parts; none without a training part of class folders. A class may be called `train` as well; then
/// images lie in it, not folders.
fn parts<'a>(full: &[&'a Folder]) -> Option<[Option<&'a Folder>; 3]> {
    let parts = [0, 1, 2].map(|index| {
        let named = |exact: bool| full.iter().filter(move |f| part_of(&f.name) == Some((index, exact)));
        let exact =
            PARTS[index].iter().find_map(|name| named(true).find(|f| f.name.eq_ignore_ascii_case(name)));
        let alike: Vec<_> = named(false).collect();
        exact.copied().or(if let [one] = alike[..] { Some(*one) } else { None })
    });
    parts[0].and_then(class_parent).map(|_| parts)
}

/// Which part a folder's name means, and whether it is just that: `test` of `seg_test`, `test_set`, `Testing`.
fn part_of(name: &str) -> Option<(usize, bool)> {
    let name = name.to_lowercase();
    let words: Vec<&str> = name.split(['_', '-', ' ', '.']).collect();
    let of = |names: &[&str]| words.iter().any(|word| names.contains(word));
    let index = PARTS.iter().position(|names| of(names))?;
    Some((index, words.len() == 1))
}

/// The folder whose folders hold images, through folders that hold only one.
fn class_parent(part: &Folder) -> Option<&Folder> {
    let full = part.full();
    match full[..] {
        [one] if one.images.is_empty() => class_parent(one),
        // `train/train/IMAGE` has no classes either
        [one] if one.name == part.name => None,
        _ => full.iter().any(|f| !f.images.is_empty()).then_some(part),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_by_words() {
        let cases = [
            ("train", Some((0, true))),
            ("Validation", Some((1, true))),
            ("seg_train", Some((0, false))),
            ("test_set", Some((2, false))),
            ("asl-alphabet-test", Some((2, false))),
            ("trainers", None),
            ("latest", None),
        ];
        cases.iter().for_each(|(name, part)| assert_eq!(part_of(name), *part, "{name}"));
    }
}
