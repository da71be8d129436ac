//! A run folder's life: made, written, killed, resumed, read, damaged, on a disk that is full.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use record::{
    Confusion, Evaluation, Existing, Figures, Metrics, MetricsTable, Outcome, RecordError, Residuals, Row,
    RunDir, Status, Summary, write_atomic,
};

/// A folder of its own for each test, taken away at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static N: AtomicU32 = AtomicU32::new(0);
        let n = N.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("thalweg-record-{}-{n}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn names(path: &Path) -> Vec<String> {
    let mut out: Vec<String> =
        fs::read_dir(path).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    out.sort();
    out
}

fn row(step: u64, loss: f64) -> Row {
    let metrics = [("train_loss", loss), ("valid_accuracy", 0.1 + 0.2)].into();
    Row { epoch: step / 10, step, seconds: 0.1 * step as f64, lr: 1e-3, metrics }
}

#[test]
fn a_run_reads_back_as_it_was_written() {
    let scratch = Scratch::new();
    let run = RunDir::create(&scratch.0.join("runs"), "digits-mlp").unwrap();
    let summary = Summary {
        status: Status::Done,
        best: Some(Figures {
            epoch: 2,
            step: 20,
            metrics: [("valid_loss", 0.1), ("valid_accuracy", 1.0 / 3.0)].into(),
        }),
        last: Some(Figures::default()),
        seconds: 3.1,
        weights_sha256: Some("ab".into()),
        ..Summary::default()
    };
    let mut confusion = Confusion::new(vec!["a".into(), "b".into()]);
    confusion.add(0, 1);
    let outcome = Outcome::Confusion(confusion);
    let evaluation =
        Evaluation { split: "test".into(), checkpoint: "best".into(), samples: 1, outcome, baselines: None };
    run.write_config("lr = 0.1\n").unwrap();
    run.write_summary(&summary).unwrap();
    run.write_evaluation(&evaluation).unwrap();
    run.write_report("<!doctype html>").unwrap();
    let (mut writer, _) = run.metrics_writer(0).unwrap();
    writer.append(&row(10, f64::NAN)).unwrap();
    writer.append(&row(20, f64::NEG_INFINITY)).unwrap();
    writer.append(&row(30, 4e-320)).unwrap();
    run.log_writer(Duration::ZERO).unwrap().line("begun").unwrap();

    let record = RunDir::open(run.path()).unwrap().load().unwrap();
    assert_eq!(record.name, "digits-mlp-001");
    assert_eq!(record.config, "lr = 0.1\n");
    assert_eq!(record.summary, summary);
    assert_eq!(record.evaluation, Some(evaluation));
    let steps: Vec<u64> = record.metrics.rows.iter().map(|row| row.step).collect();
    let last = record.metrics.rows[2].clone();
    assert_eq!((steps, last), (vec![10, 20, 30], row(30, 4e-320)));
    assert!(
        record.metrics.column("train_loss")[..2].iter().all(Option::is_none),
        "undefined is not measured"
    );
    let text = fs::read_to_string(run.path().join("metrics.csv")).unwrap();
    assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    assert!(fs::read_to_string(run.path().join("log.txt")).unwrap().ends_with("  begun\n"));
    let expected = "checkpoints config.toml evaluation.json log.txt metrics.csv report.html summary.json";
    assert_eq!(names(run.path())[1..].join(" "), expected, "nothing temporary is left");
}

