//! Activations, each as a composition: the compiler fuses it into the step that makes its input.
//!
//! Formulas, defaults and values at kinks are PyTorch's.

use super::unary::Fn1;
use crate::graph::{Built, Graph, Var};
use crate::ops::binary::Fn2;

impl Graph {
    /// `max(x, 0)`; the gradient at 0 is 0.
    pub fn relu(&mut self, x: Var) -> Built {
        self.unary(Fn1::Relu, x)
    }

    /// `1 / (1 + e⁻ˣ)`
    pub fn sigmoid(&mut self, x: Var) -> Built {
        self.unary(Fn1::Sigmoid, x)
    }

    /// `tanh x`
    pub fn tanh(&mut self, x: Var) -> Built {
        self.unary(Fn1::Tanh, x)
    }

    /// `ln(1 + eˣ)`
    pub fn softplus(&mut self, x: Var) -> Built {
        self.unary(Fn1::Softplus, x)
    }

    /// `max(x, 0)` and the rest, `min(x, 0)`, whose gradient at 0 is 1.
    fn halves(&mut self, x: Var) -> Built<(Var, Var)> {
        let positive = self.relu(x)?;
        Ok((positive, self.sub(x, positive)?))
    }

    /// `x` above 0, `slope · x` below (Maas et al. 2013).
    pub fn leaky_relu(&mut self, x: Var, slope: f32) -> Built {
        let (positive, negative) = self.halves(x)?;
        let leak = self.scale(negative, slope)?;
        self.add(positive, leak)
    }

    /// `x` above 0, `α(eˣ − 1)` below (Clevert et al. 2015).
    pub fn elu(&mut self, x: Var, alpha: f32) -> Built {
        let (positive, negative) = self.halves(x)?;
        let e = self.unary(Fn1::Exp, negative)?;
        let less = self.shift(e, -1.0)?;
        let bent = self.scale(less, alpha)?;
        self.add(positive, bent)
    }

    /// `λx` above 0, `λα(eˣ − 1)` below, with λ = 1.0507… and α = 1.6733… by which a standard normal keeps mean 0 and
    /// variance 1 (Klambauer et al. 2017).
    pub fn selu(&mut self, x: Var) -> Built {
        let bent = self.elu(x, 1.673_263_2)?;
        self.scale(bent, 1.050_701)
    }

    /// `x/√(1 + (x/limit)²)`: close to x near 0, within ±limit far out.
    pub fn smooth_clip(&mut self, x: Var, limit: f32) -> Built {
        // beyond 1e15 the square would overflow, and the result is ±limit to the last bit long before
        let t = self.scale(x, 1.0 / limit)?;
        let t = self.clamp(t, -1e15, 1e15)?;
        let square = self.unary(Fn1::Square, t)?;
        let sum = self.shift(square, 1.0)?;
        let root = self.unary(Fn1::Sqrt, sum)?;
        let share = self.div(t, root)?;
        self.scale(share, limit)
    }

    /// `x·Φ(x)` with the exact normal distribution (Hendrycks and Gimpel 2016).
    pub fn gelu(&mut self, x: Var) -> Built {
        let scaled = self.scale(x, std::f32::consts::FRAC_1_SQRT_2)?;
        let e = self.unary(Fn1::Erf, scaled)?;
        let gate = self.shift(e, 1.0)?;
        let half = self.scale(x, 0.5)?;
        self.mul(half, gate)
    }

    /// `½x(1 + tanh(√(2/π)(x + 0.044715x³)))`
    pub fn gelu_tanh(&mut self, x: Var) -> Built {
        let square = self.unary(Fn1::Square, x)?;
        let bend = self.scale(square, 0.044_715)?;
        let factor = self.shift(bend, 1.0)?;
        let inner = self.mul(x, factor)?;
        let inner = self.scale(inner, 0.797_884_6)?;
        let t = self.tanh(inner)?;
        let gate = self.shift(t, 1.0)?;
        let half = self.scale(x, 0.5)?;
        self.mul(half, gate)
    }

    /// `x · sigmoid(x)`, also called swish (Ramachandran et al. 2017).
    pub fn silu(&mut self, x: Var) -> Built {
        let gate = self.sigmoid(x)?;
        self.mul(x, gate)
    }

    /// `x · tanh(softplus(x))` (Misra 2019).
    pub fn mish(&mut self, x: Var) -> Built {
        let s = self.softplus(x)?;
        let gate = self.tanh(s)?;
        self.mul(x, gate)
    }

    /// `x / (1 + |x|)`
    pub fn softsign(&mut self, x: Var) -> Built {
        let a = self.unary(Fn1::Abs, x)?;
        let d = self.shift(a, 1.0)?;
        self.div(x, d)
    }

    /// `x` kept within `[low, high]`.
    pub fn clamp(&mut self, x: Var, low: f32, high: f32) -> Built {
        let low = self.constant(low, [])?;
        let high = self.constant(high, [])?;
        let raised = self.binary(Fn2::Max, x, low)?;
        self.binary(Fn2::Min, raised, high)
    }

    /// `clamp(x/6 + ½, 0, 1)`
    pub fn hard_sigmoid(&mut self, x: Var) -> Built {
        let scaled = self.scale(x, 1.0 / 6.0)?;
        let centered = self.shift(scaled, 0.5)?;
        self.clamp(centered, 0.0, 1.0)
    }

    /// `clamp(x, −1, 1)`
    pub fn hard_tanh(&mut self, x: Var) -> Built {
        self.clamp(x, -1.0, 1.0)
    }

    /// `x · hard_sigmoid(x)` (Howard et al. 2019).
    pub fn hard_swish(&mut self, x: Var) -> Built {
        let gate = self.hard_sigmoid(x)?;
        self.mul(x, gate)
    }
}
