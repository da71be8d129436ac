//! The page is well formed, complete, safe, and unmoved by degenerate runs.

mod samples;

use record::{Evaluation, MetricsTable, Outcome, Residuals, RunRecord, Status};
use report::terminal::{Color, curve, summary};
use report::{commands, observations, report_html, verdict};
use roxmltree::{Document, Node};

/// Parses the page as XML, which is stricter than HTML, and hands it to `look`. Scripts and styles are checked apart:
/// they are raw text in HTML, and may not hold the end of their element.
fn with_page(run: &RunRecord, look: impl Fn(&Document)) {
    let html = report_html(run);
    let mut text = html.strip_prefix("<!DOCTYPE html>\n").expect("a doctype").to_string();
    for element in ["script", "style"] {
        let mut rest = text.as_str();
        let mut kept = String::new();
        while let Some((before, after)) = rest.split_once(&format!("<{element}")) {
            let (attributes, body) = after.split_once('>').expect("an end of the tag");
            let (raw, after) = body.split_once(&format!("</{element}>")).expect("an end tag");
            assert!(!raw.contains("</"), "raw text ends early");
            kept.push_str(&format!("{before}<{element}{attributes}></{element}>"));
            rest = after;
        }
        kept.push_str(rest);
        text = kept;
    }
    look(&Document::parse(&text).unwrap_or_else(|e| panic!("{e}\n{text}")));
}

fn all<'a>(page: &'a Document, name: &'static str) -> impl Iterator<Item = Node<'a, 'a>> {
    page.descendants().filter(move |n| n.has_tag_name(name))
}

fn classed<'a>(page: &'a Document, class: &'static str) -> impl Iterator<Item = Node<'a, 'a>> {
    page.descendants().filter(move |n| n.attribute("class").is_some_and(|c| c.split(' ').any(|c| c == class)))
}

fn text(node: Node) -> String {
    node.descendants()
        .filter_map(|n| n.text().filter(|_| n.is_text()))
        .collect::<String>()
        .replace('\u{a0}', " ")
}

fn headings(page: &Document) -> Vec<String> {
    page.descendants().filter(|n| matches!(n.tag_name().name(), "h1" | "h2" | "h3")).map(text).collect()
}

/// What must hold of every page, whatever the run.
fn check(run: &RunRecord) {
    with_page(run, |page| {
        assert_eq!(all(page, "h1").count(), 1);
        let mut ids: Vec<&str> = page.descendants().filter_map(|n| n.attribute("id")).collect();
        let n = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), n, "ids are unique");
        for svg in all(page, "svg") {
            let told = svg.attribute("role") == Some("img")
                && svg.attribute("aria-label").is_some_and(|l| !l.is_empty());
            assert!(told || svg.attribute("aria-hidden") == Some("true"), "a picture without words");
        }
        for node in page.descendants().filter(|n| n.tag_name().name() != "link") {
            for a in node.attributes() {
                assert!(!a.name().starts_with("on") && !matches!(a.name(), "src" | "href"), "{}", a.name());
                let drawn = [
                    "d",
                    "x",
                    "y",
                    "cx",
                    "cy",
                    "r",
                    "width",
                    "height",
                    "viewBox",
                    "transform",
                    "data-x",
                    "data-y",
                ];
                let bad = ["NaN", "inf"].iter().any(|b| a.value().contains(b));
                assert!(!(drawn.contains(&a.name()) && bad), "{}={}", a.name(), a.value());
            }
        }
    });
    let html = report_html(run);
    assert!(!html.replace("http://www.w3.org/2000/svg", "").contains("http"), "needs no network");
    let data = html.split("id=\"data\">").nth(1).and_then(|t| t.split("</script>").next()).expect("data");
    assert!(
        !data.contains(":inf") && !data.contains(",inf") && !data.contains(",NaN") && !data.contains("[NaN"),
        "JSON has no NaN"
    );
    for width in [0, 1, 20, 40, 80, 400] {
        for color in [Color::Off, Color::On] {
            let shown = summary(run, width, color);
            assert!(color == Color::On || !shown.contains('\x1b'));
        }
    }
}

