//! Archives: what is taken out of good ones, and what is refused of bad ones.

use fetch::Size;
use tar::{Builder, EntryType, Header};

use super::server::{Answer, Server, nobody};
use super::*;

/// An entry: its path as raw bytes, its type, its link's target, what it holds.
type Entry<'a> = (&'a str, EntryType, &'a str, &'a [u8]);

/// An archive with exactly these entries, however wrong their paths are.
fn archive(entries: &[Entry]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (path, kind, link, content) in entries {
        let mut header = Header::new_gnu();
        let raw = header.as_old_mut();
        raw.name[..path.len()].copy_from_slice(path.as_bytes());
        raw.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        header.set_cksum();
        builder.append(&header, *content).unwrap();
    }
    gzip(&builder.into_inner().unwrap(), 6)
}

const FILE: EntryType = EntryType::Regular;
const FOLDER: EntryType = EntryType::Directory;

/// `set/one` of three bytes and `set/two` of at most five.
fn members() -> Vec<Member> {
    vec![
        Member { name: "one", size: Size::Exactly(3), sha256: Some(sha256(b"abc")) },
        Member { name: "two", size: Size::AtMost(5), sha256: None },
    ]
}

fn good() -> Vec<u8> {
    archive(&[
        ("set/", FOLDER, "", b""),
        ("set/one", FILE, "", b"abc"),
        ("set/readme.html", FILE, "", b"not needed"),
        ("./set/two", FILE, "", b"de"),
    ])
}

#[test]
fn the_expected_files_are_taken_out() {
    let (here, file) = (Folder::new("unpack"), good());
    let copy = file.clone();
    let server = Server::new(move |a, n| match n {
        0 => Answer::file(&copy, a).cut(100),
        _ => Answer::file(&copy, a),
    });
    let set = one_archive(&file, "set", &members(), &server.url);
    let (got, notes) = fetched(&set, &to(&here));
    let got = got.unwrap();
    assert_eq!((got.open, got.files), (here.path("set"), vec![("a.tar.gz", false)]));
    assert_eq!(notes.last().map(String::as_str), Some("unpack a.tar.gz"));
    assert_eq!(here.names(), ["set/", "set/one", "set/two"]);
    assert_eq!((here.read("set/one"), here.read("set/two")), (b"abc".to_vec(), b"de".to_vec()));
    let again = fetched(&set, &to(&here)).0.unwrap();
    assert_eq!((again.files, server.asked().len()), (vec![("a.tar.gz", true)], 2));
}

#[test]
fn a_folder_in_the_way_is_replaced_only_when_told() {
    let (here, file) = (Folder::new("folder"), good());
    let copy = file.clone();
    let server = Server::new(move |a, _| Answer::file(&copy, a));
    let set = one_archive(&file, "set", &members(), &server.url);
    here.write("set/one", b"xyz");
    here.write("set/mine", b"mine");
    let error = fetched(&set, &to(&here)).0.unwrap_err();
    assert!(matches!(error, FetchError::Exists { .. }), "{error}");
    assert_eq!((here.read("set/one"), server.asked().len()), (b"xyz".to_vec(), 0));
    // What a killed process left is no hindrance.
    here.write(".set.partial/one", b"ab");
    here.write(".set.old/one", b"old");
    fetched(&set, &FetchOptions { force: true, ..to(&here) }).0.unwrap();
    assert_eq!(here.names(), ["set/", "set/one", "set/two"]);
}

#[test]
fn an_archive_that_was_copied_there_is_unpacked() {
    let (here, file) = (Folder::new("copied"), good());
    here.write("a.tar.gz", &file);
    let set = one_archive(&file, "set", &members(), &nobody());
    assert_eq!(fetched(&set, &to(&here)).0.unwrap().transferred, 0);
    assert_eq!(here.names(), ["set/", "set/one", "set/two"]);
}

/// The digest of each is right, so only the unpacking stands between the archive and the disk.
#[test]
fn archives_that_reach_outside_are_refused() {
    let one: Entry = ("set/one", FILE, "", b"abc");
    let two: Entry = ("set/two", FILE, "", b"de");
    let link = EntryType::Symlink;
    let cases: [(&str, Entry, &str); 12] = [
        ("climbs", ("../evil", FILE, "", b"x"), "`../evil` leads out of its folder"),
        ("climbs inside", ("set/../../evil", FILE, "", b"x"), "`set/../../evil` leads out of its folder"),
        ("absolute", ("/tmp/evil", FILE, "", b"x"), "`/tmp/evil` is an absolute path"),
        ("climbing folder", ("set/../..", FOLDER, "", b""), "`set/../..` leads out of its folder"),
        ("link", ("set/link", link, "/etc/passwd", b""), "`set/link` is a link"),
        ("linked folder", ("set", link, "/tmp", b""), "`set` is a link"),
        ("hard link", ("set/two", EntryType::Link, "/etc/passwd", b""), "`set/two` is a link"),
        ("device", ("set/dev", EntryType::Char, "", b""), "`set/dev` is neither a file nor a folder"),
        ("pipe", ("set/pipe", EntryType::Fifo, "", b""), "`set/pipe` is neither a file nor a folder"),
        ("twice", ("set/one", FILE, "", b"abd"), "`set/one` is there twice"),
        ("long", ("set/two", FILE, "", b"123456"), "`set/two` has 6 bytes, expected 5"),
        ("empty", ("set/two", FILE, "", b""), "`set/two` has 0 bytes, expected 5"),
    ];
    for (name, bad, text) in cases {
        let outer = Folder::new(&format!("bad-{}", name.replace(' ', "-")));
        let here = Folder(outer.path("inner"));
        here.write("a.tar.gz", &archive(&[one, bad, two]));
        let set = one_archive(&here.read("a.tar.gz"), "set", &members(), &nobody());
        let error = fetched(&set, &to(&here)).0.unwrap_err();
        assert!(matches!(error, FetchError::Archive { .. }), "{name}: {error}");
        assert!(
            error.to_string().starts_with(&format!("the archive is refused: {text}: ")),
            "{name}: {error}"
        );
        assert_eq!(outer.names(), ["inner/", "inner/a.tar.gz"], "{name}");
    }
}