#[test]
fn summary_json_has_the_promised_keys() {
    let summary = Summary {
        best: Some(Figures { metrics: [("valid_loss", f64::NAN)].into(), ..Figures::default() }),
        ..Summary::default()
    };
    let json: serde_json::Value = serde_json::to_value(&summary).unwrap();
    for key in "status steps epochs seconds samples_per_second parameters best final seed shards threads weights_sha256 version machine"
        .split(' ')
    {
        assert!(json.get(key).is_some(), "{key}");
    }
    assert_eq!(json["status"], "running");
    assert_eq!(json["best"]["epoch"], 0);
    assert!(json["best"]["valid_loss"].is_null(), "not finite is null");
    let back: Summary = serde_json::from_value(json).unwrap();
    assert!(back.best.unwrap().metrics.get("valid_loss").unwrap().is_nan());
    assert_eq!(serde_json::from_str::<Summary>(r#"{"from_the_future": [1]}"#).unwrap(), Summary::default());
}

#[test]
fn residuals_read_back() {
    let outcome = Outcome::Residuals(vec![Residuals::new("y", &[0.1, 0.2], &[0.3, 0.4])]);
    let evaluation =
        Evaluation { split: "test".into(), checkpoint: "best".into(), samples: 2, outcome, baselines: None };
    let text = serde_json::to_string(&evaluation).unwrap();
    assert_eq!(serde_json::from_str::<Evaluation>(&text).unwrap(), evaluation);
}

#[test]
fn numbers_read_back_exactly() {
    let values =
        [0.1, 1.0 / 3.0, f64::MIN_POSITIVE, f64::MAX, -0.0, 5e-324, 123_456_789.123, f64::from(0.1f32)];
    let rows: Vec<Row> =
        values.iter().enumerate().map(|(i, &v)| Row { lr: v, seconds: v, ..row(i as u64, v) }).collect();
    let table =
        MetricsTable { columns: vec!["train_loss".into(), "valid_accuracy".into()], rows, torn: false };
    let scratch = Scratch::new();
    let path = scratch.0.join("metrics.csv");
    fs::write(&path, table.to_csv()).unwrap();
    let back = MetricsTable::read(&path).unwrap();
    for (a, b) in table.rows.iter().zip(&back.rows) {
        assert_eq!(a.lr.to_bits(), b.lr.to_bits());
        assert_eq!(a, b);
    }
    assert!(
        table.to_csv().starts_with("epoch,step,seconds,lr,train_loss,valid_accuracy\n0,0,0.1,0.1,0.1,0.3")
    );
}

#[test]
fn folders_are_never_shared() {
    let scratch = Scratch::new();
    let first = RunDir::create(&scratch.0, "d-m").unwrap();
    fs::create_dir(scratch.0.join("d-m-004")).unwrap();
    let handles: Vec<_> = (0..8)
        .map(|_| {
            let parent = scratch.0.clone();
            std::thread::spawn(move || RunDir::create(&parent, "d-m").unwrap().name())
        })
        .collect();
    let mut made: Vec<String> = handles.into_iter().map(|h| h.join().unwrap()).collect();
    made.sort();
    assert_eq!(first.name(), "d-m-001");
    assert_eq!(made, (5..13).map(|i| format!("d-m-{i:03}")).collect::<Vec<_>>());
}

#[test]
fn a_named_folder_is_not_overwritten_unasked() {
    let scratch = Scratch::new();
    let path = scratch.0.join("mine");
    let run = RunDir::create_at(&path, Existing::Refuse).unwrap();
    run.write_config("first").unwrap();
    fs::write(path.join("notes.txt"), "keep").unwrap();
    fs::write(run.best_checkpoint(), "weights").unwrap();

    let error = RunDir::create_at(&path, Existing::Refuse).unwrap_err();
    assert_eq!(error.to_string(), format!("run folder exists and is not empty: {}", path.display()));
    assert!(error.hint().unwrap().starts_with("continue the run, "));
    assert_eq!(run.config().unwrap(), "first");

    let busy = RunDir::create_at(&path, Existing::Overwrite).unwrap_err();
    assert!(matches!(busy, RecordError::Busy { .. }), "{busy}");
    drop(run);
    let run = RunDir::create_at(&path, Existing::Overwrite).unwrap();
    assert!(matches!(run.config().unwrap_err(), RecordError::Missing { what: "config.toml", .. }));
    assert!(!run.best_checkpoint().exists());
    assert_eq!(fs::read_to_string(path.join("notes.txt")).unwrap(), "keep");
}

#[test]
fn a_folder_that_is_no_run_is_never_cleared() {
    let scratch = Scratch::new();
    fs::write(scratch.0.join("thesis.txt"), "years").unwrap();
    let error = RunDir::create_at(&scratch.0, Existing::Overwrite).unwrap_err();
    assert!(matches!(error, RecordError::NotARun { .. }), "{error}");
    let opened = RunDir::open(&scratch.0).unwrap_err();
    assert!(matches!(opened, RecordError::NotARun { .. }));
    assert!(opened.hint().is_some_and(|hint| hint.starts_with("name the folder of one run")));
    let file = scratch.0.join("thesis.txt");
    assert!(matches!(
        RunDir::create_at(&file, Existing::Overwrite).unwrap_err(),
        RecordError::NotARun { .. }
    ));
    let missing = RunDir::open(&scratch.0.join("none")).unwrap_err();
    assert!(missing.to_string().starts_with("no such run folder: "), "{missing}");
}

#[test]
fn one_writer_at_a_time_and_readers_always() {
    let scratch = Scratch::new();
    let run = RunDir::create(&scratch.0, "r").unwrap();
    run.write_summary(&Summary::default()).unwrap();
    let reader = RunDir::open(run.path()).unwrap();
    assert!(reader.is_live());
    assert!(matches!(RunDir::resume(run.path()).unwrap_err(), RecordError::Busy { .. }));
    assert_eq!(reader.summary().unwrap().status, Status::Running);
    let path = run.path().to_path_buf();
    drop(run);
    assert!(!reader.is_live());
    fs::write(path.join(".summary.json.1-2.partial"), "half").unwrap();
    fs::write(path.join("checkpoints/.last.safetensors.1-2.partial"), "half").unwrap();
    let again = RunDir::resume(&path).unwrap();
    assert!(names(&again.checkpoints()).is_empty());
    assert_eq!(names(&path), [".lock", "checkpoints", "summary.json"]);
}

#[test]
fn resuming_drops_later_rows_and_a_torn_line() {
    let scratch = Scratch::new();
    let run = RunDir::create(&scratch.0, "r").unwrap();
    let (mut writer, _) = run.metrics_writer(0).unwrap();
    for step in [10, 20, 30] {
        writer.append(&row(step, step as f64)).unwrap();
    }
    let mut text = fs::read_to_string(run.metrics_path()).unwrap();
    text.push_str("4,40,0.");
    fs::write(run.metrics_path(), text).unwrap();
    assert!(run.metrics().unwrap().torn);

    let (mut writer, kept) = run.metrics_writer(20).unwrap();
    assert_eq!(kept.rows.len(), 2);
    writer.append(&row(30, 3.5)).unwrap();
    let table = run.metrics().unwrap();
    assert!(!table.torn);
    assert_eq!(table.column("train_loss"), [Some(10.0), Some(20.0), Some(3.5)]);
    let (_, none) = run.metrics_writer(5).unwrap();
    assert!(none.rows.is_empty());
    assert_eq!(fs::read(run.metrics_path()).unwrap(), b"");
}

#[test]
fn columns_are_fixed_and_gaps_are_empty() {
    let scratch = Scratch::new();
    let run = RunDir::create(&scratch.0, "r").unwrap();
    let (mut writer, _) = run.metrics_writer(0).unwrap();
    writer.declare(&["train_loss", "valid_loss"]).unwrap();
    writer.append(&Row { metrics: [("train_loss", 1.0)].into(), ..Row::default() }).unwrap();
    writer.append(&Row { metrics: [("valid_loss", 2.0)].into(), ..Row::default() }).unwrap();
    let text = fs::read_to_string(run.metrics_path()).unwrap();
    assert_eq!(text, "epoch,step,seconds,lr,train_loss,valid_loss\n0,0,0.0,0.0,1.0,\n0,0,0.0,0.0,,2.0\n");
    assert_eq!(run.metrics().unwrap().column("valid_loss"), [None, Some(2.0)]);
    let error = writer.append(&Row { metrics: [("new", 1.0)].into(), ..Row::default() }).unwrap_err();
    assert!(
        error.to_string().starts_with("metric `new` has no column, the file has train_loss, valid_loss: ")
    );
    for bad in ["a,b", "epoch", "", "new\nline"] {
        let (mut writer, _) = run.metrics_writer(0).unwrap();
        let row = Row { metrics: Metrics::from([(bad, 1.0)]), ..Row::default() };
        assert!(matches!(writer.append(&row).unwrap_err(), RecordError::BadName { .. }), "{bad:?}");
    }
}

#[test]
fn a_full_disk_leaves_the_old_file() {
    let scratch = Scratch::new();
    let path = scratch.0.join("last.safetensors");
    write_atomic(&path, |w| w.write_all(b"old")).unwrap();
    for kind in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded, io::ErrorKind::FileTooLarge] {
        let error = write_atomic(&path, |w| {
            w.write_all(&[0; 100_000])?;
            Err(kind.into())
        })
        .unwrap_err();
        assert!(matches!(error, RecordError::DiskFull { .. }), "{error}");
        assert_eq!(error.to_string(), format!("no space left to write {}", path.display()));
        assert!(error.hint().unwrap().contains("try again"));
    }
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(names(&scratch.0), ["last.safetensors"]);
}

/// `/dev/full` refuses every write: the real error, through the real buffer, at the last flush.
#[cfg(target_os = "linux")]
#[test]
fn the_systems_own_disk_full_is_recognized() {
    use std::io::Write;
    let mut full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let scratch = Scratch::new();
    let error = write_atomic(&scratch.0.join("x"), |_| full.write_all(b"x")).unwrap_err();
    assert!(matches!(error, RecordError::DiskFull { .. }), "{error}");
}

#[test]
fn refusals_of_the_system_are_typed() {
    let scratch = Scratch::new();
    let path = scratch.0.join("file");
    let denied = write_atomic(&path, |_| Err(io::ErrorKind::PermissionDenied.into())).unwrap_err();
    assert_eq!(denied.to_string(), format!("not allowed to write {}", path.display()));
    assert!(denied.hint().unwrap().starts_with("write elsewhere, "));
    let gone = write_atomic(&scratch.0.join("no/file"), |_| Ok(())).unwrap_err();
    assert_eq!(gone.to_string(), format!("no such folder: {}", scratch.0.join("no").display()));
    assert!(gone.hint().unwrap().starts_with("make it first: `mkdir -p "));
    fs::write(&path, "x").unwrap();
    let inside_a_file = RunDir::create(&path, "r").unwrap_err();
    assert!(matches!(inside_a_file, RecordError::Io { .. }), "{inside_a_file}");
}

#[test]
fn damaged_files_are_named() {
    let scratch = Scratch::new();
    let run = RunDir::create(&scratch.0, "r").unwrap();
    run.write_config("").unwrap();
    let path = run.path().join("summary.json");
    fs::write(&path, "{\"status\": \"done\",\n \"steps\": }").unwrap();
    let error = run.load().unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("damaged file at line 2, column 11: expected value: {}", path.display())
    );
    fs::write(&path, "{\"status\": \"asleep\"}").unwrap();
    assert!(run.load().unwrap_err().to_string().contains("unknown variant `asleep`"));
    fs::write(&path, "{}").unwrap();
    fs::write(run.metrics_path(), "epoch,step,seconds,lr\n1,2,x,4\n").unwrap();
    let error = run.load().unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("damaged file at line 2: column `seconds`: expected a number, got `x`: ")
    );
    assert_eq!(error.hint().unwrap(), "mend or delete line 2 by hand; the rest is intact");
}