#[test]
fn a_classification_has_all_its_parts() {
    let run = samples::classification(20, 10);
    check(&run);
    with_page(&run, |page| {
        let parts = [
            "97.8 % test accuracy after 20 epochs, 3.1 s",
            "Curves",
            "Loss",
            "Accuracy",
            "Which classes it confuses test split, 270 samples, best checkpoint",
            "Most confused",
            "By class",
            "Epoch by epoch",
            "How it was made, and how to repeat it",
            "Commands",
            "Run and machine",
            "Config, resolved",
        ];
        assert_eq!(headings(page), parts);
        assert_eq!(classed(page, "chart").count(), 3, "loss twice, linear and log; accuracy once");
        let one_chart: Vec<_> = classed(page, "chart")
            .filter(|c| c.attribute("aria-label").is_some_and(|l| l.starts_with("Accuracy")))
            .collect();
        let label = one_chart[0].attribute("aria-label").unwrap_or_default().replace('\u{a0}', " ");
        assert_eq!(
            label,
            "Accuracy by epoch; training from 59.2 % to 99.9 %; validation from 64.3 % to 97.4 %; best epoch 15"
        );
        let dots = one_chart[0]
            .descendants()
            .filter(|n| n.attribute("class").is_some_and(|c| c.contains("best-dot")))
            .count();
        assert_eq!(dots, 2, "a mark for the best on each curve");
        let counts: u64 = classed(page, "count").filter_map(|n| n.text()?.parse::<u64>().ok()).sum();
        assert_eq!(counts, 270, "every sample is in a cell");
        let commands: Vec<String> =
            classed(page, "command").map(|c| text(c.last_child().expect("a line"))).collect();
        let wanted = [
            "thalweg train --config runs/digits-mlp-001/config.toml",
            "thalweg resume runs/digits-mlp-001 epochs=40",
            "thalweg eval runs/digits-mlp-001",
            "thalweg predict runs/digits-mlp-001 DATA",
        ];
        assert_eq!(commands, wanted);
        assert_eq!(
            classed(page, "config").map(text).collect::<String>().trim(),
            run.config.trim(),
            "the config, unchanged"
        );
        assert_eq!(classed(page, "hash").map(text).next(), run.summary.weights_sha256);
    });
}

#[test]
fn curves_are_where_the_values_are() {
    let mut run = samples::classification(3, 2);
    run.metrics.columns = vec!["valid_r2".into()];
    for (row, v) in run.metrics.rows.iter_mut().zip([0.0, 0.5, 1.0]) {
        row.metrics = [("valid_r2", v)].into();
    }
    with_page(&run, |page| {
        let line = classed(page, "chart")
            .flat_map(|c| c.descendants())
            .find(|n| n.attribute("class") == Some("line"))
            .expect("a curve");
        // Epochs 1, 2, 3 over 54..546; values 0, 0.5, 1 over an axis from 0 at 270 to 1 at 22.
        assert_eq!(line.attribute("d"), Some("M54 270L300 146L546 22"));
    });
}

#[test]
fn what_matters_has_bars_with_their_spread_and_pictures() {
    let mut run = samples::classification(3, 3);
    run.explanation = Some(samples::explanation("rooms"));
    check(&run);
    with_page(&run, |page| {
        let title = "Which columns matter validation split, 120 samples, best checkpoint".to_string();
        assert!(headings(page).contains(&title), "{:?}", headings(page));
        let bars: Vec<f64> =
            classed(page, "column").filter_map(|n| n.attribute("width")?.parse().ok()).collect();
        // 0.31 with its spread of 0.02, and the least of -0.002, share the 430 of the axis
        assert_eq!((bars.len(), bars[0]), (4, 401.5));
        assert!((bars[1] / bars[0] - 0.05 / 0.31).abs() < 0.01, "{bars:?}");
        let lines = classed(page, "best-line").filter(|n| n.attribute("d").is_some_and(|d| d.contains('H')));
        assert_eq!(lines.count(), 2, "spread, where there is one");
        let drawn = page
            .descendants()
            .filter(|n| n.attribute("aria-label").is_some_and(|l| l.starts_with("Mean answers by")));
        assert_eq!(drawn.count(), 3);
    });
    for columns in [0, 1, 100] {
        let explanation = run.explanation.as_mut().expect("one");
        let one = explanation.columns.first().cloned();
        explanation.columns = one.into_iter().cycle().take(columns).collect();
        check(&run);
        if columns == 0 {
            run.explanation = Some(samples::explanation("rooms"));
        }
    }
}