#[test]
fn incomplete_and_damaged_archives_are_refused() {
    let bytes = good();
    let mut flipped = bytes.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let cases = [
        ("missing", archive(&[("set/one", FILE, "", b"abc")]), "`set/two` is missing"),
        ("elsewhere", archive(&[("other/one", FILE, "", b"abc")]), "`set/one` is missing"),
        ("cut", bytes[..bytes.len() / 2].to_vec(), "`"),
        ("no gzip", noise(500, 1), "`"),
    ];
    for (name, file, text) in cases {
        let here = Folder::new(&format!("broken-{}", name.replace(' ', "-")));
        here.write("a.tar.gz", &file);
        let error = fetched(&one_archive(&file, "set", &members(), &nobody()), &to(&here)).0.unwrap_err();
        assert!(error.to_string().starts_with(&format!("the archive is refused: {text}")), "{name}: {error}");
        assert_eq!(here.names(), ["a.tar.gz"], "{name}");
    }
}

/// 64 MB of zeros are 64 kB; they are neither written nor read to the end.
#[test]
fn an_archive_that_swells_is_refused() {
    let here = Folder::new("bomb");
    let zeros = vec![0; 64 << 20];
    let file = archive(&[
        ("set/other", FILE, "", &zeros),
        ("set/one", FILE, "", b"abc"),
        ("set/two", FILE, "", b"de"),
    ]);
    assert!(file.len() < 100_000);
    here.write("a.tar.gz", &file);
    let error = fetched(&one_archive(&file, "set", &members(), &nobody()), &to(&here)).0.unwrap_err();
    assert!(matches!(error, FetchError::Archive { .. }), "{error}");
    assert_eq!(here.names(), ["a.tar.gz"]);
}

/// Whoever comes second is told to wait or finds the work done; nobody takes away what the other writes.
#[test]
fn two_fetches_at_once_do_not_disturb_each_other() {
    let big = noise(2 << 20, 5);
    let members =
        vec![Member { name: "one", size: Size::Exactly(big.len() as u64), sha256: Some(sha256(&big)) }];
    let file = archive(&[("set/one", FILE, "", &big)]);
    for round in 0..8 {
        let here = Folder::new(&format!("both-{round}"));
        here.write("a.tar.gz", &file);
        let set = one_archive(&file, "set", &members, &nobody());
        let set = &set;
        let results = std::thread::scope(|scope| {
            let both = [0, 1].map(|_| scope.spawn(|| fetched(set, &to(&here)).0));
            both.map(|one| one.join().unwrap())
        });
        assert!(results.iter().any(Result::is_ok), "{results:?}");
        for error in results.into_iter().filter_map(Result::err) {
            assert!(matches!(error, FetchError::Busy { .. }), "{error}");
        }
        assert_eq!(
            (here.names(), here.read("set/one")),
            (vec!["set/".into(), "set/one".into()], big.clone())
        );
    }
}

/// Names that can be guessed are not written through where somebody put a link there.
#[cfg(unix)]
#[test]
fn links_beside_the_target_lead_nowhere() {
    use std::os::unix::fs::symlink;
    let (here, other, file) = (Folder::new("links"), Folder::new("links-other"), good());
    other.write("victim", b"precious");
    for name in [".set.partial", ".set.old"] {
        symlink(&other.0, here.path(name)).unwrap();
    }
    symlink(other.path("victim"), here.path("a.tar.gz.part")).unwrap();
    let copy = file.clone();
    let server = Server::new(move |a, _| Answer::file(&copy, a));
    let set = one_archive(&file, "set", &members(), &server.url);
    let error = fetched(&set, &to(&here)).0.unwrap_err();
    assert!(error.to_string().starts_with("cannot write: it is a symbolic link: "), "{error}");
    fs::remove_file(here.path("a.tar.gz.part")).unwrap();
    fetched(&set, &to(&here)).0.unwrap();
    assert_eq!((here.read("set/one"), other.names()), (b"abc".to_vec(), vec!["victim".to_string()]));
    assert_eq!(other.read("victim"), b"precious");
}
