//! Weights that PyTorch saved as safetensors, in a network of the same layers: the same answers.

use std::path::Path;

use thalweg::data::{self, DataOptions};
use thalweg::engine::{Layout, Slot};
use thalweg::model::{Model, ModelConfig, weights};
use thalweg::train::Predictor;

const SAMPLES: usize = 64;

#[allow(clippy::print_stdout)]
pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    // `nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 5))`, trained, and
    // written by `safetensors.torch.save_file(net.state_dict(), ...)`
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/parity");
    let config: ModelConfig = "20-32-32-5".parse()?;
    let mut predictor = Predictor::new(Model::new(&config, &[20], 5)?, 1);
    predictor.load(folder.join("mlp.adam.final.safetensors"))?;

    let set = data::open(&folder.join("data.npz").to_string_lossy(), &DataOptions::default())?;
    let samples: Vec<u32> = (0..SAMPLES as u32).collect();
    let mut inputs = vec![0.0; SAMPLES * 20];
    set.gather(&samples, &data::Affine::identity(), &mut inputs)?;
    let logits = predictor.predict(&inputs)?;

    // what PyTorch said of the same samples
    let layout = Layout { slots: vec![Slot::new("logits", [SAMPLES, 5], 0)] };
    let mut expected = vec![0.0; SAMPLES * 5];
    weights::read(&folder.join("mlp.adam.logits.safetensors"), &mut [(&layout, &mut expected)])?;
    let apart = logits.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    println!("no logit of {SAMPLES} samples is further from PyTorch's than {apart:.1e}");
    assert!(apart < 1e-4);
    Ok(())
}
