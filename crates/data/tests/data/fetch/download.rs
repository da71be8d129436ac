//! Downloads: whole, cut, resumed, wrong, refused.

use super::server::{Answer, Asked, Server, nobody};
use super::*;

/// A file of 100 kB and what is in it.
fn file() -> (Vec<u8>, Vec<u8>) {
    let content = noise(100_000, 1);
    (gzip(&content, 6), content)
}

fn asked(from: Option<usize>) -> Asked {
    Asked { path: "/x.gz".into(), from }
}

#[test]
fn a_file_comes_whole_and_only_once() {
    let (here, (file, content)) = (Folder::new("whole"), file());
    let copy = file.clone();
    let server = Server::new(move |a, _| Answer::file(&copy, a));
    let set = one_file(&file, &content, &server.url);
    let (got, notes) = fetched(&set, &to(&here));
    let got = got.unwrap();
    assert_eq!((got.transferred, &got.files[..]), (file.len() as u64, &[("x.gz", false)][..]));
    assert_eq!(notes, [format!("x.gz 0/{}", file.len())]);
    assert_eq!((here.names(), here.read("x.gz")), (vec!["x.gz".to_string()], file));
    let (again, notes) = fetched(&set, &to(&here));
    assert_eq!((again.unwrap().files, notes.len()), (vec![("x.gz", true)], 0));
    assert_eq!(server.asked(), [asked(None)]);
}

#[test]
fn a_cut_download_goes_on_by_itself() {
    let (here, (file, content)) = (Folder::new("cut"), file());
    let copy = file.clone();
    let server = Server::new(move |a, n| match n {
        0 => Answer::file(&copy, a).cut(40_000),
        1 => Answer::status(503),
        2 => Answer::file(&copy, a).cut(30_000),
        _ => Answer::file(&copy, a),
    });
    let (got, notes) = fetched(&one_file(&file, &content, &server.url), &to(&here));
    assert_eq!(got.unwrap().transferred, file.len() as u64 - 70_000);
    assert_eq!(here.read("x.gz"), file);
    assert_eq!(server.asked(), [None, Some(40_000), Some(40_000), Some(70_000)].map(asked));
    let n = file.len();
    let expected = [
        format!("x.gz 0/{n}"),
        format!("the download stopped after 40000 of {n} bytes: the connection was closed"),
        "the server answered 503".into(),
        format!("x.gz 40000/{n}"),
        format!("the download stopped after 70000 of {n} bytes: the connection was closed"),
        format!("x.gz 70000/{n}"),
    ];
    assert_eq!(notes.len(), expected.len(), "{notes:?}");
    for (note, expected) in notes.iter().zip(&expected) {
        assert_eq!(note, expected);
    }
}

#[test]
fn attempts_that_make_headway_do_not_count() {
    let (here, content) = (Folder::new("headway"), noise(6 << 20, 1));
    let file = gzip(&content, 1);
    let copy = file.clone();
    let server = Server::new(move |a, _| Answer::file(&copy, a).cut(5 << 18));
    let options = FetchOptions { retries: 0, ..to(&here) };
    fetched(&one_file(&file, &content, &server.url), &options).0.unwrap();
    assert_eq!((server.asked().len(), here.read("x.gz") == file), (file.len().div_ceil(5 << 18), true));
    // One that always begins anew gets no further.
    let copy = file.clone();
    let server = Server::new(move |_, _| Answer::whole(&copy).cut(5 << 18));
    let here = Folder::new("no-headway");
    let options = FetchOptions { retries: 2, ..to(&here) };
    let error = fetched(&one_file(&file, &content, &server.url), &options).0.unwrap_err();
    assert!(matches!(error, FetchError::BrokeOff { got: 1_310_720, .. }), "{error}");
    assert_eq!(server.asked().len(), 4);
}

