//! The page: well formed, complete, safe, and unmoved by degenerate runs.

mod samples;

use std::fs;

/// Writes the sample pages for looking at, where `LOOK` names a folder.
#[test]
fn pages_to_look_at() {
    let Some(folder) = std::env::var_os("LOOK") else { return };
    let folder = std::path::PathBuf::from(folder);
    fs::create_dir_all(&folder).unwrap();
    let mut named = samples::classification(12, 10);
    if let Some(e) = &mut named.evaluation {
        let names = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];
        let mut c = record::Confusion::new(names.map(String::from).to_vec());
        let mut noise = samples::Noise(1);
        for i in 0..10_000usize {
            let t = i % 10;
            let u = noise.next().abs();
            let p = match (t, u) {
                (6, u) if u < 0.12 => 0,
                (6, u) if u < 0.19 => 2,
                (6, u) if u < 0.24 => 4,
                (0, u) if u < 0.09 => 6,
                (2, u) if u < 0.08 => 4,
                (4, u) if u < 0.07 => 2,
                (9, u) if u < 0.03 => 7,
                (_, u) if u < 0.01 => (noise.next().abs() * 10.0) as usize % 10,
                _ => t,
            };
            c.add(t, p);
        }
        e.outcome = record::Outcome::Confusion(c);
    }
    let pages = [
        ("digits", samples::classification(20, 10)),
        ("named", named),
        ("one", samples::classification(1, 2)),
        ("long", samples::classification(1000, 100)),
        ("regression", samples::regression(133)),
        ("nothing", samples::nothing()),
        ("diverged", samples::diverged()),
        ("hostile", samples::hostile("<script>alert('x')</script>&\"")),
    ];
    for (name, run) in pages {
        fs::write(folder.join(format!("{name}.html")), report::report_html(&run)).unwrap();
    }
}
