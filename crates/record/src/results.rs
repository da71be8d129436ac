//! What came of several runs together: mean and spread of every figure, by group, read from their folders.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::atomic::write_atomic;
use crate::error::Result;
use crate::run_dir::{RunDir, write_json};
use crate::runs_dir::{ListedRun, RunList, RunsDir, Standing};
use crate::summary::Summary;

/// Mean and spread of one figure over the runs of a group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The figure: `test_accuracy`, of the best epoch.
    pub figure: String,
    /// Runs in which it is a finite number.
    pub n: usize,
    /// Their mean; none where there is no such run.
    pub mean: Option<f64>,
    /// Their sample standard deviation (n - 1 below the sum); none of a single run.
    pub std: Option<f64>,
}

/// The runs of one group that are done.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// Its name; `all` where every run repeats the same.
    pub group: String,
    /// Runs that are done.
    pub n: usize,
    /// Every figure of their best epochs.
    pub figures: Vec<Spread>,
}

/// A run of the list with what it wrote.
#[derive(Clone, Debug, PartialEq)]
pub struct RunResult {
    /// As the list has it.
    pub run: ListedRun,
    /// Its summary, once it began.
    pub summary: Option<Summary>,
}

/// What came of a list of runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Results {
    /// What the list is made over.
    pub kind: String,
    /// The runs, in their order.
    pub runs: Vec<RunResult>,
    /// The groups, in the order of their first runs. Only runs that are done count.
    pub groups: Vec<Group>,
}

/// Mean and sample standard deviation, added in order; no deviation of fewer than two.
///
/// ```
/// assert_eq!(record::mean_and_std(&[1.0, 2.0, 3.0]), (2.0, Some(1.0)));
/// assert_eq!(record::mean_and_std(&[5.0]), (5.0, None));
/// ```
pub fn mean_and_std(values: &[f64]) -> (f64, Option<f64>) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    (mean, (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt()))
}

impl Results {
    /// Reads a list and the summaries of its runs.
    ///
    /// # Errors
    /// When the list, or the summary of a run that is done, does not read.
    pub fn read(folder: &RunsDir) -> Result<Self> {
        let RunList { kind, runs, .. } = folder.list()?;
        let read = |run: ListedRun| {
            let summary = RunDir::open(&folder.run_path(&run)).and_then(|dir| dir.summary());
            match (run.status, summary) {
                (Standing::Done, Err(error)) => Err(error),
                (_, summary) => Ok(RunResult { run, summary: summary.ok() }),
            }
        };
        let runs: Vec<RunResult> = runs.into_iter().map(read).collect::<Result<_>>()?;
        let groups = grouped(&runs);
        Ok(Results { kind, runs, groups })
    }

    /// Writes `runs.csv`, `results.csv` and `results.json`.
    ///
    /// # Errors
    /// As for [`write_atomic`].
    pub fn write(&self, folder: &RunsDir) -> Result<()> {
        let path = |name: &str| folder.path().join(name);
        write_atomic(&path("runs.csv"), |w| w.write_all(self.runs_csv().as_bytes()))?;
        write_atomic(&path("results.csv"), |w| w.write_all(self.groups_csv().as_bytes()))?;
        write_json(&path("results.json"), &self.to_json())
    }

    /// Runs that are done.
    pub fn done(&self) -> impl Iterator<Item = &RunResult> {
        self.with(&[Standing::Done])
    }

    /// Runs that stopped by themselves before they were done.
    pub fn broken(&self) -> impl Iterator<Item = &RunResult> {
        self.with(&[Standing::Failed, Standing::Diverged])
    }

    /// Runs that can go on, or begin.
    pub fn left(&self) -> impl Iterator<Item = &RunResult> {
        self.with(&[Standing::Waiting, Standing::Running, Standing::Interrupted])
    }

    fn with<'a>(&'a self, standings: &'static [Standing]) -> impl Iterator<Item = &'a RunResult> {
        self.runs.iter().filter(|r| standings.contains(&r.run.status))
    }

    /// Mean and spread of each figure of each group: `group,figure,n,mean,std`.
    pub fn groups_csv(&self) -> String {
        let mut text = "group,figure,n,mean,std\n".to_owned();
        for group in &self.groups {
            for Spread { figure, n, mean, std } in &group.figures {
                let [mean, std] = [mean, std].map(|x| x.map_or(String::new(), |x| x.to_string()));
                text += &format!("{},{figure},{n},{mean},{std}\n", quoted(&group.group));
            }
        }
        text
    }

