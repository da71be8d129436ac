//! Sizes in two directions: a number for both, or height and width; and what is added around an image.

use serde::de::{Deserializer, Error, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use settings::{Key, OutOfRange, Range, Setting};
use std::fmt;

/// Largest size of a kernel, a stride or a border: 2¹⁶.
pub(super) const MAX_SIZE: f64 = 65_536.0;

pub(super) const STEP: Range =
    Range::Told(&Range::Within(1.0, MAX_SIZE), "a number, or [height, width]; each from 1 to 65536");
pub(super) const BORDER: Range =
    Range::Told(&Range::Within(0.0, MAX_SIZE), "a number, or [height, width]; each from 0 to 65536");
pub(super) const EDGES: Range = Range::Told(
    &Range::Within(0.0, MAX_SIZE),
    "a number, [height, width] or [top, left, bottom, right]; each from 0 to 65536",
);
pub(super) const PADDING: Range = Range::Told(
    &Range::Within(0.0, MAX_SIZE),
    "\"same\", \"valid\", a number, [height, width] or [top, left, bottom, right]; each from 0 to 65536",
);

/// Height and width; in a config a number for both, or `[height, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair(pub [usize; 2]);

impl Pair {
    /// 0 in both directions.
    pub const ZERO: Pair = Pair([0, 0]);
    /// 1 in both directions.
    pub const ONE: Pair = Pair([1, 1]);

    /// One number where both are the same.
    pub(super) fn short(self) -> String {
        match self.0 {
            [h, w] if h == w => h.to_string(),
            _ => self.to_string(),
        }
    }

    /// The same along one direction, for images of height 1.
    pub(super) fn row(self, height: usize) -> Pair {
        Pair([height, self.0[1]])
    }
}

impl Setting for Pair {
    fn check(&self, of: &'static str, key: &Key) -> Result<(), OutOfRange> {
        self.0.check(of, key)
    }
}

impl From<usize> for Pair {
    fn from(n: usize) -> Self {
        Pair([n, n])
    }
}

impl From<[usize; 2]> for Pair {
    fn from(sizes: [usize; 2]) -> Self {
        Pair(sizes)
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{}", self.0[0], self.0[1])
    }
}

impl Serialize for Pair {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            [h, w] if h == w => h.serialize(to),
            both => both.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for Pair {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match from.deserialize_any(Sizes("a whole number, or two as [height, width]"))?[..] {
            [n] => Ok(n.into()),
            [h, w] => Ok(Pair([h, w])),
            ref other => {
                Err(D::Error::invalid_length(other.len(), &"a whole number, or two as [height, width]"))
            }
        }
    }
}

/// Rows and columns around an image; in a config a number, `[height, width]` or `[top, left, bottom, right]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edges {
    /// Rows above.
    pub top: usize,
    /// Columns before.
    pub left: usize,
    /// Rows below.
    pub bottom: usize,
    /// Columns behind.
    pub right: usize,
}

const SIDES: &str = "a whole number, [height, width], or [top, left, bottom, right]";

impl Edges {
    /// This many on every side.
    pub const fn of_all(n: usize) -> Self {
        Edges { top: n, left: n, bottom: n, right: n }
    }

    fn of(sizes: &[usize]) -> Option<Edges> {
        let (top, left, bottom, right) = match *sizes {
            [n] => (n, n, n, n),
            [h, w] => (h, w, h, w),
            [top, left, bottom, right] => (top, left, bottom, right),
            _ => return None,
        };
        Some(Edges { top, left, bottom, right })
    }
}

impl From<usize> for Edges {
    fn from(n: usize) -> Self {
        Edges::of_all(n)
    }
}

impl Setting for Edges {
    fn check(&self, of: &'static str, key: &Key) -> Result<(), OutOfRange> {
        [self.top, self.left, self.bottom, self.right].check(of, key)
    }
}

impl fmt::Display for Edges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Edges { top, left, bottom, right } = *self;
        match (top == bottom && left == right, top == left) {
            (true, true) => write!(f, "{top}"),
            (true, false) => write!(f, "[{top}, {left}]"),
            (false, _) => write!(f, "[{top}, {left}, {bottom}, {right}]"),
        }
    }
}

