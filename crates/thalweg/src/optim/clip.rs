//! Clipping: by the global norm, where a long gradient is shortened and keeps its direction, and element by element.

use crate::registry::{OutOfRange, Range};
use serde::{Deserialize, Serialize};

/// The longest gradient allowed: Euclidean length over all parameters, before any weight decay.
///
/// Source: Pascanu, Mikolov, Bengio, On the difficulty of training recurrent neural networks, ICML 2013; PyTorch's
/// `clip_grad_norm_`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct ClipNorm(f64);

impl ClipNorm {
    /// # Errors
    /// When `max_norm` is not a finite number above 0.
    pub fn new(max_norm: f64) -> Result<Self, OutOfRange> {
        let allowed = Range::Above(0.0);
        if allowed.allows(max_norm) {
            return Ok(ClipNorm(max_norm));
        }
        Err(OutOfRange { of: "clipping", key: "clip_norm", value: max_norm, allowed, default: "1.0" })
    }

    /// The longest norm allowed.
    pub fn max_norm(self) -> f64 {
        self.0
    }

    /// Factor for the gradient: max/(‖g‖ + 1e-6), at most 1. NaN for a norm of NaN.
    pub fn factor(self, norm: f64) -> f32 {
        let factor = self.0 / (norm + 1e-6);
        if factor > 1.0 { 1.0 } else { factor as f32 }
    }
}

impl TryFrom<f64> for ClipNorm {
    type Error = OutOfRange;
    fn try_from(max_norm: f64) -> Result<Self, OutOfRange> {
        ClipNorm::new(max_norm)
    }
}

impl From<ClipNorm> for f64 {
    fn from(clip: ClipNorm) -> f64 {
        clip.0
    }
}

/// The largest element of a gradient allowed, positive or negative; after clipping by the norm, before weight decay.
///
/// Source: PyTorch's `clip_grad_value_`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct ClipValue(f64);

impl ClipValue {
    /// # Errors
    /// When `limit` is not a finite number above 0.
    pub fn new(limit: f64) -> Result<Self, OutOfRange> {
        let allowed = Range::Above(0.0);
        if allowed.allows(limit) {
            return Ok(ClipValue(limit));
        }
        Err(OutOfRange { of: "clipping", key: "clip_value", value: limit, allowed, default: "1.0" })
    }

    /// The largest element allowed.
    pub fn limit(self) -> f32 {
        self.0 as f32
    }
}

impl TryFrom<f64> for ClipValue {
    type Error = OutOfRange;
    fn try_from(limit: f64) -> Result<Self, OutOfRange> {
        ClipValue::new(limit)
    }
}

impl From<ClipValue> for f64 {
    fn from(clip: ClipValue) -> f64 {
        clip.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_gradients_change() {
        let clip = ClipNorm::new(2.0).unwrap();
        assert_eq!(clip.factor(0.0), 1.0);
        assert_eq!(clip.factor(1.5), 1.0);
        assert_eq!(clip.factor(8.0), (2.0f64 / 8.000001) as f32);
        assert!(clip.factor(f64::NAN).is_nan());
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(ClipNorm::new(wrong).unwrap_err().key, "clip_norm");
        }
    }
}
