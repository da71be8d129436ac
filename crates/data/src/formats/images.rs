//! PNG, JPEG, WebP, BMP, GIF and TIFF images: a folder for each class, or new images for a trained model.

use super::{Format, Reader};
use crate::images;

/// The registry line.
pub const FORMAT: Format = Format {
    name: "images",
    endings: &[".png", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".bmp", ".tif", ".tiff"],
    summary: "images in one folder for each class, with or without train, valid and test folders above them",
    options: &[&["color", "size", "resize", "corrupt"]],
    reader: Reader::Set(images::open_unlabeled),
};