#[test]
fn what_failed_goes_on_when_it_is_fetched_again() {
    let (here, (file, content)) = (Folder::new("again"), file());
    let copy = file.clone();
    let server = Server::new(move |a, n| match n {
        0..=3 => Answer::file(&copy, a).cut(1_000),
        _ => Answer::file(&copy, a),
    });
    let set = one_file(&file, &content, &server.url);
    let error = fetched(&set, &to(&here)).0.unwrap_err();
    assert!(matches!(&error, FetchError::BrokeOff { got: 4_000, .. }), "{error}");
    assert_eq!(error.hint(), "fetching it again continues where it stopped");
    assert_eq!(here.read("x.gz.part"), file[..4_000]);
    fetched(&set, &to(&here)).0.unwrap();
    assert_eq!((server.asked()[4].from, here.read("x.gz")), (Some(4_000), file));
    assert_eq!(here.names(), ["x.gz"]);
}

#[test]
fn a_server_without_ranges_sends_everything() {
    let (here, (file, content)) = (Folder::new("ranges"), file());
    here.write("x.gz.part", &file[..5_000]);
    let copy = file.clone();
    let server = Server::new(move |_, _| Answer::whole(&copy));
    let got = fetched(&one_file(&file, &content, &server.url), &to(&here)).0.unwrap();
    assert_eq!((got.transferred, here.read("x.gz")), (file.len() as u64, file));
    assert_eq!(server.asked(), [asked(Some(5_000))]);
}

#[test]
fn a_part_of_another_file_is_begun_anew() {
    let (file, content) = file();
    // Longer than the file (416), as long, and shorter; and a server that sends another part than asked for.
    for (name, n) in [("longer", file.len() + 9), ("equal", file.len()), ("shorter", 700), ("shifted", 800)] {
        let here = Folder::new(name);
        here.write("x.gz.part", &noise(n, 2));
        let (copy, shifted) = (file.clone(), name == "shifted");
        let server = Server::new(move |a, _| match a.from {
            Some(from) if shifted => Answer::file(&copy, &Asked { from: Some(from + 1), ..a.clone() }),
            _ => Answer::file(&copy, a),
        });
        fetched(&one_file(&file, &content, &server.url), &to(&here)).0.unwrap();
        assert_eq!((here.read("x.gz"), here.names().len()), (file.clone(), 1), "{name}");
        assert_eq!(server.asked().last(), Some(&asked(None)), "{name}");
    }
}

#[test]
fn a_part_that_was_complete_needs_no_server() {
    let (here, (file, content)) = (Folder::new("complete"), file());
    here.write("x.gz.part", &file);
    let got = fetched(&one_file(&file, &content, &nobody()), &to(&here)).0.unwrap();
    assert_eq!((got.transferred, here.names()), (0, vec!["x.gz".to_string()]));
}

#[test]
fn a_wrong_file_is_removed_and_told() {
    let (here, (file, content)) = (Folder::new("wrong"), file());
    let mut bad = file.clone();
    bad[50_000] ^= 1;
    let (copy, got) = (bad.clone(), sha256(&bad));
    let server = Server::new(move |a, _| Answer::file(&copy, a));
    let error = fetched(&one_file(&file, &content, &server.url), &to(&here)).0.unwrap_err();
    let expected = sha256(&file);
    let text = format!(
        "not the file that was expected: SHA-256 {expected} expected, got {got}: {}/x.gz",
        server.url
    );
    assert_eq!((error.to_string(), here.names().len()), (text, 0));
    assert_eq!(server.asked().len(), 1, "the same file would come again");
}

#[test]
fn a_file_of_another_length_is_not_even_read() {
    let (here, (file, content)) = (Folder::new("length"), file());
    here.write("x.gz.part", &file[..5_000]);
    let server = Server::new(|_, _| Answer::whole(b"<html>please log in</html>"));
    let set = one_file(&file, &content, &server.url);
    let error = fetched(&set, &to(&here)).0.unwrap_err();
    assert!(matches!(error, FetchError::WrongSize { got: 26, .. }), "{error}");
    assert_eq!(here.read("x.gz.part"), file[..5_000], "what was there is not lost");
    // A server that tells no length is stopped.
    let server = Server::new(|_, _| Answer::unmeasured(&noise(300_000, 3)));
    let set = one_file(&file, &content, &server.url);
    let error = fetched(&set, &to(&here)).0.unwrap_err();
    assert!(matches!(error, FetchError::WrongSize { got, .. } if got > 200_000 && got < 300_000), "{error}");
    assert_eq!(here.names().len(), 0);
}

