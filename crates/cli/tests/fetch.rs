//! `thalweg data fetch` as a user meets it, against a server of this machine, and sets that are found by name.

mod common;
#[path = "../../data/tests/data/fetch/server.rs"]
mod server;

use std::fs;

use common::Folder;
use server::{Answer, Server, nobody};

/// The first file of MNIST, and its length.
const IMAGES: (&str, usize) = ("train-images-idx3-ubyte.gz", 9_912_422);

#[test]
fn without_a_network_the_way_by_hand_is_told() {
    let here = Folder::new("fetch-offline");
    let ran = here.run(&format!("data fetch mnist --from {}/", nobody()));
    assert_eq!(ran.code, 1, "{}", ran.err);
    let data = here.path().join("data/mnist");
    let lines: Vec<&str> = ran.err.lines().collect();
    assert!(lines[0].starts_with("error: no address of MNIST can be reached: "), "{}", ran.err);
    assert!(lines[0].ends_with("/train-images-idx3-ubyte.gz"), "{}", ran.err);
    let base = "       https://ossci-datasets.s3.amazonaws.com/mnist";
    let expected = [
        "hint: if there is no network here,".to_string(),
        "  1. download elsewhere:".to_string(),
        format!("{base}/train-images-idx3-ubyte.gz"),
        format!("{base}/train-labels-idx1-ubyte.gz"),
        format!("{base}/t10k-images-idx3-ubyte.gz"),
        format!("{base}/t10k-labels-idx1-ubyte.gz"),
        format!("  2. copy to: {}", data.display()),
        "  3. type: thalweg data fetch mnist".to_string(),
    ];
    assert_eq!(lines[1..], expected);
    assert!(data.is_dir() && fs::read_dir(data).unwrap().next().is_none());
}

#[test]
fn a_cut_download_says_how_to_go_on_and_does() {
    let here = Folder::new("fetch-cut");
    let file = vec![7; IMAGES.1];
    let server = Server::new(move |asked, before| match before {
        0..=3 => Answer::file(&file, asked).cut(1_000),
        _ => Answer::status(404),
    });
    let command = format!("data fetch mnist --from {}", server.url);
    let ran = here.run(&command);
    let url = format!("{}/{}", server.url, IMAGES.0);
    let error = format!(
        "error: the download stopped after 4000 of 9912422 bytes: the connection was closed: {url}\n\
         hint: `thalweg {command}` continues where it stopped\n"
    );
    assert!(ran.code == 1 && ran.err.ends_with(&error), "{} {}", ran.code, ran.err);
    assert!(
        ran.err.contains("train-images-idx3-ubyte.gz: 9.912 MB, going on after 3 kB, from "),
        "{}",
        ran.err
    );
    let part = here.path().join("data/mnist/train-images-idx3-ubyte.gz.part");
    assert_eq!(fs::read(&part).unwrap(), vec![7; 4_000]);
    here.run(&command).fails(
        1,
        &format!(
            "error: the server answered 404: {url}\nhint: try later, or use another address: `--from URL`"
        ),
    );
    assert_eq!((server.asked()[4].from, fs::read(&part).unwrap().len()), (Some(4_000), 4_000));
}

#[test]
fn a_wrong_file_is_told_to_people_and_to_programs() {
    let here = Folder::new("fetch-wrong");
    let server = Server::new(|asked, _| Answer::file(&vec![0; IMAGES.1], asked));
    let ran = here.run(&format!("data fetch mnist --json --to mine --from {}", server.url));
    let lines = ran.json();
    assert_eq!((ran.code, lines.len()), (1, 2), "{}", ran.out);
    assert_eq!((&lines[0]["event"], &lines[0]["bytes"]), (&"file".into(), &IMAGES.1.into()));
    let message = lines[1]["message"].as_str().unwrap();
    let expected = "not the file that was expected: SHA-256 \
                    440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609 expected, got ";
    assert!(message.starts_with(expected) && message.ends_with(IMAGES.0), "{message}");
    assert_eq!(lines[1]["exit"], 1);
    assert_eq!(fs::read_dir(here.path().join("mine")).unwrap().count(), 0);
}

#[test]
fn wrong_commands_are_told() {
    let here = Folder::new("fetch-commands");
    here.run("data fetch mnits").fails(
        2,
        "error: no public data set is called `mnits`\n\
         hint: did you mean `mnist`? there are mnist, fashion-mnist, cifar10, cifar100",
    );
    here.run("data fetch mnist --from nowhere").fails(
        2,
        "error: `nowhere` is neither a folder nor an address that begins with http:// or https://\n\
         hint: as in `--from https://example.org/mnist/` or `--from ./downloads`",
    );
    fs::create_dir_all(here.path().join("data/mnist")).unwrap();
    fs::write(here.path().join("data/mnist").join(IMAGES.0), "mine").unwrap();
    let ran = here.run(&format!("data fetch mnist --from {}", nobody()));
    assert!(ran.code == 2 && ran.err.starts_with("error: another file is in the way and was not changed: "));
    assert_eq!(fs::read_to_string(here.path().join("data/mnist").join(IMAGES.0)).unwrap(), "mine");
}

#[test]
fn a_fetched_set_is_found_by_name() {
    let here = Folder::new("fetch-name");
    let data = here.path().join("data");
    here.run("data info cifar-10").fails(
        1,
        &format!(
            "error: CIFAR-10 is not on this machine: looked in {}\n\
             hint: `thalweg data fetch cifar10` downloads it (170 MB)",
            data.join("cifar10").display()
        ),
    );
    assert_eq!(here.run("epochs=1 data=cifar10").code, 1);
    for (part, n) in [("train", 40u8), ("t10k", 10)] {
        let images: Vec<u8> =
            [&[0, 0, 8, 3, 0, 0, 0, n, 0, 0, 0, 2, 0, 0, 0, 2][..], &vec![9; 4 * usize::from(n)]].concat();
        let labels: Vec<u8> = [0, 0, 8, 1, 0, 0, 0, n].into_iter().chain((0..n).map(|i| i % 3)).collect();
        fs::create_dir_all(data.join("mnist")).unwrap();
        fs::write(data.join(format!("mnist/{part}-images-idx3-ubyte")), images).unwrap();
        fs::write(data.join(format!("mnist/{part}-labels-idx1-ubyte")), labels).unwrap();
    }
    let ran = here.run("data info MNIST --json");
    let last = ran.json().pop().unwrap();
    assert_eq!(
        (ran.code, &last["samples"], &last["split"]["test"]),
        (0, &50.into(), &10.into()),
        "{}",
        ran.err
    );
    let ran = here.run("data list --json");
    let listed = ran.json().pop().unwrap();
    let mnist = &listed["public"][0];
    assert_eq!((&mnist["name"], mnist["folder"].as_str()), (&"mnist".into(), data.join("mnist").to_str()));
    assert_eq!(listed["public"][2]["folder"], serde_json::Value::Null);
    // What lies here under that name comes first.
    fs::create_dir(here.path().join("mnist")).unwrap();
    let ran = here.run("data info mnist");
    assert!(ran.code == 1 && ran.err.starts_with("error: nothing in the folder can be used"), "{}", ran.err);
}
