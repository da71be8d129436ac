//! Bytes of a data set: on the heap, or a part of a mapped file.

use std::ops::Deref;
#[cfg(feature = "images")]
use std::sync::Arc;

#[cfg(feature = "images")]
use kernels::mapped::Mapped;

/// Bytes that are read as a slice, wherever they are. Equal if their content is.
#[derive(Clone, Debug)]
pub struct Bytes(Place);

#[derive(Clone, Debug)]
enum Place {
    Heap(Vec<u8>),
    /// From the offset to the end of the mapping.
    #[cfg(feature = "images")]
    Mapped(Arc<Mapped>, usize),
}

impl Bytes {
    /// The bytes of a mapped file from an offset on; none where the file is shorter.
    #[cfg(feature = "images")]
    pub(crate) fn mapped(map: Mapped, from: usize) -> Bytes {
        let from = from.min(map.len());
        Bytes(Place::Mapped(Arc::new(map), from))
    }

    /// Whether the bytes are those of a file rather than on the heap.
    pub fn is_mapped(&self) -> bool {
        !matches!(self.0, Place::Heap(_))
    }
}

impl Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Place::Heap(bytes) => bytes,
            #[cfg(feature = "images")]
            Place::Mapped(map, from) => &map[*from..],
        }
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Bytes) -> bool {
        **self == **other
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Bytes {
        Bytes(Place::Heap(bytes))
    }
}

impl FromIterator<u8> for Bytes {
    fn from_iter<I: IntoIterator<Item = u8>>(bytes: I) -> Bytes {
        Bytes(Place::Heap(bytes.into_iter().collect()))
    }
}