#[test]
fn a_length_that_is_not_told_is_no_hindrance() {
    let (here, (file, content)) = (Folder::new("unmeasured"), file());
    let copy = file.clone();
    let server = Server::new(move |_, n| match n {
        0 => Answer::unmeasured(&copy).cut(9_000),
        _ => Answer::unmeasured(&copy),
    });
    fetched(&one_file(&file, &content, &server.url), &to(&here)).0.unwrap();
    assert_eq!(here.read("x.gz"), file);
}

#[test]
fn the_same_content_under_another_compression_will_do() {
    let (here, content) = (Folder::new("other"), [noise(50_000, 1), vec![0; 50_000]].concat());
    let (file, other) = (gzip(&content, 9), gzip(&content, 1));
    assert_ne!(file.len(), other.len());
    let copy = other.clone();
    let server = Server::new(move |a, _| Answer::file(&copy, a));
    let set = one_file(&file, &content, &server.url);
    fetched(&set, &to(&here)).0.unwrap();
    assert_eq!(here.read("x.gz"), other);
    assert_eq!(fetched(&set, &to(&here)).0.unwrap().files, [("x.gz", true)]);
}

#[test]
fn redirects_are_followed_with_their_ranges() {
    let (here, (file, content)) = (Folder::new("redirect"), file());
    here.write("x.gz.part", &file[..5_000]);
    let copy = file.clone();
    let server = Server::new(move |a, _| match a.path.as_str() {
        "/x.gz" => Answer::status(302).header("location: /elsewhere/x"),
        _ => Answer::file(&copy, a),
    });
    let got = fetched(&one_file(&file, &content, &server.url), &to(&here)).0.unwrap();
    assert_eq!((got.transferred, here.read("x.gz")), (file.len() as u64 - 5_000, file));
    let circle = Server::new(|_, _| Answer::status(302).header("location: /x.gz"));
    let here = Folder::new("circle");
    let error = fetched(&one_file(b"x", &content, &circle.url), &to(&here)).0.unwrap_err();
    assert!(matches!(error, FetchError::Failed { .. }), "{error}");
}

#[test]
fn the_next_address_is_tried() {
    let (here, (file, content)) = (Folder::new("mirrors"), file());
    let copy = file.clone();
    let good = Server::new(move |a, _| Answer::file(&copy, a));
    let missing = Server::new(|_, _| Answer::status(404));
    let wrong = Server::new(|_, _| Answer::whole(&noise(100_000, 5)));
    let mut set = one_file(&file, &content, &good.url);
    let addresses = [nobody(), missing.url.clone(), wrong.url.clone(), good.url.clone()];
    set.addresses = addresses.map(|a| &*a.leak()).to_vec().leak();
    let (got, notes) = fetched(&set, &to(&here));
    got.unwrap();
    assert_eq!((here.names(), here.read("x.gz")), (vec!["x.gz".to_string()], file));
    assert!(notes[0].starts_with("cannot be reached: "), "{notes:?}");
    assert_eq!(notes[1], "the server answered 404");
    assert_eq!([&missing, &wrong, &good].map(|s| s.asked().len()), [1, 1, 1]);
}

#[test]
fn what_will_not_pass_is_not_tried_again() {
    let (here, (file, content)) = (Folder::new("404"), file());
    let server = Server::new(|_, _| Answer::status(404));
    let error = fetched(&one_file(&file, &content, &server.url), &to(&here)).0.unwrap_err();
    assert_eq!(error.to_string(), format!("the server answered 404: {}/x.gz", server.url));
    assert_eq!((server.asked().len(), here.names().len()), (1, 0));
    let server = Server::new(|_, _| Answer::status(500));
    let error = fetched(&one_file(&file, &content, &server.url), &to(&here)).0.unwrap_err();
    assert!(matches!(error, FetchError::Status { status: 500, .. }));
    assert_eq!((server.asked().len(), here.names().len()), (4, 0));
}

