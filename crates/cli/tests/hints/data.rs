//! Hints about data.

use std::path::Path;

use super::{Case, RUN, case, table, write};

/// An array of 32-bit floats as NPY; `kind` is its type there.
fn npy(kind: &str, shape: &[usize], values: &[f32]) -> Vec<u8> {
    let shape: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let head = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}");
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    let padded = format!("{head:<117}\n");
    out.extend((padded.len() as u16).to_le_bytes());
    out.extend(padded.into_bytes());
    out.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    out
}

/// Forty samples of two numbers, and their targets.
fn arrays(here: &Path) {
    let x: Vec<f32> = (0..80).map(|i| (i % 13) as f32).collect();
    write(here, "x.npy", npy("<f4", &[40, 2], &x));
    write(here, "y.npy", npy("<f4", &[40], &x[..40]));
}

/// Forty samples as JSON lines.
fn json_lines() -> String {
    (0..40).map(|i| format!("{{\"x\": {i}.5, \"class\": \"{}\"}}\n", ["u", "v"][i % 2])).collect()
}

fn with(here: &Path, first: f32) {
    arrays(here);
    let mut x: Vec<f32> = (0..80).map(|i| (i % 13) as f32).collect();
    x[0] = first;
    write(here, "x.npy", npy("<f4", &[40, 2], &x));
}

/// Puts the whole file where a spoiled one is.
fn copied_again(here: &Path, _: &[String]) {
    arrays(here);
    write(here, "t2.csv", std::fs::read(here.join("t.csv")).unwrap());
}

/// Eighty rows with weights, one of which is this.
fn weights(here: &Path, odd: &str) {
    let row = |i: usize| {
        let weight = if i == 5 { odd.to_owned() } else { format!("{}.5", i % 3) };
        format!("{i}.5,{weight},{},{}", ["p", "q"][i / 2 % 2], ["u", "v"][i % 2])
    };
    table(here, "t2.csv", "x,w,kind,class", 80, row);
}

const ARRAYS: &str = "thalweg data=x.npy model=mlp-4 batch=16 steps=1 -q";
/// Arrays through the cache.
const STREAMED: &str = "thalweg data=x.npy data.stream=true model=mlp-4 batch=16 steps=1 -q";
const TABLE: &str = "thalweg data=t2.csv model=mlp-4 batch=16 steps=1 -q";
/// A picture in each of two class folders.
const IMAGES: &str = "mkdir -p p/a p/b && for c in a b; do for i in 1 2 3 4 5 6; do thalweg data preview digits --out p/$c/$i.png --samples 1 -q; done; done";