impl Serialize for Edges {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Edges { top, left, bottom, right } = *self;
        match (top == bottom && left == right, top == left) {
            (true, true) => top.serialize(to),
            (true, false) => [top, left].serialize(to),
            (false, _) => [top, left, bottom, right].serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for Edges {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let sizes = from.deserialize_any(Sizes(SIDES))?;
        Edges::of(&sizes).ok_or_else(|| D::Error::invalid_length(sizes.len(), &SIDES))
    }
}

/// What a convolution adds around its input: `"valid"` for nothing, `"same"` for as much as keeps ⌈size / stride⌉, or
/// [`Edges`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Padding {
    /// Nothing.
    #[default]
    Valid,
    /// As much as makes the result ⌈size / stride⌉ long; an odd row or column comes last, as in TensorFlow.
    Same,
    /// This much.
    Edges(Edges),
}

const AROUND: &str = "\"same\", \"valid\", a whole number, [height, width], or [top, left, bottom, right]";

impl From<usize> for Padding {
    fn from(n: usize) -> Self {
        Padding::Edges(n.into())
    }
}

impl Setting for Padding {
    fn check(&self, of: &'static str, key: &Key) -> Result<(), OutOfRange> {
        match self {
            Padding::Valid | Padding::Same => Ok(()),
            Padding::Edges(edges) => edges.check(of, key),
        }
    }
}

impl fmt::Display for Padding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Padding::Valid => f.write_str("valid"),
            Padding::Same => f.write_str("same"),
            Padding::Edges(edges) => write!(f, "padding {edges}"),
        }
    }
}

impl Serialize for Padding {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Padding::Valid => to.serialize_str("valid"),
            Padding::Same => to.serialize_str("same"),
            Padding::Edges(edges) => edges.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for Padding {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match from.deserialize_any(WordOrSizes)? {
            WordOr::Same => Ok(Padding::Same),
            WordOr::Valid => Ok(Padding::Valid),
            WordOr::Sizes(sizes) => Edges::of(&sizes)
                .map(Padding::Edges)
                .ok_or_else(|| D::Error::invalid_length(sizes.len(), &AROUND)),
        }
    }
}

/// One number or several; the text says what is expected.
struct Sizes(&'static str);

impl<'de> Visitor<'de> for Sizes {
    type Value = Vec<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_u64<E: Error>(self, n: u64) -> Result<Vec<usize>, E> {
        usize::try_from(n).map(|n| vec![n]).map_err(|_| E::invalid_value(Unexpected::Unsigned(n), &self))
    }

    fn visit_i64<E: Error>(self, n: i64) -> Result<Vec<usize>, E> {
        usize::try_from(n).map(|n| vec![n]).map_err(|_| E::invalid_value(Unexpected::Signed(n), &self))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<usize>, A::Error> {
        let mut sizes = Vec::new();
        while let Some(n) = seq.next_element()? {
            sizes.push(n);
        }
        Ok(sizes)
    }
}

enum WordOr {
    Same,
    Valid,
    Sizes(Vec<usize>),
}

struct WordOrSizes;

impl<'de> Visitor<'de> for WordOrSizes {
    type Value = WordOr;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(AROUND)
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<WordOr, E> {
        match word {
            "same" => Ok(WordOr::Same),
            "valid" => Ok(WordOr::Valid),
            _ => Err(E::invalid_value(Unexpected::Str(word), &self)),
        }
    }

    fn visit_u64<E: Error>(self, n: u64) -> Result<WordOr, E> {
        Sizes(AROUND).visit_u64(n).map(WordOr::Sizes)
    }

    fn visit_i64<E: Error>(self, n: i64) -> Result<WordOr, E> {
        Sizes(AROUND).visit_i64(n).map(WordOr::Sizes)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<WordOr, A::Error> {
        Sizes(AROUND).visit_seq(seq).map(WordOr::Sizes)
    }
}