#[test]
fn a_silent_server_is_given_up() {
    let (here, (file, content)) = (Folder::new("silent"), file());
    let copy = file.clone();
    let server = Server::new(move |a, n| match n {
        0 => Answer::file(&copy, a).cut(2_000).silent(Duration::from_millis(800)),
        _ => Answer::file(&copy, a),
    });
    let (got, notes) = fetched(&one_file(&file, &content, &server.url), &to(&here));
    got.unwrap();
    let n = file.len();
    assert_eq!(notes[1], format!("the download stopped after 2000 of {n} bytes: no answer in time"));
    assert_eq!((server.asked()[1].from, here.read("x.gz")), (Some(2_000), file));
}

#[test]
fn without_a_network_it_says_what_to_do() {
    let (here, (file, content)) = (Folder::new("offline"), file());
    let url = nobody();
    let mut set = one_file(&file, &content, &url);
    set.package = Some(fetch::Package { name: "dataset-test", folder: "no/such/folder" });
    let error = fetched(&set, &to(&here)).0.unwrap_err();
    assert!(matches!(error, FetchError::NoNetwork { .. }), "{error}");
    let folder = here.0.display();
    let expected = format!(
        "the Debian package `dataset-test` has it; or, if there is no network here,\n\
         \x20 1. download elsewhere:\n       {url}/x.gz\n  2. copy to: {folder}\n  3. fetch it again, which checks the files"
    );
    assert_eq!((error.hint(), here.names().len()), (expected, 0));
    // What was copied there is taken, once it is checked.
    here.write("x.gz", &file);
    fetched(&set, &to(&here)).0.unwrap();
}

#[test]
fn other_files_are_left_alone() {
    let (here, (file, content)) = (Folder::new("exists"), file());
    here.write("x.gz", b"my thesis");
    let copy = file.clone();
    let server = Server::new(move |a, _| Answer::file(&copy, a));
    let set = one_file(&file, &content, &server.url);
    let error = fetched(&set, &to(&here)).0.unwrap_err();
    assert!(matches!(error, FetchError::Exists { .. }), "{error}");
    assert_eq!((here.read("x.gz"), server.asked().len()), (b"my thesis".to_vec(), 0));
    fetched(&set, &FetchOptions { force: true, ..to(&here) }).0.unwrap();
    assert_eq!(here.read("x.gz"), file);
}

#[test]
fn two_processes_do_not_write_one_file() {
    let (here, (file, content)) = (Folder::new("busy"), file());
    here.write("x.gz.part", &file[..100]);
    let other = fs::File::open(here.path("x.gz.part")).unwrap();
    other.lock().unwrap();
    let server = Server::new(|_, _| Answer::status(404));
    let error = fetched(&one_file(&file, &content, &server.url), &to(&here)).0.unwrap_err();
    assert!(matches!(error, FetchError::Busy { .. }), "{error}");
    assert_eq!((server.asked().len(), here.read("x.gz.part").len()), (0, 100));
}

#[test]
fn a_folder_is_a_source_too() {
    let (here, there, (file, content)) = (Folder::new("here"), Folder::new("there"), file());
    let set = one_file(&file, &content, &nobody());
    let from = Some(Source::parse(there.0.to_str().unwrap()).unwrap());
    let options = FetchOptions { from, ..to(&here) };
    let error = fetched(&set, &options).0.unwrap_err();
    assert!(matches!(error, FetchError::File { action: "read", .. }), "{error}");
    there.write("x.gz", &file);
    here.write("x.gz.part", &file[..5_000]);
    assert_eq!(fetched(&set, &options).0.unwrap().transferred, file.len() as u64 - 5_000);
    assert_eq!((here.read("x.gz"), there.read("x.gz")), (file.clone(), file));
}
