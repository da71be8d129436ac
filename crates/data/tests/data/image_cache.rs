//! The cache of decoded images: used when it may be, made again when it is damaged or out of date.

use super::images::flat;
use super::*;

/// Images whose pixels are worth a cache file: 1.2 MB, one of them unreadable.
fn many(folder: &Folder) -> (DataOptions, PathBuf) {
    (0..100).for_each(|i| {
        folder.put(&format!("set/{}/{i:02}.png", ["a", "b"][i % 2]), flat([64, 64], 3, i as u8))
    });
    folder.put("set/a/broken.png", "");
    let cache = folder.0.join("cache");
    (DataOptions { cache: Some(cache.clone()), ..DataOptions::default() }, cache)
}

fn is_mapped(set: &Dataset) -> bool {
    matches!(&set.inputs, Values::Rows(rows) if !rows.are_streamed())
}

/// The one file of the cache.
fn only(cache: &Path) -> PathBuf {
    let mut files = fs::read_dir(cache).expect("the cache").flatten();
    let file = files.next().expect("a file").path();
    assert!(files.next().is_none(), "one file and nothing temporary");
    file
}

const BROKEN: &str = "1 of 101 images cannot be read and were left out: a/broken.png (empty)";

#[test]
fn decoded_images_are_kept_and_mapped() {
    let folder = Folder::new("cached");
    let (options, cache) = many(&folder);
    let source = folder.path("set");
    let plain = open(&source);
    let first = open_with(&source, &options);
    assert!(!is_mapped(&plain) && is_mapped(&first));
    assert_eq!(first, plain);
    let file = only(&cache);
    let written = fs::metadata(&file).expect("a file").modified().expect("a time");
    // What was decoded is used again: sources that cannot be decoded any more do not matter while they look the same.
    let again = open_with(&source, &options);
    assert_eq!((&again, &again.warnings[..]), (&plain, &[BROKEN.to_string()][..]));
    assert_eq!(fs::metadata(&file).expect("a file").modified().expect("a time"), written);
    let other = open_with(&source, &DataOptions { size: vec![60], ..options.clone() });
    assert_eq!(
        (other.input_shape.clone(), fs::read_dir(&cache).expect("the cache").count()),
        (vec![60, 60, 3], 2)
    );
    // Where nothing can be written, everything works as without.
    folder.write("wall", "x");
    let nowhere = DataOptions { cache: Some(folder.0.join("wall")), ..DataOptions::default() };
    assert_eq!(open_with(&source, &nowhere), plain);
}

#[test]
fn a_damaged_cache_is_never_trusted() {
    let folder = Folder::new("poisoned");
    let (options, cache) = many(&folder);
    let source = folder.path("set");
    let plain = open_with(&source, &options);
    let file = only(&cache);
    let good = fs::read(&file).expect("the cache");
    let damage: [fn(&mut Vec<u8>); 6] = [
        |f| f[0] ^= 1,
        |f| f[30] ^= 1,
        |f| *f.last_mut().unwrap() ^= 1,
        |f| f.truncate(f.len() / 2),
        |f| f.push(0),
        |f| f.clear(),
    ];
    for (i, damage) in damage.iter().enumerate() {
        // A new file, as the old one is mapped.
        let mut bad = good.clone();
        damage(&mut bad);
        fs::remove_file(&file).expect("the cache");
        fs::write(&file, &bad).expect("the cache");
        let set = open_with(&source, &options);
        assert_eq!(set.inputs, plain.inputs, "damage {i}");
        assert_eq!(set.notes[..], ["the cache of decoded images was damaged: decoded again"], "damage {i}");
        assert_eq!(fs::read(only(&cache)).expect("the cache"), good, "damage {i}");
    }
}

/// Pixels are checked where they are looked at, not at every start.
#[test]
fn a_damaged_block_is_told_when_it_is_read() {
    let folder = Folder::new("poisoned-block");
    let (options, cache) = many(&folder);
    let source = folder.path("set");
    let plain = open(&source);
    drop(open_with(&source, &options));
    let file = only(&cache);
    let mut bad = fs::read(&file).expect("the cache");
    bad[4096 + 70 * 64 * 64 * 3] ^= 1;
    fs::write(&file, &bad).expect("the cache");
    let set = open_with(&source, &options);
    assert!(set.notes.is_empty() && set.identities() == plain.identities());
    let mut out = vec![0.0; set.n_inputs()];
    set.gather(&[9], &Affine::identity(), &mut out).unwrap();
    let error = set.gather(&[70], &Affine::identity(), &mut out).unwrap_err();
    assert_eq!(error.to_string(), format!("block 8 of 10 is damaged: {}", file.display()));
    assert_eq!(error.hint(), "the file was deleted: run it again, and it is written anew");
    assert!(!file.exists());
    assert_eq!(open_with(&source, &options), plain);
}

#[test]
fn an_outdated_cache_is_made_again() {
    let folder = Folder::new("outdated");
    let (options, _) = many(&folder);
    let source = folder.path("set");
    let read = || open_with(&source, &options);
    let pixel = |set: &Dataset, i: u32| {
        let mut out = vec![0.0; set.n_inputs()];
        set.gather(&[i], &Affine::identity(), &mut out).unwrap();
        (out[0] * 255.0).round() as u8
    };
    assert_eq!((read().len(), read().warnings.len()), (100, 1));
    let out_of_date =
        |n: &str| format!("the cache of decoded images was out of date ({n} changed): decoded again");
    let touch = |name: &str, content: Vec<u8>| {
        let before = fs::metadata(folder.path(name)).ok();
        folder.put(name, content);
        let file = fs::File::options().write(true).open(folder.path(name)).expect("a file");
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
        file.set_modified(later).expect("a time");
        before.map(|b| b.len()) == fs::metadata(folder.path(name)).ok().map(|b| b.len())
    };
    assert!(touch("set/a/10.png", flat([64, 64], 3, 12)), "of the same length");
    let set = read();
    assert_eq!((pixel(&set, 5), set.notes[..].to_vec()), (12, vec![out_of_date("1 file")]));
    // Only the time differs: the content's hash decides, and nothing is decoded.
    touch("set/a/10.png", flat([64, 64], 3, 12));
    assert_eq!((pixel(&read(), 5), read().warnings.len()), (12, 1));
    folder.put("set/c/1.png", flat([64, 64], 3, 77));
    fs::remove_file(folder.path("set/a/02.png")).expect("written above");
    let set = read();
    assert_eq!((set.len(), pixel(&set, 1), pixel(&set, 99)), (100, 4, 77));
    assert_eq!((classes(&set), set.notes[..].to_vec()), (vec!["a", "b", "c"], vec![out_of_date("2 files")]));
    // A file that could not be read is looked at again.
    folder.put("set/a/broken.png", flat([64, 64], 3, 1));
    assert_eq!(read().len(), 101);
    assert_eq!(read().warnings, Vec::<String>::new());
}

#[test]
fn runs_at_the_same_time_do_not_disturb_each_other() {
    let folder = Folder::new("together");
    let (options, cache) = many(&folder);
    let source = folder.path("set");
    let plain = open(&source);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let set = open_with(&source, &options);
                    assert_eq!((&set.inputs, &set.warnings[..]), (&plain.inputs, &[BROKEN.to_string()][..]));
                    let _ = fs::remove_dir_all(&cache);
                }
            });
        }
    });
    open_with(&source, &options);
    only(&cache);
}
