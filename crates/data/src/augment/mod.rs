//! Augmentation: random changes of the training images, each a pure function of (seed, epoch, index of the sample).
//!
//! ```
//! use data::augment::{Augment, Pipeline};
//! use data::{self, Affine, DataOptions, SplitOptions};
//!
//! let set = data::open("digits", &DataOptions::default())?;
//! let train = data::split(&set, &SplitOptions::default())?.train;
//! let augment: Augment = "crop-1,rotate-10".parse().expect("two transforms");
//! let pipeline = Pipeline::new(&augment, &set, &train, 0)?.expect("two transforms");
//! let mut batch = vec![0.0; 4 * set.n_inputs()];
//! pipeline.gather(&set, &train[..4], 7, &Affine::identity(), &mut batch)?;
//! # Ok::<(), data::DataError>(())
//! ```

mod canvas;
mod colors;
mod draws;
mod fill;
#[cfg(test)]
mod golden;
mod levels;
mod list;
mod mixing;
mod motion;
mod pipeline;
mod sheet;
mod tone;

use serde::{Deserialize, Serialize};

use canvas::Canvas;
use draws::Draws;
use mixing::Mix;
use motion::Motion;
use settings::{Entry, Range};

pub use fill::Fill;
pub use flip::Direction;
pub use list::Augment;
pub use pipeline::{Mixed, Pipeline};
pub use sheet::{Sheet, pick, sheet};

/// What transforms may ask about the data before the first is applied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Images {
    /// Height, width, channels.
    pub shape: [usize; 3],
    /// Whether all values lie between 0 and 1.
    pub bounded: bool,
}

/// Why a transform does not go with the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unsuitable(pub String);

/// One random change. Those that mix samples have `mixes` and `mix`, all others `apply`.
pub(crate) trait Transform {
    /// Whether it goes with the data.
    fn suits(&self, _images: &Images) -> Result<(), Unsuitable> {
        Ok(())
    }

    /// Changes one image.
    fn apply(&self, _draws: Draws, _canvas: &mut Canvas<'_>) {}

    /// Whether it needs the principal axes of the colors.
    fn wants_axes(&self) -> bool {
        false
    }

    /// Whether it mixes samples.
    fn mixes(&self) -> bool {
        false
    }

    /// With which of `n_partners` samples one is mixed, and how; none where it stays alone.
    fn mix(&self, _draws: Draws, _n_partners: usize, _shape: [usize; 3]) -> Option<Mix> {
        None
    }
}

/// Lists the transforms: a module and a type each.
macro_rules! transforms {
    ($($module:ident: $Type:ident),+ $(,)?) => {
        $(mod $module; pub use $module::$Type;)+

        /// Every transform's facts, in the order of the docs.
        pub const ALL: &[Entry] = &[$($module::ENTRY),+];

        /// A transform and its settings: `"flip"`, or a table such as `{ type = "crop", padding = 4 }`.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(tag = "type", rename_all = "snake_case")]
        pub enum TransformConfig {
            $(#[allow(missing_docs)] $Type($Type)),+
        }

        #[derive(Deserialize)]
        #[serde(tag = "type", rename_all = "snake_case")]
        enum Table {
            $($Type($Type)),+
        }

        impl From<Table> for TransformConfig {
            fn from(table: Table) -> Self {
                match table { $(Table::$Type(config) => TransformConfig::$Type(config)),+ }
            }
        }

        $(impl From<$Type> for TransformConfig {
            fn from(config: $Type) -> Self { TransformConfig::$Type(config) }
        })+

        impl TransformConfig {
            /// Facts about the chosen transform.
            pub fn entry(&self) -> &'static Entry {
                match self { $(TransformConfig::$Type(_) => &$module::ENTRY),+ }
            }

            pub(crate) fn transform(&self) -> &dyn Transform {
                match self { $(TransformConfig::$Type(config) => config),+ }
            }
        }
    };
}

transforms! {
    crop: Crop,
    flip: Flip,
    rotate: Rotate,
    translate: Translate,
    scale: Scale,
    shear: Shear,
    jitter: Jitter,
    pca: Pca,
    cutout: Cutout,
    randaugment: Randaugment,
    mixup: Mixup,
    cutmix: Cutmix,
}

const P_RANGE: Range = Range::Within(0.0, 1.0);
