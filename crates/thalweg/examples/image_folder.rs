//! A convolutional network on a folder of images, one folder for each class, with random changes in training.

use std::fs::{File, create_dir_all};
use std::path::Path;
use std::sync::Arc;

use thalweg::data::augment::{Augment, Pipeline};
use thalweg::data::{self, DataOptions, Preprocess, SplitOptions};
use thalweg::losses::CrossEntropy;
use thalweg::model::{Model, ModelConfig};
use thalweg::optim::Adam;
use thalweg::source::{Preprocessed, Source, Subset};
use thalweg::train::Trainer;

/// Stripes of 12 by 12 pixels: `across` or `down`, at all places and in all strengths.
fn draw_images(root: &Path) -> Result<(), Box<dyn std::error::Error>> {
    for (class, across) in [("across", true), ("down", false)] {
        create_dir_all(root.join(class))?;
        for i in 0..60u32 {
            let file = File::create(root.join(class).join(format!("{i}.png")))?;
            let mut encoder = png::Encoder::new(file, 12, 12);
            encoder.set_color(png::ColorType::Grayscale);
            let place = |p: u32| if across { p / 12 } else { p % 12 };
            let bright = |p: u32| if (place(p) + i) % 4 < 2 { 100 + i + p % 90 } else { i + p % 60 };
            let pixels: Vec<u8> = (0..144).map(|p| bright(p) as u8).collect();
            encoder.write_header()?.write_image_data(&pixels)?;
        }
    }
    Ok(())
}

#[allow(clippy::print_stdout)]
pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = std::env::temp_dir().join(format!("thalweg-stripes-{}", std::process::id()));
    draw_images(&root)?;
    let set = Arc::new(data::open(&root.to_string_lossy(), &DataOptions::default())?);
    std::fs::remove_dir_all(&root)?;

    let splits = data::split(&set, &SplitOptions::default())?;
    let inputs = data::fit(&set, &splits.train, Preprocess::GlobalStandardize)?;
    let changes = Pipeline::new(&"crop-2,flip".parse::<Augment>()?, &set, &splits.train, 0)?;
    let all = Preprocessed::new(set, inputs, data::Affine::identity()).augmented(changes);
    let config: ModelConfig = "resnet8".parse()?;
    let model = Model::new(&config, all.input_shape(), 2)?;

    let all: Arc<dyn Source> = Arc::new(all);
    let part = |numbers: &[u32]| Subset::new(all.clone(), numbers.to_vec());
    let mut trainer = Trainer::builder(model, part(&splits.train), CrossEntropy::default(), Adam::default())
        .valid(part(&splits.valid))
        .batch(16)
        .epochs(5)
        .build()?;
    trainer.fit()?;
    let test = trainer.evaluate(&part(&splits.test))?;
    println!("{:?} on {} images", test, splits.test.len());
    assert!(test.get("test_accuracy").is_some_and(|a| a > 0.9));
    Ok(())
}
