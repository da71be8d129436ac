//! Writes pages of made-up runs into a folder, to look at in a browser: `cargo run -p thalweg-report --example
//! samples -- DIR`.
#![allow(clippy::print_stdout, reason = "an example for developers")]

#[path = "../tests/samples/mod.rs"]
mod samples;

use report::terminal::{Color, summary};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::path::PathBuf::from(std::env::args().nth(1).ok_or("name a folder")?);
    std::fs::create_dir_all(&folder)?;
    let pages = [
        ("digits", samples::classification(20, 10)),
        ("named", samples::fashion()),
        ("one", samples::classification(1, 2)),
        ("long", samples::classification(1000, 100)),
        ("regression", samples::regression(133)),
        ("nothing", samples::nothing()),
        ("diverged", samples::diverged()),
        ("hostile", samples::hostile("<script>alert('x')</script>&\"")),
    ];
    for (name, run) in pages {
        std::fs::write(folder.join(format!("{name}.html")), report::report_html(&run))?;
        println!("{}", summary(&run, 80, Color::On));
    }
    Ok(())
}