pub const CASES: &[Case] = &[
    case("files.BadRecord", "thalweg data=t.jsonl model=mlp-4 batch=16 steps=1 -q", "thalweg data=t.jsonl model=mlp-4 batch=16 steps=1 -q")
        .setup(|here| write(here, "t.jsonl", format!("{}{{\"x\": 1, \n", json_lines())))
        .by_hand(|here, _| write(here, "t.jsonl", json_lines())),
    case("files.NoMatch", "thalweg 'data=none/*.csv'", "thalweg 'data=*.csv' model=mlp-4 batch=16 steps=1 -q"),
    case("files.Twice", "thalweg data=t.csv,t.csv", "thalweg data=t.csv model=mlp-4 batch=16 steps=1 -q"),
    case("files.ColumnsDiffer", "thalweg data=t.csv,t2.csv", "thalweg data=t.csv,t2.csv model=mlp-4 batch=16 steps=1 -q")
        .setup(|here| table(here, "t2.csv", "x,w,class,more", 60, |i| format!("{i},{},{},1", i % 7, ["u", "v"][i % 2])))
        .by_hand(|here, _| table(here, "t2.csv", "x,w,class", 60, |i| format!("{i},{},{}", i % 7, ["u", "v"][i % 2]))),
    case("data.Columns", "thalweg data=t2.csv model=mlp-4 batch=16 steps=1 -q data.weight=w", "thalweg data=t2.csv model=mlp-4 batch=16 steps=1 -q data.weight=w {0}")
        .setup(|here| weights(here, "-1.5")),
    case("data.Columns", "thalweg data=t2.csv model=mlp-4 batch=16 steps=1 -q data.weight=w", "thalweg data=t2.csv model=mlp-4 batch=16 steps=1 -q data.weight=w {0}")
        .setup(|here| weights(here, "NA")),
    case("data.Columns", "thalweg data=t2.csv model=mlp-4 batch=16 steps=1 -q data.weight=w", "thalweg data=t2.csv model=mlp-4 batch=16 steps=1 -q data.weight=w {0}")
        .setup(|here| weights(here, "inf")),
    case("data.Columns", "thalweg data=t2.csv model=mlp-4 batch=16 steps=1 -q data.weight=w", "thalweg data=t2.csv model=mlp-4 batch=16 steps=1 -q data.weight=w {0}")
        .setup(|here| weights(here, "light")),
    case("data.Columns", "thalweg data=t2.csv model=mlp-4 batch=16 steps=1 -q data.weight=kind", "thalweg data=t2.csv model=mlp-4 batch=16 steps=1 -q data.weight=w")
        .setup(|here| weights(here, "2"))
        .by_hand(|_, quoted| assert_eq!(quoted, ["data.weight=NAME"])),
    case("data.BadOption", "thalweg data=t2.csv model=mlp-4 batch=16 steps=1 -q data.weight=w data.drop=w", "thalweg data=t2.csv model=mlp-4 batch=16 steps=1 -q data.drop=w")
        .setup(|here| weights(here, "2"))
        .by_hand(|_, quoted| assert_eq!(quoted, ["data.weight"])),
    case("data.NoColumn", "thalweg data=t2.csv model=mlp-4 batch=16 steps=1 -q 'data.scale={ww=2}'", "thalweg data=t2.csv model=mlp-4 batch=16 steps=1 -q 'data.scale={{0}=2}'")
        .setup(|here| weights(here, "2"))
        .by_hand(|_, quoted| assert_eq!(quoted, ["w"])),
    case("data.BadOption", "thalweg data=t2.csv model=mlp-4 batch=16 steps=1 -q 'data.scale={w=0}'", "thalweg data=t2.csv model=mlp-4 batch=16 steps=1 -q 'data.scale={w=0.5}'")
        .setup(|here| weights(here, "2"))
        .by_hand(|_, quoted| assert_eq!(quoted, ["data.scale"])),
    case("data.BadOption", "thalweg data=t2.csv model=mlp-4 batch=16 steps=1 -q 'data.scale={kind=2}'", "thalweg data=t2.csv model=mlp-4 batch=16 steps=1 -q")
        .setup(|here| weights(here, "2"))
        .by_hand(|_, quoted| assert_eq!(quoted, ["data.scale"])),
    case("data.UnknownSource", "thalweg data=digitz", "thalweg data={0} model=mlp-4 steps=1 -q && {1}"),
    case("data.UnknownSource", "thalweg data=qqqqq", "{0}"),
    case("data.Augment", "thalweg augment=flip data=xor", "thalweg {0} data=xor model=mlp-4 steps=1 -q && {1}"),
    case("data.BadOption", "thalweg data.classes=4 data=xor", "thalweg data=xor model=mlp-4 steps=1 -q"),
    case("data.BadOption", "thalweg data.folds=1000 data=t.csv batch=16", "thalweg {0} data=t.csv model=mlp-4 batch=16 steps=1 -q"),
    case("data.Split", "thalweg data=t.csv data.valid=0.9 data.test=0.9", "thalweg data=t.csv {0} model=mlp-4 batch=16 steps=1 -q"),
    case("data.NoColumn", "thalweg data=t.csv data.target=clas", "thalweg data=t.csv data.target={0} model=mlp-4 batch=16 steps=1 -q"),
    case("data.NoColumn", "thalweg data=t.csv data.target=zzzzzz", "thalweg data=t.csv data.target={2} model=mlp-4 batch=16 steps=1 -q"),
    case("data.NoInputs", "thalweg data=t.csv data.drop=x,w", "thalweg data=t.csv data.drop=x model=mlp-4 batch=16 steps=1 -q"),
    case("data.UnknownClass", "thalweg eval r data=other.csv", "thalweg eval r data=other.csv")
        .before(RUN)
        .setup(|here| write(here, "other.csv", "x,w,class\n1,2.5,u\n2,3.5,uu\n"))
        .by_hand(|here, quoted| write(here, "other.csv", format!("x,w,class\n1,2.5,u\n2,3.5,{}\n", quoted[0]))),
    case("data.Empty", TABLE, TABLE).setup(|here| write(here, "t2.csv", "")).by_hand(copied_again),
    case("data.NoSamples", TABLE, TABLE).setup(|here| write(here, "t2.csv", "x,w,class\n")).by_hand(copied_again),
    case("data.Ragged", "thalweg eval r data=other.csv", "thalweg eval r data=other.csv")
        .before(RUN)
        .setup(|here| write(here, "other.csv", "1,2,3,4,5\n2,3,4,5,6\n"))
        .by_hand(|here, _| write(here, "other.csv", "x,w,class\n1,2.5,u\n2,3.5,v\n")),
    case("data.OddLines", TABLE, "thalweg data=t2.csv {0} model=mlp-4 batch=16 steps=1 -q")
        .setup(|here| table(here, "t2.csv", "x,w,class", 60, |i| match i {
            59 => "Total,60".into(),
            _ => format!("{i}.5,{},{}", i % 7, ["u", "v"][i % 2]),
        })),
    case("data.OddLines", TABLE, "thalweg data=t2.csv {0} model=mlp-4 batch=16 steps=1 -q")
        .setup(|here| table(here, "t2.csv", "Measured in May\nby hand\nx,w,class", 60, |i| {
            format!("{i}.5,{},{}", i % 7, ["u", "v"][i % 2])
        })),
    case("data.OpenQuote", TABLE, TABLE)
        .setup(|here| table(here, "t2.csv", "x,w,class", 60, |i| match i {
            9 => "9.5,\"3,u".into(),
            _ => format!("{i}.5,{},{}", i % 7, ["u", "v"][i % 2]),
        }))
        .by_hand(copied_again),
    case("data.Columns", TABLE, "thalweg data=t2.csv {0} model=mlp-4 batch=16 steps=1 -q")
        .setup(|here| table(here, "t2.csv", "x;w;class", 60, |i| format!("{},{};{};{}", 1 + i % 9, 100 + i, i % 7, ["u", "v"][i % 2]))),
    case("data.Columns", TABLE, "thalweg data=t2.csv {1} model=mlp-4 batch=16 steps=1 -q")
        .setup(|here| table(here, "t2.csv", "x;w;class", 60, |i| format!("{},{};{};{}", 1 + i % 9, 100 + i, i % 7, ["u", "v"][i % 2]))),
    case("data.Columns", TABLE, "thalweg data=t2.csv {0} model=mlp-4 batch=16 steps=1 -q")
        .setup(|here| table(here, "t2.csv", "x,w,class", 60, |i| match i % 20 {
            7 => format!("{i}.5,tbd,{}", ["u", "v"][i % 2]),
            _ => format!("{i}.5,{i}.25,{}", ["u", "v"][i % 2]),
        })),
    case("data.Columns", TABLE, "thalweg data=t2.csv {0} model=mlp-4 batch=16 steps=1 -q")
        .setup(|here| table(here, "t2.csv", "x,w,class", 60, |i| match i {
            0 => "m,kg,-".into(),
            _ => format!("{i}.5,{i}.25,{}", ["u", "v"][i % 2]),
        })),
    case("data.Columns", TABLE, "thalweg data=t2.csv {0} model=mlp-4 batch=16 steps=1 -q")
        .setup(|here| table(here, "t2.csv", "x,day,class", 60, |i| format!("{i}.5,{:02}/{:02}/2025,{}", 1 + i % 12, 1 + i % 11, ["u", "v"][i % 2]))),
    case("data.Columns", TABLE, "thalweg data=t2.csv {1} model=mlp-4 batch=16 steps=1 -q")
        .setup(|here| table(here, "t2.csv", "x,w,class", 60, |i| format!("{i}.5,{},k{}", i % 7, i % 30))),
    case("data.Columns", TABLE, "thalweg data=t2.csv {0} model=mlp-4 batch=16 steps=1 -q")
        .setup(|here| table(here, "t2.csv", "x,share,class", 60, |i| format!("{i}.5,{}{},{}", i % 7, ["%", ""][i % 2], ["u", "v"][i % 3 % 2]))),
    case("data.TargetsUnclear", ARRAYS, "thalweg data=x.npy {1} model=mlp-4 batch=16 steps=1 -q").setup(|here| {
        arrays(here);
        write(here, "y.npy", npy("<i4", &[40], &(0..40).map(f32::from_bits).collect::<Vec<_>>()));
    }),
    case("data.MissingValue", TABLE, TABLE)
        .setup(|here| table(here, "t2.csv", "x,w,class", 60, |i| format!("{i},{},{}", i % 7, ["u", "v", ""][if i == 30 { 2 } else { i % 2 }])))
        .by_hand(copied_again),
    case("data.Truncated", ARRAYS, ARRAYS)
        .setup(|here| {
            arrays(here);
            let bytes = std::fs::read(here.join("x.npy")).unwrap();
            write(here, "x.npy", &bytes[..bytes.len() - 9]);
        })
        .by_hand(copied_again),
    case("data.TooLong", ARRAYS, ARRAYS)
        .setup(|here| {
            arrays(here);
            let mut bytes = std::fs::read(here.join("x.npy")).unwrap();
            bytes.extend([0; 9]);
            write(here, "x.npy", bytes);
        })
        .by_hand(copied_again),
    case("data.BreaksOff", "thalweg data=t3.csv.gz", "thalweg data=t3.csv.gz model=mlp-4 batch=16 steps=1 -q")
        .before("gzip -c t.csv > whole.gz && head -c 60 whole.gz > t3.csv.gz")
        .by_hand(|here, _| {
            std::fs::copy(here.join("whole.gz"), here.join("t3.csv.gz")).unwrap();
        }),
    case("data.Damaged", "thalweg data=t3.csv.gz", "thalweg data=t3.csv.gz model=mlp-4 batch=16 steps=1 -q")
        .before("gzip -c t.csv > whole.gz && head -c -8 whole.gz > t3.csv.gz && printf 12345678 >> t3.csv.gz")
        .by_hand(|here, _| {
            std::fs::copy(here.join("whole.gz"), here.join("t3.csv.gz")).unwrap();
        }),
    case("data.WrongMagic", ARRAYS, "thalweg data=x.csv model=mlp-4 batch=16 steps=1 -q")
        .setup(|here| write(here, "x.npy", std::fs::read(here.join("t.csv")).unwrap()))
        .by_hand(|here, _| std::fs::rename(here.join("x.npy"), here.join("x.csv")).unwrap()),
    case("data.UnknownFormat", "thalweg data=x.xyz", "thalweg data=x.csv model=mlp-4 batch=16 steps=1 -q")
        .setup(|here| write(here, "x.xyz", std::fs::read(here.join("t.csv")).unwrap()))
        .by_hand(|here, _| std::fs::rename(here.join("x.xyz"), here.join("x.csv")).unwrap()),
    case("data.Header", ARRAYS, ARRAYS)
        .setup(|here| {
            arrays(here);
            let text = String::from_utf8_lossy(&npy("<f4", &[40, 2], &[])).replace("shape", "shade").into_bytes();
            let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
            bytes.extend(&text[text.len() - 120..]);
            write(here, "x.npy", bytes);
        })
        .by_hand(copied_again),
    case("data.UnsupportedType", ARRAYS, ARRAYS)
        .setup(|here| {
            arrays(here);
            write(here, "x.npy", npy("<c8", &[40, 1], &[0.0; 80]));
        })
        .by_hand(copied_again),
    case("data.CountMismatch", ARRAYS, "thalweg data=x.npy data.target=right.npy model=mlp-4 batch=16 steps=1 -q")
        .setup(|here| {
            arrays(here);
            std::fs::rename(here.join("y.npy"), here.join("right.npy")).unwrap();
            write(here, "y.npy", npy("<f4", &[39], &[1.0; 39]));
        })
        .by_hand(|_, quoted| assert_eq!(quoted[0], "data.target=FILE")),
    case("cache.Write", "XDG_CACHE_HOME=$PWD/t.csv thalweg data=x.npy data.stream=true", "XDG_CACHE_HOME=$PWD/c thalweg data=x.npy data.stream=true steps=1 -q")
        .setup(arrays),
    case("cache.NoFolder", "env -u HOME -u XDG_CACHE_HOME thalweg data=x.npy data.stream=true", "XDG_CACHE_HOME=$PWD/c thalweg data=x.npy data.stream=true steps=1 -q")
        .setup(arrays),
    case("cache.Block", STREAMED, STREAMED)
        .setup(arrays)
        .before("thalweg data=x.npy data.stream=true model=mlp-4 batch=16 steps=1 -q && printf X | dd of=$(ls .cache/thalweg/data/rows-*) bs=1 seek=4100 conv=notrunc"),
    case("cache.Share", "thalweg data=t.csv data.stream=true data.memory=16MiB", "thalweg data=t.csv data.stream=true {0} model=mlp-4 batch=16 steps=1 -q")
        .setup(|here| {
            // one text is longer than the share of a line
            let text = |i: usize| if i == 9 { "x".repeat(5 << 20) } else { format!("text {i}") };
            let row = |i: usize| format!("{},{}.25,{i}.5\n", text(i), i % 7);
            write(here, "t.csv", format!("b,a,y\n{}", (0..40).map(row).collect::<String>()));
        }),
    case("cache.NotStreamed", "thalweg data=blobs data.n=200000 data.memory=1MiB", "thalweg data=blobs data.n=200000 {0} steps=1 -q"),
    case("data.NoTargets", ARRAYS, "thalweg data=x.npy data.target=right.npy model=mlp-4 batch=16 steps=1 -q")
        .setup(|here| {
            arrays(here);
            std::fs::rename(here.join("y.npy"), here.join("right.npy")).unwrap();
        })
        .by_hand(|_, quoted| assert_eq!(quoted[0], "data.target=FILE")),
    case("data.NotFinite", ARRAYS, "thalweg data=x.npy {0} model=mlp-4 batch=16 steps=1 -q").setup(|here| with(here, f32::NAN)),
    case("data.NotFinite", ARRAYS, "thalweg data=x.npy {0} model=mlp-4 batch=16 steps=1 -q")
        .setup(|here| with(here, f32::INFINITY))
        .by_hand(|here, _| with(here, f32::NAN)),
    case("data.NothingUsable", "thalweg data=empty", "thalweg data=t.csv model=mlp-4 batch=16 steps=1 -q").before("mkdir empty"),
    case("data.Ambiguous", "thalweg data=two", "thalweg {0} model=mlp-4 batch=16 steps=1 -q")
        .before("mkdir two && cp t.csv two/a.csv && cp t.csv two/b.csv"),
    case("data.NoClassFolders", "thalweg data=p/a", "thalweg data=p model=mlp-4 batch=4 steps=1 -q").before(IMAGES),
    case("data.NotAClass", "thalweg eval r data=q", "thalweg eval r data=q")
        .before("mkdir -p p/aaa p/bbb && for c in aaa bbb; do for i in 1 2 3 4 5 6; do thalweg data preview digits --out p/$c/$i.png --samples 1 -q; done; done && cp -r p q && mv q/bbb q/bbc && thalweg data=p model=mlp-4 batch=4 steps=1 -q --run-dir r")
        .by_hand(|here, quoted| std::fs::rename(here.join("q/bbc"), here.join("q").join(&quoted[0])).unwrap()),
    case("data.LabelOutOfRange", "thalweg data=x.npy data.task=classification data.classes=3", "thalweg data=x.npy data.task=classification {0} model=mlp-4 batch=16 steps=1 -q")
        .setup(|here| {
            arrays(here);
            write(here, "y.npy", npy("<f4", &[40], &(0..40).map(|i| if i == 5 { 7.0 } else { (i % 3) as f32 }).collect::<Vec<_>>()));
        }),
    case("data.ShapeMismatch", "thalweg data=parts", "thalweg data=parts model=mlp-4 batch=16 steps=1 -q")
        .setup(|here| {
            arrays(here);
            for name in ["train", "test"] {
                write(here, &format!("parts/y_{name}.npy"), npy("<f4", &[40], &[1.5; 40]));
            }
            write(here, "parts/x_train.npy", npy("<f4", &[40, 2], &[1.5; 80]));
            write(here, "parts/x_test.npy", npy("<f4", &[40, 3], &[1.5; 120]));
        })
        .by_hand(|here, _| write(here, "parts/x_test.npy", npy("<f4", &[40, 2], &[1.5; 80]))),
    case("data.ChannelsUnclear", ARRAYS, "thalweg data=x.npy {0} model=mlp-4 batch=16 steps=1 -q && thalweg data=x.npy {1} model=mlp-4 batch=16 steps=1 -q")
        .setup(|here| {
            arrays(here);
            write(here, "x.npy", npy("<f4", &[40, 3, 5, 3], &(0..1800).map(|i| (i % 13) as f32).collect::<Vec<_>>()));
        }),
    case("data.SizesDiffer", "thalweg data=p", "thalweg data=p {0} model=mlp-4 batch=4 steps=1 -q")
        .before("mkdir -p p/a p/b && for c in a b; do for i in 1 2 3 4; do thalweg data preview digits --out p/$c/$i.png --samples $i -q; done; done"),
    case("data.BadImage", "thalweg data=p data.corrupt=error", "rm p/a/9.png && thalweg data=p data.corrupt=error model=mlp-4 batch=4 steps=1 -q")
        .before("mkdir -p p/a p/b && for c in a b; do for i in 1 2 3 4 5 6; do thalweg data preview digits --out p/$c/$i.png --samples 1 -q; done; done && echo bad > p/a/9.png"),
    case("data.MostUnreadable", "thalweg data=p", "rm p/a/b*.png && thalweg data=p model=mlp-4 batch=4 steps=1 -q")
        .before("mkdir -p p/a p/b && for c in a b; do for i in 1 2 3 4 5 6; do thalweg data preview digits --out p/$c/$i.png --samples 1 -q; done; done && for i in 1 2 3 4 5 6 7 8 9; do echo bad > p/a/b$i.png; echo bad > p/a/bb$i.png; done"),
];
