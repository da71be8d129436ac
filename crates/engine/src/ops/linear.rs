//! The dense layer: `y = x·Wᵀ + b`.

use crate::graph::{Built, Graph, Var};

impl Graph {
    /// `x: [.., in]`, `weight: [out, in]`, `bias: [out]` → `[.., out]`, PyTorch's layout.
    pub fn linear(&mut self, x: Var, weight: Var, bias: Option<Var>) -> Built {
        let y = self.matmul_nt(x, weight)?;
        match bias {
            Some(bias) => self.add(y, bias),
            None => Ok(y),
        }
    }
}