#[test]
fn a_regression_has_residuals() {
    let run = samples::regression(133);
    check(&run);
    with_page(&run, |page| {
        assert!(
            headings(page)
                .contains(&"How far off it is test split, 133 samples, best checkpoint".to_string())
        );
        let dots = classed(page, "dots").next().and_then(|n| n.attribute("d")).expect("dots");
        assert_eq!(dots.matches('M').count(), 133);
        let counted: u64 = classed(page, "column")
            .map(|c| text(c).rsplit(": ").next().and_then(|k| k.parse::<u64>().ok()).unwrap_or(0))
            .sum();
        assert_eq!(counted, 133, "every residual is in a bar");
    });
}

#[test]
fn text_from_outside_stays_text() {
    for bad in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "'--></style></script><b>",
        "]]>&amp;\u{0}\u{7}",
        "`${x}`\\",
        "\u{2028}</title>",
    ] {
        let run = samples::hostile(bad);
        check(&run);
        with_page(&run, |page| {
            assert_eq!(all(page, "script").count(), 2, "{bad}");
            assert_eq!(all(page, "img").count(), 0, "{bad}");
            let name = all(page, "b").next().map(text).unwrap_or_default();
            assert_eq!(name, bad.replace(['\u{0}', '\u{7}'], "\u{FFFD}"));
        });
    }
}

#[test]
fn degenerate_runs_make_pages() {
    check(&RunRecord::default());
    check(&samples::nothing());
    check(&samples::diverged());
    check(&samples::fashion());
    for epochs in [1, 2, 1000] {
        for classes in [1, 2, 20, 21, 100] {
            check(&samples::classification(epochs, classes));
        }
    }
    for n in [0, 1, 2, 5000] {
        check(&samples::regression(n));
    }
    let mut same = samples::regression(0);
    let constant = vec![
        Residuals::new("a", &[1.0; 5], &[1.0; 5]),
        Residuals::new("b", &[f32::MAX, -f32::MAX], &[-f32::MAX, f32::MAX]),
    ];
    same.evaluation = Some(Evaluation {
        split: "valid".into(),
        checkpoint: "last".into(),
        samples: 5,
        outcome: Outcome::Residuals(constant),
        baselines: None,
    });
    check(&same);
}

#[test]
fn strange_values_make_pages() {
    for v in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, f64::MAX, -f64::MAX, 5e-324, 1e-30, -3.0]
    {
        for only in [false, true] {
            let mut run = samples::classification(5, 2);
            let columns = run.metrics.columns.clone();
            for (i, row) in run.metrics.rows.iter_mut().enumerate().filter(|(i, _)| only || *i == 2) {
                columns.iter().for_each(|c| row.metrics.set(c, v));
                row.lr = if i == 3 { 1e-3 } else { v };
                row.seconds = v;
            }
            run.summary.seconds = v;
            run.summary.samples_per_second = v;
            check(&run);
        }
    }
    let mut twice = samples::classification(5, 2);
    twice.metrics.rows[3].epoch = 1;
    check(&twice);
    twice.metrics.rows[3].step = 1;
    check(&twice);
    twice.metrics.rows.iter_mut().for_each(|r| r.metrics = record::Metrics::new());
    check(&twice);
    twice.metrics = MetricsTable { columns: vec!["train_loss".into()], ..MetricsTable::default() };
    check(&twice);
}

#[test]
fn long_runs_make_pages_of_bearable_size() {
    let long = report_html(&samples::classification(20_000, 100));
    assert!(long.len() < 1_000_000, "{}", long.len());
}

