//! Every shell block of the handbook and the README is run in a folder of its own, with files of the names that stand
//! in it. A block that cannot be run says why after its fence, ```` ```sh not run: REASON ````; the settings of its
//! training commands are checked anyway. A block ```` ```text from above ```` shows lines that the block before it must
//! print; a line with an ellipsis alone stands for lines that are left out.

use std::path::{Path, PathBuf};
use std::process::Command;

mod common;

use common::Folder;

/// Blocks that say why they are not run; counted, so that none is added without a thought.
const NOT_RUN: usize = 20;

/// What a line of a page belongs to.
#[derive(Clone, Copy)]
enum Inside {
    Shell,
    Shown,
}

struct Block {
    page: String,
    line: usize,
    /// why it is not run
    reason: Option<String>,
    text: String,
    /// lines that it prints, as the page shows them
    shown: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Pages of the handbook, and the README, in order.
fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = std::fs::read_dir(root().join("docs/src"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
        .collect();
    pages.sort();
    pages.push(root().join("README.md"));
    pages
}

fn blocks(page: &Path) -> Vec<Block> {
    let name = page.file_name().unwrap().to_string_lossy().into_owned();
    let text = std::fs::read_to_string(page).unwrap();
    let mut found: Vec<Block> = Vec::new();
    let mut inside: Option<Inside> = None;
    for (i, line) in text.lines().enumerate() {
        match (line.strip_prefix("```"), inside) {
            (Some("text from above"), None) => {
                assert!(found.last().is_some_and(|b| b.shown.is_empty()), "{name}:{}: no block above", i + 1);
                inside = Some(Inside::Shown);
            }
            (Some(info), None) if info == "sh" || info.starts_with("sh ") => {
                let reason = info.strip_prefix("sh not run: ").map(str::to_owned);
                assert!(!info.contains('`'), "{name}:{}: a fence with a backtick is none", i + 1);
                assert!(
                    info == "sh" || reason.as_ref().is_some_and(|r| !r.is_empty()),
                    "{name}:{}: {info}",
                    i + 1
                );
                let (page, shown) = (name.clone(), Vec::new());
                found.push(Block { page, line: i + 1, reason, text: String::new(), shown });
                inside = Some(Inside::Shell);
            }
            (Some(_), Some(_)) => inside = None,
            (None, Some(Inside::Shown)) => found.last_mut().unwrap().shown.push(line.into()),
            (None, Some(Inside::Shell)) => {
                let block = &mut found.last_mut().unwrap().text;
                *block += line;
                *block += "\n";
            }
            _ => {}
        }
    }
    assert!(inside.is_none(), "{name}: a block does not end");
    found
}

/// The first line of a block that is not among what was printed; times, speeds and numbers of threads may differ.
fn not_printed<'a>(block: &'a Block, printed: &str) -> Option<&'a String> {
    let there: Vec<String> = printed.lines().map(steady).collect();
    block.shown.iter().find(|line| line.trim() != "..." && !there.contains(&steady(line)))
}

/// A line without what differs from one machine to the next.
fn steady(line: &str) -> String {
    let is_unit =
        |word: &str| ["s", "ms", "samples/s", "threads"].contains(&word.trim_end_matches([',', ';', '.']));
    let words: Vec<&str> = line.split_whitespace().collect();
    let steady = words.iter().enumerate().map(|(i, word)| {
        let differs = is_unit(word) || words.get(i + 1).is_some_and(|next| is_unit(next));
        if differs { "#" } else { word }
    });
    steady.collect::<Vec<_>>().join(" ")
}

/// Files that stand in the blocks.
fn write_files(folder: &Path) {
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).unwrap();
    let wine = |i: usize| format!("{}.{},{},{}\n", 2 + i % 2, i % 10, i % 9, 5 + (i / 7) % 3);
    write(
        "wine.csv",
        ("acidity,sugar,quality\n".to_owned() + &(0..200).map(wine).collect::<String>()).as_bytes(),
    );
    let house =
        |i: usize| format!("{},{},{}.5\n", 1 + i % 6, ["north", "south"][i % 2], 1000 * (i % 6) + i % 13);
    write(
        "table.csv",
        ("rooms,side,price\n".to_owned() + &(0..200).map(house).collect::<String>()).as_bytes(),
    );
    let golden = root().join("crates/thalweg/tests/golden/parity/data.npz");
    write("arrays.npz", &std::fs::read(&golden).unwrap());
    write("x.npz", &std::fs::read(&golden).unwrap());
    let toml = std::fs::read_to_string(root().join("docs/src/getting-started.md")).unwrap();
    let config = toml.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    write("run.toml", config.as_bytes());
    std::fs::create_dir_all(folder.join("docs")).unwrap();
    write("docs/flats.csv", &std::fs::read(root().join("docs/flats.csv")).unwrap());
    write_digits(&folder.join("mnist-folder"));
}