    /// A row for each run: its settings, its status and the figures of its best epoch.
    pub fn runs_csv(&self) -> String {
        let mut keys: Vec<String> = Vec::new();
        let mut names: Vec<String> = Vec::new();
        let add = |all: &mut Vec<String>, name: &str| {
            if !all.iter().any(|n| n == name) {
                all.push(name.to_owned());
            }
        };
        for result in &self.runs {
            result.settings().for_each(|(key, _)| add(&mut keys, key));
            result.figures().for_each(|(name, _)| add(&mut names, name));
        }
        let head: Vec<String> = keys.iter().chain(&names).map(|n| quoted(n)).collect();
        let mut text = format!("run,group,status,{},epochs,steps,seconds,weights_sha256\n", head.join(","));
        for result in &self.runs {
            let setting = |key: &String| result.settings().find(|(k, _)| k == key).map(|(_, v)| v.to_owned());
            let figure = |name: &String| result.figures().find(|(n, _)| n == name).and_then(|(_, v)| cell(v));
            let run = &result.run;
            let mut cells = vec![run.name.clone(), run.group.clone(), run.status.word().to_owned()];
            cells.extend(keys.iter().map(|key| setting(key).unwrap_or_default()));
            cells.extend(names.iter().map(|name| figure(name).unwrap_or_default()));
            let last = |value: fn(&Summary) -> String| result.summary.as_ref().map_or(String::new(), value);
            cells.extend([
                last(|s| s.epochs.to_string()),
                last(|s| s.steps.to_string()),
                last(|s| s.seconds.to_string()),
                last(|s| s.weights_sha256.clone().unwrap_or_default()),
            ]);
            let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
            text += &format!("{}\n", cells.join(","));
        }
        text
    }

    /// Groups and runs as one JSON object.
    pub fn to_json(&self) -> Value {
        let runs: Vec<Value> = self.runs.iter().map(RunResult::to_json).collect();
        let groups: Vec<Value> = self.groups.iter().map(Group::to_json).collect();
        json!({ "kind": self.kind, "groups": groups, "runs": runs })
    }
}

impl Standing {
    /// As files have it.
    pub fn word(self) -> &'static str {
        match self {
            Standing::Waiting => "waiting",
            Standing::Running => "running",
            Standing::Done => "done",
            Standing::Interrupted => "interrupted",
            Standing::Diverged => "diverged",
            Standing::Failed => "failed",
        }
    }
}

impl Group {
    /// `{ group, n, mean: { figure: value }, std: { figure: value } }`; what is undefined is null.
    pub fn to_json(&self) -> Value {
        let by_name = |value: fn(&Spread) -> Option<f64>| {
            self.figures.iter().map(|f| (f.figure.clone(), json!(value(f)))).collect::<Map<_, _>>()
        };
        let (mean, std) = (by_name(|f| f.mean), by_name(|f| f.std));
        json!({ "group": self.group, "n": self.n, "mean": mean, "std": std })
    }
}

impl RunResult {
    /// Keys and values that differ from the base config.
    pub fn settings(&self) -> impl Iterator<Item = (&str, &str)> {
        self.run.settings.iter().filter_map(|word| word.split_once('='))
    }

    /// Figures of the best epoch.
    pub fn figures(&self) -> impl Iterator<Item = (&str, f64)> {
        self.summary.iter().filter_map(|s| s.best.as_ref()).flat_map(|best| best.metrics.iter())
    }

    /// The run with its settings and its summary's figures, in one object. The list's status wins: it knows of
    /// failures.
    pub fn to_json(&self) -> Value {
        let settings: BTreeMap<&str, Value> = self
            .settings()
            .map(|(key, text)| (key, serde_json::from_str(text).unwrap_or_else(|_| json!(text))))
            .collect();
        let mut out = json!({ "run": self.run.name, "group": self.run.group, "settings": settings });
        if let (Value::Object(out), Ok(Value::Object(fields))) =
            (&mut out, serde_json::to_value(&self.summary))
        {
            out.extend(fields);
        }
        out["status"] = json!(self.run.status);
        if self.run.reason.is_some() {
            out["reason"] = json!(self.run.reason);
        }
        out
    }
}

