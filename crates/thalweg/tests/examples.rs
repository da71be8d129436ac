//! Every example compiles on the public API alone, does what it says, and stays short; and every page with Rust in it
//! is compiled with the documentation.

use std::path::Path;

/// Most lines of an example.
const MOST_LINES: usize = 60;

/// Lists the examples and their files: each is a module here, and a test that runs it.
macro_rules! examples {
    ($($name:ident = $path:literal),+ $(,)?) => {
        $(#[path = $path] mod $name;)+

        mod run {
            $(#[test]
            fn $name() {
                super::$name::main().unwrap();
            })+
        }

        const ALL: &[&str] = &[$(stringify!($name)),+];
    };
}

examples! {
    train_arrays = "../examples/train_arrays.rs",
    own_layer_and_loss = "../examples/own_layer_and_loss.rs",
    image_folder = "../examples/image_folder.rs",
    own_optimizer = "../examples/own_optimizer.rs",
    hessian_product = "../examples/hessian_product.rs",
    pytorch_weights = "../examples/pytorch_weights.rs",
}

#[test]
fn all_are_run_and_none_is_long() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut found: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    found.sort();
    let mut listed = ALL.to_vec();
    listed.sort_unstable();
    assert_eq!(found, listed, "examples, and those that are run here");
    for name in ALL {
        let text = std::fs::read_to_string(folder.join(format!("{name}.rs"))).unwrap();
        let n = text.lines().count();
        assert!(n <= MOST_LINES, "{name} has {n} lines, expected at most {MOST_LINES}");
    }
}

#[test]
fn every_page_with_rust_is_compiled() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pages = std::fs::read_dir(root.join("docs/src")).unwrap().map(|entry| entry.unwrap().path());
    let lib = include_str!("../src/lib.rs");
    for page in pages.chain([root.join("README.md")]).filter(|path| path.is_file()) {
        let text = std::fs::read_to_string(&page).unwrap();
        let name = page.file_name().unwrap().to_string_lossy();
        let blocks = text.lines().filter(|line| line.starts_with("```")).step_by(2);
        let mut untold = blocks.clone().filter(|line| *line == "```");
        assert_eq!(untold.next(), None, "{name}: a block without a language would count as Rust");
        let has_rust = blocks.clone().any(|line| line.starts_with("```rust"));
        assert_eq!(has_rust, lib.contains(&format!("/{name}\")")), "{name} has Rust: {has_rust}");
        assert!(!blocks.clone().any(|line| line.contains("ignore") || line.contains("no_run")), "{name}");
    }
}
