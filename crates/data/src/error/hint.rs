//! What to type about each problem with data.

use std::path::{Path, PathBuf};

use super::{DataError, column};
use crate::dataset::MAX_CLASSES;
use crate::formats;

impl DataError {
    /// What to type or do next, one line.
    pub fn hint(&self) -> String {
        use DataError::*;
        match self {
            UnknownSource { nearest: Some(near), .. } => {
                format!("did you mean `{near}`?")
            }
            UnknownSource { .. } => "name a built-in or public set, or a path that exists".into(),
            NotFetched { set, bytes, package, .. } => {
                let package = package
                    .map_or(String::new(), |p| format!(", or install Debian's package: `apt install {p}`"));
                format!("fetch `{set}` ({} MB){package}", (bytes + 500_000) / 1_000_000)
            }
            LeftOut { feature, .. } => format!("build with the feature `{feature}` of the crate `thalweg`"),
            Augment { .. } => {
                "`augment=none` trains without augmentation".into()
            }
            Read { .. } => "check that the path is right and that you may read it".into(),
            Empty { .. } | Truncated { .. } | BreaksOff { .. } | Damaged { .. } => {
                "copy or download the file again".into()
            }
            TooLong { .. } => "the file was joined or edited; copy or download it again".into(),
            WrongMagic { expected, .. } if expected == "records" => "download the file itself, or save it as CSV".into(),
            WrongMagic { .. } | UnknownFormat { .. } => {
                "the ending decides the format: .csv .tsv .jsonl .parquet .arrow .xlsx .ods .arff .npy .npz .idx -ubyte .bin, each also with .gz, and .png .jpg".into()
            }
            Header { .. } => "write the file again with the program that made it".into(),
            UnsupportedType { dtype, .. } if dtype.contains('O') => {
                "save strings as text, as in `y.astype(str)`, and numbers as `x.astype(\"float32\")`".into()
            }
            UnsupportedType { dtype, .. } if dtype == "text" => {
                "save the inputs as numbers; a table (.csv) may have columns of text".into()
            }
            UnsupportedType { .. } => {
                "save it as float32 or as integers, as in `x.astype(\"float32\")`".into()
            }
            CountMismatch { .. } => "name the file that belongs to the inputs: `data.target=FILE`".into(),
            ShapeMismatch { .. } => "give the samples of all parts the same shape".into(),
            LabelOutOfRange { label, path, .. } if *label < 0.0 || label.fract() != 0.0 => {
                let labels = "labels are whole numbers from 0";
                if formats::by_name(path).is_some_and(|f| !f.has("task")) {
                    format!("{labels}; a table or NumPy arrays may have numbers as targets")
                } else {
                    format!("{labels}; for numbers as targets set `data.task=regression`")
                }
            }
            LabelOutOfRange { label, .. } if *label >= MAX_CLASSES as f64 => {
                format!("{MAX_CLASSES} classes are the most; for numbers as targets set `data.task=regression`")
            }
            LabelOutOfRange { label, .. } => {
                format!("set `data.classes={:.0}`, or correct the label", label + 1.0)
            }
            NotFinite { target: true, row, .. } => {
                format!("a target cannot be missing: correct it, or remove sample {row} from the file")
            }
            NotFinite { value, .. } if !value.is_nan() => {
                "correct it, or put NaN there and set `data.allow_missing=true`".into()
            }
            NotFinite { .. } => "set `data.allow_missing=true` to replace it by the feature's mean".into(),
            OddLines { n, lines, last, .. } => column::of_lines(*n, lines, *last),
            OpenQuote { line, .. } => format!("close or remove the quote in line {line}"),
            Columns { faults, .. } => column::of_faults(faults),
            Ragged { .. } => "correct the line, or set the separator: `data.separator=\";\"`".into(),
            MissingValue { target: true, .. } => {
                "`data.missing_target=drop` leaves out such lines; `data.target=NAME` chooses another column".into()
            }
            MissingValue { .. } => "set `data.allow_missing=true` to replace it by the column's median".into(),
            UnknownClass { nearest: Some(near), .. } => format!("did you mean `{near}`?"),
            UnknownClass { .. } => "correct the line, or train again with this class".into(),
            UnknownLabel { nearest: Some(near), .. } => format!("did you mean `{near}`?"),
            UnknownLabel { .. } => "correct the label, or train again with this class".into(),
            TargetsUnclear { text: true, .. } => {
                "`data.task=classification` makes them classes; otherwise save numbers as numbers".into()
            }
            TargetsUnclear { .. } => {
                "`data.task=classification` makes them classes, `data.task=regression` numbers".into()
            }
            NoColumn { nearest: Some(near), .. } => format!("did you mean `{near}`?"),
            NoColumn { columns, .. } => format!("the columns are {}", list(columns)),
            NoInputs { separator: Some(separator), .. } => {
                format!("the separator may be another one: `data.separator=\"{separator}\"`")
            }
            NoInputs { left_out, .. } if !left_out.is_empty() => {
                "`data.types={NAME=\"category\"}` uses a column anyway".into()
            }
            NoInputs { .. } => {
                "a table needs at least one column besides the target; check `data.target` and `data.drop`".into()
            }
            Files(error) => error.hint(),
            Cache(error) => error.hint(),
            NoArray { .. } => "save with `numpy.savez(FILE, x=inputs, y=targets)`".into(),
            NoTargets { .. } => "name the file: `data.target=FILE`".into(),
            NothingUsable { .. } => "name a file instead of the folder: `data=FOLDER/FILE`".into(),
            Ambiguous { found, path } => {
                format!("name one: `data={}`", path.join(found.first().map_or("", String::as_str)).display())
            }
            NoSamples { .. } => "add samples, or name another file".into(),
            ChannelsUnclear { .. } => {
                "set `data.channels=first` for [C, H, W], or `data.channels=last` for [H, W, C]".into()
            }
            NoClassFolders { .. } => {
                "put the images of each class into a folder: FOLDER/CLASS/IMAGE, and set `data=FOLDER`".into()
            }
            NotAClass { nearest: Some(near), .. } => format!("did you mean `{near}`?"),
            NotAClass { .. } => "rename the folder, or train again with this class".into(),
            SizesDiffer { expected: [h, w], .. } if h == w => {
                format!("give them one size: `data.size={h}`, or `data.size=[HEIGHT,WIDTH]`")
            }
            SizesDiffer { expected: [h, w], .. } => {
                format!("give them one size: `data.size=[{h},{w}]` (height, width)")
            }
            BadImage { .. } => "copy the file again, or remove it".into(),
            ClassUnreadable { folders, path, .. } => {
                let hide = |(folder, _): &(PathBuf, usize)| {
                    let (from, name) = (path.join(folder), folder.file_name().unwrap_or_default());
                    let to = from.with_file_name(format!(".{}", name.to_string_lossy()));
                    format!("mv {} {}", typed(&from), typed(&to))
                };
                let all = folders.iter().map(hide).collect::<Vec<_>>().join(" && ");
                format!("save the images as PNG or JPEG, or leave out the class by giving it a name that begins with a dot: `{all}`")
            }
            PartsWithoutClasses { parts, path } => {
                let part = path.join(parts.first().map_or("", String::as_str));
                format!("put the images of each class into a folder with the name of the class: `{}`", part.join("CLASS/IMAGE").display())
            }
            ClassesFurtherIn { found, path } => {
                let one = path.join(found.first().map_or("", String::as_str));
                format!("name the folder whose folders are the classes: `data={}`", one.display())
            }
            MostUnreadable { .. } => {
                "save them as PNG or JPEG, copy them again, or remove files that are not images".into()
            }
            BadOption { option, .. } => format!("set `data.{option}` to another value, or leave it out"),
            Split { .. } => "ask for less: `data.valid=0.1 data.test=0.1`".into(),
            AffineShape { .. } => "fit the preprocessing on this data set".into(),
        }
    }
}

/// A path as one word of a shell.
pub(super) fn typed(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+=:,@%".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// The first few names, quoted.
fn list(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(12).map(|n| format!("`{n}`")).collect();
    let more = if names.len() > 12 { format!(" and {} more", names.len() - 12) } else { String::new() };
    shown.join(", ") + &more
}