/// MNIST's four files with a few images of 28 by 28 pixels.
fn write_digits(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    for (part, n) in [("train", 200u32), ("t10k", 50)] {
        let mut images = [2051u32, n, 28, 28].map(u32::to_be_bytes).concat();
        let mut labels = [2049u32, n].map(u32::to_be_bytes).concat();
        for i in 0..n {
            let class = i % 10;
            let lit = |p: u32| if p / 28 / 3 == class { 200 + (p + i) % 50 } else { (p * i) % 40 };
            images.extend((0..784).map(|p| lit(p) as u8));
            labels.push(class as u8);
        }
        std::fs::write(folder.join(format!("{part}-images-idx3-ubyte")), images).unwrap();
        std::fs::write(folder.join(format!("{part}-labels-idx1-ubyte")), labels).unwrap();
    }
}

/// What a page takes for granted.
fn before(page: &str) -> &'static str {
    match page {
        "reproducibility.md" => {
            "thalweg data=digits epochs=2 --run-dir runs/digits-mlp-128-64-001\n\
             thalweg data=x.npz model=20-32-5 epochs=1 --run-dir start\n\
             cp start/weights.safetensors start.safetensors"
        }
        _ => "",
    }
}

/// Runs lines of a shell, which stop at the first that fails; what they print.
fn shell(folder: &Path, lines: &str) -> Result<String, String> {
    let program = Path::new(env!("CARGO_BIN_EXE_thalweg"));
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let ran = Command::new("sh")
        .args(["-euc", lines])
        .current_dir(folder)
        .env("PATH", path)
        .env("THALWEG_DATA", folder.join("data"))
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let printed = text(&ran.stdout) + "\n" + &text(&ran.stderr);
    if ran.status.success() { Ok(printed) } else { Err(printed) }
}

/// The training commands of a block that is not run, as commands that show their settings.
fn settings(block: &str) -> Vec<String> {
    let joined = block.replace("\\\n", " ");
    let mut recipe = String::new();
    let mut commands = Vec::new();
    for line in joined.lines() {
        let line = line.split(" #").next().unwrap_or_default().trim_end();
        match line.strip_prefix("thalweg ") {
            Some(words) if words.starts_with(['$', 'd', 'm']) && !words.starts_with("data ") => {
                commands.push(format!("{recipe}thalweg config show {words}\n"));
            }
            Some(_) => {}
            None => recipe += &format!("{line}\n"),
        }
    }
    commands
}

#[cfg(unix)]
#[test]
fn every_block_is_run_or_says_why_not() {
    let (mut n_run, mut not_run) = (0, Vec::new());
    for page in pages() {
        let blocks = blocks(&page);
        if blocks.is_empty() {
            continue;
        }
        let folder = Folder::new(&format!("handbook-{}", page.file_stem().unwrap().to_string_lossy()));
        write_files(folder.path());
        shell(folder.path(), before(&blocks[0].page)).unwrap();
        for block in &blocks {
            let place = format!("{}:{}", block.page, block.line);
            match &block.reason {
                None => {
                    n_run += 1;
                    let printed = shell(folder.path(), &block.text)
                        .unwrap_or_else(|e| panic!("{place}\n{}\n{e}", block.text));
                    let missing = not_printed(block, &printed);
                    assert!(missing.is_none(), "{place} does not print {missing:?}, but\n{printed}");
                }
                Some(reason) => {
                    not_run.push(format!("{place}: {reason}"));
                    for command in settings(&block.text) {
                        shell(folder.path(), &command).unwrap_or_else(|e| panic!("{place}\n{command}\n{e}"));
                    }
                }
            }
        }
    }
    println!("{n_run} blocks were run; not run:\n{}", not_run.join("\n"));
    assert!(n_run >= 6, "{n_run} blocks were run");
    assert_eq!(not_run.len(), NOT_RUN, "not run:\n{}", not_run.join("\n"));
}

/// The test can fail: a block with a wrong command is found, and a wrong setting in one that is not run.
#[cfg(unix)]
#[test]
fn a_block_that_fails_is_found() {
    let folder = Folder::new("handbook-fails");
    assert!(shell(folder.path(), "thalweg list optimizers\nthalweg lisst\ntrue").is_err());
    let [command] = &settings("recipe=\"data=cifar10\"\nthalweg $recipe modell=resnet20   # wrong\n")[..]
    else {
        panic!("one command")
    };
    assert!(shell(folder.path(), command).unwrap_err().contains("modell"));
    let printed = shell(folder.path(), "echo 'done after 3 epochs, 0.5 s'").unwrap();
    let shows = |line: &str| {
        let shown = vec!["...".into(), line.into()];
        let block = Block { page: String::new(), line: 1, reason: None, text: String::new(), shown };
        not_printed(&block, &printed).is_none()
    };
    assert!(shows("done after 3 epochs, 7 s") && !shows("done after 4 epochs, 7 s"));
}