fn grouped(runs: &[RunResult]) -> Vec<Group> {
    let mut names: Vec<&str> = Vec::new();
    for result in runs {
        if !names.contains(&result.run.group.as_str()) {
            names.push(&result.run.group);
        }
    }
    let group = |name: &str| {
        let members: Vec<&RunResult> =
            runs.iter().filter(|r| r.run.group == name && r.run.status == Standing::Done).collect();
        let mut figures: Vec<(&str, Vec<f64>)> = Vec::new();
        for (figure, value) in members.iter().flat_map(|r| r.figures()) {
            match figures.iter_mut().find(|(known, _)| *known == figure) {
                Some((_, values)) => values.push(value),
                None => figures.push((figure, vec![value])),
            }
        }
        let spread = |(figure, values): (&str, Vec<f64>)| {
            let values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
            let (mean, std) = mean_and_std(&values);
            let (n, mean) = (values.len(), (!values.is_empty()).then_some(mean));
            Spread { figure: figure.to_owned(), n, mean, std }
        };
        Group { group: name.to_owned(), n: members.len(), figures: figures.into_iter().map(spread).collect() }
    };
    names.into_iter().map(group).collect()
}

/// A figure in a CSV file; none where it is not finite.
fn cell(value: f64) -> Option<String> {
    value.is_finite().then(|| value.to_string())
}

/// A cell of a CSV file.
fn quoted(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::Figures;

    fn result(name: &str, group: &str, status: Standing, figures: &[(&str, f64)]) -> RunResult {
        let run = ListedRun {
            name: name.into(),
            group: group.into(),
            settings: vec![format!("data.drop=[\"{name}\",1]")],
            status,
            ..ListedRun::default()
        };
        let metrics = figures.iter().map(|(n, v)| (*n, *v)).collect();
        let best = Some(Figures { metrics, ..Figures::default() });
        RunResult { run, summary: Some(Summary { best, ..Summary::default() }) }
    }

    #[test]
    fn what_is_undefined_is_left_out_of_the_mean_and_empty() {
        use Standing::Done;
        let runs = vec![
            result("a", "x", Done, &[("test_r2", f64::NAN), ("valid_r2", f64::NAN)]),
            result("b", "x", Done, &[("test_r2", 0.5), ("valid_r2", f64::NEG_INFINITY)]),
        ];
        let groups = grouped(&runs);
        let results = Results { kind: "folds".into(), runs, groups };
        assert_eq!(results.groups_csv(), "group,figure,n,mean,std\nx,test_r2,1,0.5,\nx,valid_r2,0,,\n");
        assert_eq!(results.groups[0].to_json()["mean"], json!({ "test_r2": 0.5, "valid_r2": null }));
        let csv = results.runs_csv();
        assert!(csv.contains("\na,x,done,\"[\"\"a\"\",1]\",,,0,0,0,\n"), "{csv}");
        assert!(csv.contains("\nb,x,done,\"[\"\"b\"\",1]\",0.5,,0,0,0,\n"), "{csv}");
    }

    #[test]
    fn only_runs_that_are_done_count_and_each_group_by_itself() {
        use Standing::{Diverged, Done, Interrupted};
        let runs = vec![
            result("a", "x", Done, &[("test_loss", 1.0), ("valid_loss", 4.0)]),
            result("b", "y", Done, &[("test_loss", 10.0)]),
            result("c", "x", Done, &[("test_loss", 2.0)]),
            result("d", "x", Diverged, &[("test_loss", 1e9)]),
            result("e", "x", Interrupted, &[("test_loss", 1e9)]),
        ];
        let groups = grouped(&runs);
        let results = Results { kind: "sweep".into(), runs, groups };
        assert_eq!(
            results.groups_csv(),
            format!(
                "group,figure,n,mean,std\nx,test_loss,2,1.5,{}\nx,valid_loss,1,4,\ny,test_loss,1,10,\n",
                0.5f64.sqrt()
            )
        );
        let counts = [results.done().count(), results.broken().count(), results.left().count()];
        assert_eq!(counts, [3, 1, 1]);
        let csv = results.runs_csv();
        let mut lines = csv.lines();
        assert_eq!(
            lines.next(),
            Some("run,group,status,data.drop,test_loss,valid_loss,epochs,steps,seconds,weights_sha256")
        );
        assert_eq!(lines.next(), Some("a,x,done,\"[\"\"a\"\",1]\",1,4,0,0,0,"));
        let json = results.to_json();
        assert_eq!(json["runs"][0]["settings"]["data.drop"], json!(["a", 1]));
        assert_eq!(json["runs"][3]["status"], "diverged");
        assert_eq!(
            (&json["groups"][1]["std"]["test_loss"], &json["groups"][0]["n"]),
            (&Value::Null, &json!(2))
        );
    }
}
