//! A layer and a loss of one's own: polynomials, fitted so that outliers hardly count.

use thalweg::engine::graph::{Built, Graph, Var};
use thalweg::engine::ops::unary::Fn1;
use thalweg::losses::{Compared, Costs, Loss};
use thalweg::model::{Builder, Model};
use thalweg::{init::Zeros, layers::Layer, optim::Adam, source::Arrays, train::Trainer};

/// x: [B, 1] -> [B, 1], a polynomial of this degree: Σ cₖ·xᵏ.
#[derive(Debug)]
struct Polynomial(usize);

impl Layer for Polynomial {
    fn kind(&self) -> &'static str {
        "polynomial"
    }
    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        let c = b.param("coefficients", [self.0 + 1], Zeros {})?;
        let mut sum = b.slice(c, 0, self.0, 1)?;
        for k in (0..self.0).rev() {
            let (c, product) = (b.slice(c, 0, k, 1)?, b.mul(sum, x)?);
            sum = b.add(product, c)?; // Horner's scheme
        }
        Ok(sum)
    }
}

/// log(1 + r²) of the residual r (Cauchy's loss): far outliers pull as little as one pleases.
#[derive(Debug)]
struct Cauchy;

impl Loss for Cauchy {
    fn name(&self) -> &'static str {
        "cauchy"
    }
    fn build(&self, g: &mut Graph, at: &Compared<'_>) -> Built<Costs> {
        let r = g.sub(at.outputs, at.target)?;
        let square = g.mul(r, r)?;
        let above_one = g.shift(square, 1.0)?;
        let log = g.unary(Fn1::Ln, above_one)?; // [B, 1]
        let each = g.reshape(log, [g.shape(r)[0]])?;
        Costs::alike(g, each)
    }
}

#[allow(clippy::print_stdout)]
pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let x: Vec<f32> = (0..256).map(|i| i as f32 / 128.0 - 1.0).collect();
    let truth = |x: &f32| 0.5 - 2.0 * x + x * x * x;
    let y: Vec<f32> = (0..).zip(&x).map(|(i, x)| if i % 8 == 0 { 40.0 } else { truth(x) }).collect();
    let data = Arrays::new(x, &[1]).numbers(y, 1);
    let model = Model::from_fn(&[1], |b, x| b.layer("cubic", &Polynomial(3), x))?;
    let adam = Adam { lr: 0.02, ..Adam::default() };
    let mut trainer = Trainer::builder(model, data, Cauchy, adam).epochs(400).build()?;
    trainer.fit()?;
    let found = &trainer.state.params;
    println!("{found:.2?}, expected [0.5, -2, 0, 1]");
    assert!(found.iter().zip([0.5, -2.0, 0.0, 1.0]).all(|(got, c)| (got - c).abs() < 0.1));
    Ok(())
}