#[test]
fn the_verdict_is_a_sentence() {
    let said = |run: &RunRecord| verdict(run).sentence();
    let mut run = samples::classification(20, 10);
    assert_eq!(said(&run), "97.8 % test accuracy after 20 epochs, 3.1 s");
    run.summary.status = Status::Interrupted;
    run.summary.epochs = 7;
    assert_eq!(said(&run), "Interrupted after 7 epochs of 20, 3.1 s; best so far 97.8 % test accuracy");
    run.summary.status = Status::Running;
    run.summary.epochs = 0;
    assert_eq!(said(&run), "Running in its first epoch");
    assert_eq!(said(&samples::nothing()), "Interrupted before the first epoch ended");
    assert_eq!(
        said(&samples::diverged()),
        "Diverged after 7 epochs of 20, 1.2 s; best so far 64.3 % validation accuracy"
    );
    assert_eq!(said(&samples::classification(1, 2)), "97.8 % test accuracy after 1 epoch, 0.15 s");
}

#[test]
fn overfitting_is_said_only_where_it_is() {
    let mut run = samples::classification(20, 10);
    let found = |run: &RunRecord| observations(run).iter().any(|o| o.contains("overfitting"));
    assert!(!found(&run));
    for row in &mut run.metrics.rows {
        let e = row.epoch as f64;
        row.metrics.set("train_loss", 1.0 / e);
        row.metrics.set("valid_loss", 0.5 + 0.02 * (e - 8.0).powi(2));
    }
    assert!(found(&run));
    assert!(
        observations(&run)[0]
            .starts_with("Validation loss was lowest around epoch 8 (0.5000) and then rose to 3.38")
    );
    // One bad last epoch is noise, and a training loss that rises as well is another illness.
    for row in &mut run.metrics.rows {
        row.metrics.set("valid_loss", if row.epoch == 20 { 5.0 } else { 1.0 / row.epoch as f64 });
    }
    assert!(!found(&run));
    for row in &mut run.metrics.rows {
        let e = row.epoch as f64;
        row.metrics.set("train_loss", e);
        row.metrics.set("valid_loss", 0.5 + 0.02 * (e - 8.0).powi(2));
    }
    assert!(!found(&run));
}

#[test]
fn commands_fit_the_status() {
    let lines = |run: &RunRecord| commands(run).into_iter().map(|c| c.line).collect::<Vec<_>>();
    assert_eq!(
        lines(&samples::nothing()),
        ["thalweg resume runs/digits-mlp-001", "thalweg train --config runs/digits-mlp-001/config.toml"]
    );
    assert_eq!(
        lines(&samples::diverged())[0],
        "thalweg train --config runs/digits-mlp-001/config.toml lr=1e-4"
    );
    let mut run = samples::nothing();
    run.folder = "my runs/it's".into();
    assert_eq!(lines(&run)[0], r"thalweg resume 'my runs/it'\''s'");
}

#[test]
fn the_terminal_shows_the_end_of_a_run() {
    let mut run = samples::classification(4, 3);
    for (row, v) in run.metrics.rows.iter_mut().zip([1.0, 0.75, 0.5, 0.25]) {
        row.metrics = [("train_loss", v), ("valid_loss", v + 0.25)].into();
    }
    run.summary.best =
        Some(record::Figures { epoch: 4, step: 156, metrics: run.metrics.rows[3].metrics.clone() });
    run.summary.last = run.summary.best.clone();
    run.summary.metric = "loss".into();
    let got = summary(&run, 48, Color::Off);
    let lines: Vec<&str> = got.lines().collect();
    assert_eq!(lines[0], "0.5000 validation loss after 4 epochs, 0.62 s");
    assert!(lines.iter().all(|l| l.chars().count() <= 48), "{got}");
    assert!(
        got.contains("\nbest, epoch 4   training validation\nloss              0.2500     0.5000\n"),
        "{got}"
    );
    assert!(got.ends_with("runs/digits-mlp-001\n  thalweg resume runs/digits-mlp-001 epochs=8\n  thalweg eval runs/digits-mlp-001\n"));
    assert!(got.contains(" valid 0.5\n") && got.contains(" train 0.25\n"));
}

#[test]
fn no_line_of_the_terminal_is_too_wide() {
    let mut run = samples::classification(50, 10);
    run.folder = "r".into();
    run.summary.model = "模型".repeat(40);
    run.summary.reason = Some("a".repeat(300));
    for width in [34, 40, 48, 80, 100] {
        for line in summary(&run, width, Color::Off).lines().filter(|l| !l.starts_with("  thalweg")) {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
    }
    assert_eq!(curve(&[], 80, 5, Color::Off), "");
}
