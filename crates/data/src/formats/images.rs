//! PNG, JPEG, WebP, BMP, GIF and TIFF images: a folder for each class, or new images for a trained model.

use super::{Format, Reader};
use crate::images;

/// The registry line.
pub const FORMAT: Format = Format {
    name: "images",
    endings: &[".png", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".bmp", ".tif", ".tiff"],
    summary: "images in a folder for each class, with train, valid and test above them or not",
    options: &[&["color", "size", "resize", "corrupt"]],
    reader: Reader::Set(images::open_unlabeled),
};
