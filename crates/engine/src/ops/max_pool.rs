//! Max pooling: for every window of an image its largest value, or the value of another image at that place.
//!
//! With `p(o)` the first pixel of window `o` at which `x` has its maximum: `y[o] = v[p(o)]`; max pooling is `v = x`.
//! No index is stored: the gradient, [`MaxSpread`], finds `p` again from `x`. Its own gradient is this operator, so
//! the two are closed under differentiation. `x` as the one that chooses has no gradient: moving it a little changes
//! no choice, but where values tie.

use super::max_spread::MaxSpread;
use super::pooling::PoolOptions;
use super::{Op, Operator};
use crate::error::Fault;
use crate::grad::Backward;
use crate::graph::{Built, Graph, Var};
use crate::reference::Tensor;
use crate::shape::Shape;
use crate::steps::max_pick;
use crate::steps::{Inputs, Kernel, Lowering, Residency};
use kernels::map::Draw;
pub use kernels::window::Window;

/// Inputs: x and v, both `[B, H, W, C]`; result `[B, OH, OW, C]`.
#[derive(Clone, Debug, PartialEq)]
pub struct MaxPick {
    /// how the windows lie
    pub window: Window,
}

impl Operator for MaxPick {
    fn name(&self) -> &'static str {
        "max_pool"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, Fault> {
        check_image(&self.window, inputs[0])?;
        if inputs[0] != inputs[1] {
            let (expected, got) = (inputs[0].clone(), inputs[1].clone());
            return Err(Fault::Expected { what: "the image of values", expected, got });
        }
        Ok(pooled(&self.window, inputs[0]))
    }

    fn flops(&self, inputs: &[&Shape], _shape: &Shape) -> u64 {
        inputs[0].numel() as u64
    }

    fn grad(&self, at: &mut Backward) -> Built<()> {
        let (x, v) = (at.inputs[0], at.inputs[1]);
        let dy = at.graph.in_rows(at.dy, x)?;
        let dv = at.graph.push(MaxSpread { window: self.window }.into(), &[x, dy])?;
        debug_assert_eq!(at.graph.shape(v), at.graph.shape(dv));
        at.give(1, dv)
    }

    fn residency(&self, at: &Inputs) -> Result<Residency, Fault> {
        at.rows_if(at.cut())
    }

    fn lower(&self, at: &Lowering) -> Vec<Kernel> {
        let [x, v] = [at.inputs[0], at.inputs[1]];
        vec![max_pick::MaxPick { window: self.window, channels: at.channels(), x, v, out: at.out }.into()]
    }

    fn reference(&self, inputs: &[&Tensor], shape: &Shape, _draw: &Draw) -> Tensor {
        Tensor::from_fn(shape, |index| inputs[1].at(&argmax(&self.window, inputs[0], index)))
    }
}

pub(super) fn check_image(window: &Window, image: &Shape) -> Result<(), Fault> {
    match image[..] {
        [_, h, w, _] if [h, w] == window.input => Ok(()),
        _ => {
            let [h, w] = window.input;
            let expected = Shape::from([image.first().copied().unwrap_or(1), h, w, image.last_dim()]);
            Err(Fault::Expected { what: "the image", expected, got: image.clone() })
        }
    }
}

pub(super) fn pooled(window: &Window, image: &Shape) -> Shape {
    image.with(1, window.output[0]).with(2, window.output[1])
}

/// The pixel with the maximum under the window of an output.
pub(super) fn argmax(window: &Window, x: &Tensor, output: &[usize]) -> [usize; 4] {
    let [rows, columns] = [window.range(0, output[1]), window.range(1, output[2])];
    let mut best = [output[0], rows.start, columns.start, output[3]];
    for h in rows {
        for w in columns.clone() {
            let here = [output[0], h, w, output[3]];
            if x.at(&here) > x.at(&best) || x.at(&here).is_nan() {
                best = here;
            }
        }
    }
    best
}

impl Graph {
    /// The largest value of every window: `[B, H, W, C] → [B, OH, OW, C]`, each channel by itself. Padding counts as
    /// −∞. As in PyTorch, the gradient goes to the first of equal maxima, and NaN is larger than everything.
    ///
    /// # Errors
    /// Where `x` is no batch of images, or the windows do not fit: see [`PoolOptions`].
    pub fn max_pool2d(&mut self, x: Var, options: &PoolOptions) -> Built {
        let window = options.window(self.shape(x)).map_err(|fault| self.error("max_pool", fault))?;
        if window.kernel == [1, 1] && window.stride == [1, 1] {
            return Ok(x);
        }
        self.push(Op::MaxPick(MaxPick { window }), &[x, x])
    }

    /// A gradient that may be one number everywhere, as a value that belongs to rows like `like`.
    pub(super) fn in_rows(&mut self, dy: Var, like: Var) -> Built {
        let Some(value) = self.constant_value(dy) else { return Ok(dy) };
        let (to, one) = (self.shape(dy).clone(), self.constant(value, [])?);
        self.push(super::broadcast::Broadcast { to }.into(), &[one, like])
    }
}
