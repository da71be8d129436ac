//! What a step can do: one kernel a file, with the values that it touches, its cost, its text, its scratch memory and
//! its loop. A plan is a list of these; this module knows neither operators nor the compiler.

pub(crate) mod emit;
mod lowering;
mod run;
mod span;

pub use lowering::{Inputs, Lowering};
pub(crate) use run::{Chunk, Lane, Memory, Scratch, free};
pub use run::{Feed, Run, StepContext};
pub use span::{Extent, Loc, Partial, Residency, Span, Tail, Target};

use crate::graph::Var;

/// What every kernel says of itself.
pub trait StepKernel {
    /// The values that it reads.
    fn reads(&self) -> Vec<Span>;

    /// The values that it writes; per-shard results are not among them.
    fn writes(&self) -> Vec<Span>;

    /// What it does, with sizes, as plans print it.
    fn describe(&self) -> String;

    /// Floating-point operations for a whole batch.
    fn flops(&self, _batch: usize) -> u64 {
        0
    }

    /// Elements that move for a whole batch, each value counted once.
    fn elements(&self, batch: usize) -> u64 {
        let mut spans: Vec<Span> = Vec::new();
        for span in self.reads().into_iter().chain(self.writes()) {
            if !spans.contains(&span) {
                spans.push(span);
            }
        }
        spans.into_iter().map(|s| s.elements(batch)).sum()
    }

    /// Elements of scratch memory for a worker with `rows` rows.
    fn scratch_len(&self, _rows: usize) -> usize {
        0
    }

    /// Does it for the rows at hand.
    fn run(&self, at: &Run, memory: Memory);
}

/// Work and traffic of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// floating-point operations
    pub flops: u64,
    /// bytes read and written, counting each value once
    pub bytes: u64,
}

/// The product, at most `u64::MAX`: operations may be more than 64 bits count, where sizes are not.
pub(crate) fn times(factors: &[usize]) -> u64 {
    factors.iter().fold(1, |n: u64, factor| n.saturating_mul(*factor as u64))
}

macro_rules! kernels {
    ($($file:ident :: $Name:ident),* $(,)?) => {
        $(pub mod $file;)*

        /// What one step does.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs, reason = "each variant is documented at its type")]
        pub enum Kernel { $($Name($file::$Name)),* }

        impl Kernel {
            /// The kernel behind the variant.
            pub fn get(&self) -> &dyn StepKernel {
                match self { $(Kernel::$Name(kernel) => kernel),* }
            }
        }

        $(impl From<$file::$Name> for Kernel {
            fn from(kernel: $file::$Name) -> Kernel { Kernel::$Name(kernel) }
        })*
    };
}

kernels! {
    feed::Feeding,
    fill::Fill,
    gemm::Gemm,
    gemm_partial::GemmPartial,
    prepare::Prepare,
    conv::Conv,
    conv_input::ConvInput,
    conv_partial::ConvPartial,
    map::Map,
    fold::FoldMiddle,
    copy::Copy,
    place::Place,
    gather::Gather,
    scatter::Scatter,
    moments::Moments,
    max_pick::MaxPick,
    max_spread::MaxSpread,
    resample::Resample,
    combine::Combine,
    meet::Meet,
}

/// A step and where it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// what it does
    pub kernel: Kernel,
    /// the nodes that it computes
    pub nodes: Vec<Var>,
    /// the layer of the last of them
    pub layer: String,
}

impl Step {
    /// Work and traffic for a whole batch.
    pub fn cost(&self, batch: usize) -> Cost {
        let kernel = self.kernel.get();
        Cost { flops: kernel.flops(batch), bytes: 4 * kernel.elements(batch) }
    }
}
