//! What an experiment claims, what it measured, and what that says: one form for all of them.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::atomic::write_atomic;
use crate::error::{Action, RecordError, Result};
use crate::results::mean_and_std;
use crate::run_dir::write_json;

const VERDICT: &str = "verdict.json";
const DATA: &str = "data.csv";
const FIGURE: &str = "figure.svg";
const PAGE: &str = "index.html";

/// What the figures say of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// The figures bear it out, for every seed.
    #[serde(rename = "holds")]
    Holds,
    /// They do not, for every seed.
    #[serde(rename = "does not hold here")]
    Fails,
    /// Seeds disagree.
    #[serde(rename = "undecided")]
    Undecided,
    /// The settings leave out what it speaks of, or what was measured is no number.
    #[serde(rename = "not measured")]
    NotMeasured,
}

impl Verdict {
    /// Of one answer a seed; none of none.
    ///
    /// ```
    /// use record::Verdict;
    /// assert_eq!(Verdict::of(&[true, true]), Verdict::Holds);
    /// assert_eq!(Verdict::of(&[false, false]), Verdict::Fails);
    /// assert_eq!(Verdict::of(&[true, false]), Verdict::Undecided);
    /// assert_eq!(Verdict::of(&[]), Verdict::NotMeasured);
    /// ```
    pub fn of(answers: &[bool]) -> Self {
        match (answers.contains(&true), answers.contains(&false)) {
            (true, false) => Verdict::Holds,
            (false, true) => Verdict::Fails,
            (true, true) => Verdict::Undecided,
            (false, false) => Verdict::NotMeasured,
        }
    }

    /// As files and pages have it.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Holds => "holds",
            Verdict::Fails => "does not hold here",
            Verdict::Undecided => "undecided",
            Verdict::NotMeasured => "not measured",
        }
    }
}

/// A figure over the seeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// What it is.
    pub name: String,
    /// One value a seed; what is not finite is null in files.
    pub values: Vec<f64>,
    /// Their mean.
    pub mean: f64,
    /// Their sample standard deviation; none of a single seed.
    pub std: Option<f64>,
}

impl Measured {
    /// With mean and deviation of the values.
    pub fn new(name: impl Into<String>, values: Vec<f64>) -> Self {
        let (mean, std) = mean_and_std(&values);
        Measured { name: name.into(), values, mean, std }
    }
}

/// A claim, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Claim {
    /// The claim, in a sentence.
    pub claim: String,
    /// Beside what it is measured, so that it could have come out otherwise.
    pub control: String,
    /// The rule by which the figures decide, in words.
    pub rule: String,
    /// What was measured.
    pub figures: Vec<Measured>,
    /// What that says.
    pub verdict: Verdict,
}

/// A line of a chart: a value at every x, with its spread over the seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its name in the legend; lines of one name have one color in all panels.
    pub name: String,
    /// Mean and sample standard deviation at x = `first`, `first + 1` and so on.
    pub points: Vec<(f64, Option<f64>)>,
    /// The x of the first point.
    pub first: f64,
}

/// A chart of lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// What it shows.
    pub title: String,
    /// What x is.
    pub x_label: String,
    /// Whether y is logarithmic; values that are not above 0 are left out then.
    pub log: bool,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// A row of histograms that share their axis.
#[derive(Clone, Debug, PartialEq)]
pub struct HistogramRow {
    /// What all of the row have in common; that of a line has its color.
    pub name: String,
    /// Shares of each bin, from `low` to `high` in equal steps, a list for each histogram.
    pub bins: Vec<Vec<f64>>,
    /// A caption for each.
    pub captions: Vec<String>,
}

/// What an experiment's figure is drawn from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LabFigure {
    /// Charts, side by side.
    pub charts: Vec<Chart>,
    /// What the histograms below them show.
    pub histograms: String,
    /// The axis of the histograms.
    pub low: f64,
    /// Its end.
    pub high: f64,
    /// The histograms.
    pub rows: Vec<HistogramRow>,
}

/// An experiment that was made.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LabRecord {
    /// Its name: `init`.
    pub lab: String,
    /// What it is about, in a line.
    pub title: String,
    /// Where the claims come from.
    pub source: String,
    /// The program that repeats it.
    pub command: String,
    /// Every setting, in order.
    pub settings: Vec<(String, String)>,
    /// The seeds.
    pub seeds: Vec<u64>,
    /// What it claims, and what became of that.
    pub claims: Vec<Claim>,
    /// Version of the program.
    pub version: String,
    /// What was measured, as CSV; in a file of its own.
    #[serde(skip)]
    pub data: String,
    /// The picture; in a file of its own.
    #[serde(skip)]
    pub figure: LabFigure,
    /// Tables of the page: a heading, and rows of which the first is the head.
    #[serde(skip)]
    pub tables: Vec<(String, Vec<Vec<String>>)>,
    /// What one should know in reading it, a paragraph each.
    pub notes: Vec<String>,
}

impl LabRecord {
    /// How many claims came out in each way.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.claims.iter().filter(|claim| claim.verdict == verdict).count()
    }
}

/// The folder of an experiment, which is never overwritten.
#[derive(Debug)]
pub struct LabDir {
    path: PathBuf,
}

impl LabDir {
    /// Makes `parent/name`.
    ///
    /// # Errors
    /// [`RecordError::LabExists`] where it is there and not empty, or a refusal of the system.
    pub fn create(parent: &Path, name: &str) -> Result<Self> {
        let path = parent.join(name);
        Self::check(&path)?;
        fs::create_dir_all(&path).map_err(|e| RecordError::io(Action::Create, &path, e))?;
        Ok(LabDir { path })
    }

    /// Whether `parent/name` could be made, before any work is done.
    ///
    /// # Errors
    /// As for [`LabDir::create`].
    pub fn check(path: &Path) -> Result<()> {
        let free = fs::read_dir(path).map_or(!path.exists(), |mut entries| entries.next().is_none());
        if !free {
            return Err(RecordError::LabExists { path: path.to_path_buf() });
        }
        // the first folder above that is there must be one
        match path.ancestors().skip(1).find(|above| above.exists()) {
            Some(above) if !above.is_dir() => Err(RecordError::NotAFolder { path: above.to_path_buf() }),
            _ => Ok(()),
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the page is.
    pub fn page(&self) -> PathBuf {
        self.path.join(PAGE)
    }

    /// Writes all files, the verdict last: with it, the experiment is done.
    ///
    /// # Errors
    /// As for [`write_atomic`].
    pub fn write(&self, record: &LabRecord, figure_svg: &str, page: &str) -> Result<()> {
        for (name, text) in [(DATA, record.data.as_str()), (FIGURE, figure_svg), (PAGE, page)] {
            write_atomic(&self.path.join(name), |w| w.write_all(text.as_bytes()))?;
        }
        write_json(&self.path.join(VERDICT), record)
    }
}
