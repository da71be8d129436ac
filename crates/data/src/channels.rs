//! Images with their channels first, as PyTorch has them, become images with their channels last.

use std::path::Path;

use settings::words;

use super::DataError;

words! {
    /// Where the channels of images in arrays are.
    #[derive(Default)]
    pub enum Channels {
        /// The axis of size 1, 3 or 4 among the first and the last of a sample; an error if it is neither or both.
        #[default]
        Auto = "auto",
        /// `[C, H, W]`, as in PyTorch.
        First = "first",
        /// `[H, W, C]`.
        Last = "last",
    }
}

/// How the samples of an array become samples of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arrangement {
    /// Shape of a sample afterwards; images are `[H, W, C]`.
    pub shape: Vec<usize>,
    /// Channels and pixels, where they must change places.
    turn: Option<[usize; 2]>,
}

/// Tells what samples of shape `dims` are. Samples `[H, W]` of bytes are gray images, `[H, W, 1]`; of numbers only if
/// `channels` is told.
///
/// # Errors
/// [`DataError::ChannelsUnclear`], or [`DataError::BadOption`] for `channels` of what is no image.
pub(crate) fn arrange(
    dims: &[usize],
    bytes: bool,
    channels: Channels,
    path: &Path,
) -> Result<Arrangement, DataError> {
    let is_channels = |size: usize| matches!(size, 1 | 3 | 4);
    let as_it_is = |shape: &[usize]| Ok(Arrangement { shape: shape.to_vec(), turn: None });
    let first = match (dims, channels) {
        ([], Channels::Auto) => return as_it_is(&[1]),
        ([h, w], Channels::First | Channels::Last) => return as_it_is(&[*h, *w, 1]),
        ([h, w], Channels::Auto) if bytes => return as_it_is(&[*h, *w, 1]),
        ([front, _, back], Channels::Auto) => match (is_channels(*front), is_channels(*back)) {
            (true, false) => true,
            (false, true) => false,
            _ => return Err(DataError::ChannelsUnclear { shape: dims.to_vec(), path: path.into() }),
        },
        ([_, _, _], _) => channels == Channels::First,
        (_, Channels::Auto) => return as_it_is(dims),
        (_, told) => {
            let expected = format!("nothing, because samples of shape {dims:?} are not images");
            return Err(DataError::BadOption { option: "channels", value: told.word().into(), expected });
        }
    };
    let &[a, b, c] = dims else { return as_it_is(dims) };
    Ok(if first {
        Arrangement { shape: vec![b, c, a], turn: (a > 1).then_some([a, b * c]) }
    } else {
        Arrangement { shape: dims.to_vec(), turn: None }
    })
}

impl Arrangement {
    /// Brings `values` (`[n, C, H, W]`) into the order `[n, H, W, C]` in place, where that is needed.
    pub fn apply<T: Copy>(&self, values: &mut [T]) {
        if let Some([channels, pixels]) = self.turn {
            let mut planes = Vec::with_capacity(channels * pixels);
            for sample in values.chunks_exact_mut(channels * pixels) {
                planes.clear();
                planes.extend_from_slice(sample);
                interleave(&planes, channels, sample);
            }
        }
    }
}

/// Planes `[C, H·W]` as pixels `[H·W, C]`.
pub(crate) fn interleave<T: Copy>(planes: &[T], channels: usize, pixels: &mut [T]) {
    let size = planes.len() / channels;
    for (c, plane) in planes.chunks_exact(size).enumerate() {
        pixels[c..].iter_mut().step_by(channels).zip(plane).for_each(|(out, x)| *out = *x);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_channel_axis_is_found_and_turned() {
        let shape = |dims: &[usize], bytes, channels| {
            arrange(dims, bytes, channels, Path::new("x")).map(|a| a.shape).map_err(|e| e.to_string())
        };
        use Channels::{Auto, First, Last};
        for (dims, expected) in [
            (vec![3, 32, 20], vec![32, 20, 3]),
            (vec![32, 20, 3], vec![32, 20, 3]),
            (vec![1, 28, 28], vec![28, 28, 1]),
            (vec![7], vec![7]),
            (vec![], vec![1]),
            (vec![28, 28], vec![28, 28]),
        ] {
            assert_eq!(shape(&dims, false, Auto), Ok(expected));
        }
        assert_eq!(shape(&[28, 28], true, Auto), Ok(vec![28, 28, 1]));
        assert_eq!(shape(&[28, 27], false, Last), Ok(vec![28, 27, 1]));
        assert_eq!(shape(&[3, 5, 4], false, First), Ok(vec![5, 4, 3]));
        assert_eq!(shape(&[3, 5, 4], false, Last), Ok(vec![3, 5, 4]));
        assert_eq!(shape(&[2, 5, 6], false, First), Ok(vec![5, 6, 2]));
    }

    #[test]
    fn planes_become_pixels() {
        let turned = arrange(&[3, 2, 2], false, Channels::First, Path::new("x")).expect("an image");
        let mut values: Vec<u8> = (0..24).collect();
        turned.apply(&mut values);
        let one = [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11];
        assert_eq!(values[..12], one);
        assert_eq!(values[12..], one.map(|x| x + 12));
    }
}
