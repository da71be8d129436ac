//! What is wanted of each image: color, size, and what becomes of files that cannot be read.

use serde::{Deserialize, Serialize};

use crate::{Color, Corrupt, DataError, DataOptions, Fit};

/// What is wanted of each image; part of what names a cache file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wanted {
    pub color: Color,
    /// Height and width.
    pub size: Option<[usize; 2]>,
    pub fit: Fit,
    pub corrupt: Corrupt,
}

/// The largest height or width.
const MOST: usize = 8192;

impl Wanted {
    /// From the options of a source.
    ///
    /// # Errors
    /// [`DataError::BadOption`] for a size that is none, or `resize` without `size`.
    pub fn new(options: &DataOptions) -> Result<Wanted, DataError> {
        let bad =
            |option, value: String, expected: String| Err(DataError::BadOption { option, value, expected });
        let size = match options.size[..] {
            [] if options.resize != Fit::Stretch => {
                let value = if options.resize == Fit::Crop { "crop" } else { "pad" };
                return bad("resize", value.into(), "`data.size` beside it".into());
            }
            [] => None,
            [side] => Some([side, side]),
            [height, width] => Some([height, width]),
            _ => return bad("size", format!("{:?}", options.size), "one number, or height and width".into()),
        };
        if size.is_some_and(|size| size.iter().any(|s| !(1..=MOST).contains(s))) {
            return bad("size", format!("{:?}", options.size), format!("1 to {MOST}"));
        }
        // Answers for new samples are told by their order, so none may be left out.
        let corrupt = if options.inputs_only { Corrupt::Error } else { options.corrupt };
        let color = match (options.color, &options.known_shape[..]) {
            (Color::Auto, [_, _, 1]) => Color::Gray,
            (Color::Auto, [_, _, 3]) => Color::Rgb,
            (told, _) => told,
        };
        Ok(Wanted { color, size, fit: options.resize, corrupt })
    }
}
