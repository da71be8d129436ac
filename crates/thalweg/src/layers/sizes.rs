//! Sizes in two directions: a number for both, or height and width; and what is added around an image.

use crate::registry::{Entry, Key, OutOfRange, Range};
use serde::de::{Deserializer, Error, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// Largest size of a kernel, a stride or a border: 2¹⁶.
const MAX_SIZE: usize = 1 << 16;

pub(super) const STEP: Range = Range::Other("a number, or [height, width]; each from 1 to 65536");
pub(super) const BORDER: Range = Range::Other("a number, or [height, width]; each from 0 to 65536");

pub(super) const fn pair_key(name: &'static str, default: &'static str, help: &'static str) -> Key {
    Key { name, default, unit: "pixels", range: STEP, help }
}

pub(super) const KERNEL_KEY: Key = pair_key("kernel", "", "height and width of the window");
pub(super) const STRIDE_KEY: Key = pair_key("stride", "1", "from one window to the next");
pub(super) const DILATION_KEY: Key = pair_key("dilation", "1", "from one value of a window to the next");
pub(super) const PADDING_KEY: Key = Key {
    name: "padding",
    default: "0",
    unit: "pixels",
    range: BORDER,
    help: "rows and columns added on each side",
};

/// Height and width; in a config a number for both, or `[height, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair(pub [usize; 2]);

impl Pair {
    /// 0 in both directions.
    pub const ZERO: Pair = Pair([0, 0]);
    /// 1 in both directions.
    pub const ONE: Pair = Pair([1, 1]);

    /// Both sizes must lie between `least` and 2¹⁶.
    pub(super) fn check(self, entry: &Entry, key: &'static str, least: usize) -> Result<(), OutOfRange> {
        self.0.into_iter().try_for_each(|n| check_size(entry, key, n, least))
    }

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

/// A size from `least` to 2¹⁶.
pub(super) fn check_size(entry: &Entry, key: &'static str, n: usize, least: usize) -> Result<(), OutOfRange> {
    if (least..=MAX_SIZE).contains(&n) {
        return Ok(());
    }
    let allowed = Range::Within(least as f64, MAX_SIZE as f64);
    let default =
        entry.keys.iter().find(|k| k.name == key && !k.default.is_empty()).map_or("3", |k| k.default);
    Err(OutOfRange { of: entry.name, key, value: n as f64, allowed, default })
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

const EDGES: &str = "a whole number, [height, width], or [top, left, bottom, right]";

impl Edges {
    pub(super) fn check(self, entry: &Entry, key: &'static str) -> Result<(), OutOfRange> {
        [self.top, self.left, self.bottom, self.right]
            .into_iter()
            .try_for_each(|n| check_size(entry, key, n, 0))
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
        Edges { top: n, left: n, bottom: n, right: n }
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
        let sizes = from.deserialize_any(Sizes(EDGES))?;
        Edges::of(&sizes).ok_or_else(|| D::Error::invalid_length(sizes.len(), &EDGES))
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

const PADDING: &str = "\"same\", \"valid\", a whole number, [height, width], or [top, left, bottom, right]";

impl From<usize> for Padding {
    fn from(n: usize) -> Self {
        Padding::Edges(n.into())
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
                .ok_or_else(|| D::Error::invalid_length(sizes.len(), &PADDING)),
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
        f.write_str(PADDING)
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<WordOr, E> {
        match word {
            "same" => Ok(WordOr::Same),
            "valid" => Ok(WordOr::Valid),
            _ => Err(E::invalid_value(Unexpected::Str(word), &self)),
        }
    }

    fn visit_u64<E: Error>(self, n: u64) -> Result<WordOr, E> {
        Sizes(PADDING).visit_u64(n).map(WordOr::Sizes)
    }

    fn visit_i64<E: Error>(self, n: i64) -> Result<WordOr, E> {
        Sizes(PADDING).visit_i64(n).map(WordOr::Sizes)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<WordOr, A::Error> {
        Sizes(PADDING).visit_seq(seq).map(WordOr::Sizes)
    }
}
