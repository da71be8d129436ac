//! Made-up runs of every kind that a report must bear.

use record::{
    ColumnImportance, Confusion, Dependence, Evaluation, Explanation, Figures, Goal, Importance, Machine,
    Metrics, MetricsTable, Outcome, Residuals, Row, RunRecord, Samples, Status, Summary, Values,
};

/// A small generator for noise; any will do.
pub struct Noise(pub u64);

impl Noise {
    /// Uniform in -1..1.
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as f64 / f64::from(1u32 << 30) - 1.0
    }
}

const CONFIG: &str = "# resolved: every default filled in\n[data]\nname = \"digits\"   # embedded, UCI 8x8\nsplit = [0.7, 0.15, 0.15]\nstandardize = true\n\n\
[model]\nkind = \"mlp\"\nhidden = [64, 64]\nactivation = \"relu\"\ninit = \"he\"\n\n\
[train]\nepochs = 20\nbatch = 32\noptimizer = \"adam\"\nlr = 1e-3\n\
schedule = \"cosine\"\nwarmup_steps = 39\nseed = 1\nshards = 8\nthreads = 2\n";

/// A finished classification of `epochs` epochs and `classes` classes.
pub fn classification(epochs: u64, classes: usize) -> RunRecord {
    let mut noise = Noise(7);
    let columns = ["train_loss", "train_accuracy", "valid_loss", "valid_accuracy"];
    let mut rows = Vec::new();
    for epoch in 1..=epochs {
        let t = epoch as f64 / epochs as f64;
        let values = [
            1.9 * (-5.0 * t).exp() + 0.004 + 0.002 * noise.next().abs(),
            1.0 - 0.55 * (-6.0 * t).exp() - 0.001 * noise.next().abs(),
            1.6 * (-5.0 * t).exp() + 0.075 + 0.05 * t + 0.012 * noise.next(),
            0.978 - 0.45 * (-6.0 * t).exp() + 0.004 * noise.next(),
        ];
        let metrics: Metrics = columns.iter().copied().zip(values).collect();
        let lr =
            1e-3 * if t < 0.1 { t / 0.1 } else { 0.5 + 0.5 * (std::f64::consts::PI * (t - 0.1) / 0.9).cos() };
        rows.push(Row { epoch, step: epoch * 39, seconds: 0.155 * epoch as f64, lr, metrics });
    }
    let figures = |row: &Row| {
        let mut metrics = row.metrics.clone();
        metrics.set("test_loss", 0.0871);
        metrics.set("test_accuracy", 0.9778);
        Figures { epoch: row.epoch, step: row.step, metrics }
    };
    let best = rows.iter().max_by(|a, b| {
        a.metrics.get("valid_accuracy").unwrap().total_cmp(&b.metrics.get("valid_accuracy").unwrap())
    });
    let mut confusion = Confusion::new((0..classes).map(|c| c.to_string()).collect());
    for i in 0..classes * 27 {
        let truth = i % classes;
        let wrong = noise.next() > 0.94;
        let predicted =
            if wrong { (truth * 7 + (noise.next().abs() * 3.0) as usize + 1) % classes } else { truth };
        confusion.add(truth, predicted);
    }
    let ends = [best, rows.last()].map(|row| row.map(figures));
    RunRecord {
        name: "digits-mlp-001".into(),
        folder: "runs/digits-mlp-001".into(),
        config: CONFIG.into(),
        metrics: MetricsTable { columns: columns.map(String::from).to_vec(), rows, torn: false },
        evaluation: Some(Evaluation {
            split: "test".into(),
            checkpoint: "best".into(),
            samples: confusion.total(),
            outcome: Outcome::Confusion(confusion),
            baselines: None,
        }),
        summary: summary(epochs, ends),
        explanation: None,
    }
}

/// What was explained of it: a number and a category, one column that does not matter, and figures that are none.
pub fn explanation(name: &str) -> Explanation {
    let column = |column: String, mean: f64, std: Option<f64>| ColumnImportance {
        column,
        inputs: 1,
        importance: [("accuracy".to_owned(), Importance { mean, std })].into(),
    };
    let outputs = vec![name.to_owned(), "b".into(), "c".into()];
    Explanation {
        split: "valid".into(),
        checkpoint: "best".into(),
        samples: 120,
        repeats: 10,
        seed: 0,
        metric: "accuracy".into(),
        figures: [("accuracy".to_owned(), 0.9)].into(),
        columns: vec![
            column(name.to_owned(), 0.31, Some(0.02)),
            column("side".into(), 0.05, Some(0.01)),
            column("noise".into(), -0.002, None),
            column("none".into(), f64::NAN, Some(f64::NAN)),
        ],
        dependence: vec![
            Dependence {
                column: name.to_owned(),
                at: Values::Numbers(vec![0.0, 1.0, 4.0]),
                outputs: outputs.clone(),
                means: vec![vec![0.1, 0.5, 0.9], vec![0.8, 0.4, 0.05], vec![0.1, f64::NAN, 0.05]],
                shares: true,
            },
            Dependence {
                column: "side".into(),
                at: Values::Categories(vec!["north".into(), name.to_owned(), "(missing)".into()]),
                outputs: vec!["price".into()],
                means: vec![vec![1e5, 2e5, 1.5e5]],
                shares: false,
            },
            Dependence {
                column: "empty".into(),
                at: Values::Numbers(vec![]),
                outputs,
                means: vec![vec![], vec![], vec![]],
                shares: true,
            },
        ],
    }
}

/// What is told of the finished classification; figures of its best epoch and of its last.
fn summary(epochs: u64, [best, last]: [Option<Figures>; 2]) -> Summary {
    Summary {
        status: Status::Done,
        data: "digits".into(),
        model: "mlp 64-64-64-10".into(),
        task: "classification".into(),
        metric: "accuracy".into(),
        steps: epochs * 39,
        epochs,
        epochs_planned: epochs,
        seconds: 0.155 * epochs as f64,
        samples_per_second: 8104.0,
        parameters: 8970,
        samples: Samples { train: 1258, valid: 269, test: 270 },
        best,
        last,
        seed: 1,
        shards: 8,
        threads: 2,
        weights_sha256: Some("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into()),
        version: "0.1.0".into(),
        machine: Machine {
            cpu: "Example CPU @ 2.80 GHz".into(),
            isa: "avx512".into(),
            cores: 2,
            os: "linux".into(),
        },
        ..Summary::default()
    }
}

/// Ten thousand samples of ten classes with long names.
pub fn fashion() -> RunRecord {
    let mut run = classification(12, 10);
    let names = [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ];
    let mut confusion = Confusion::new(names.map(String::from).to_vec());
    let mut noise = Noise(1);
    for i in 0..10_000usize {
        let truth = i % 10;
        let predicted = match (truth, noise.next().abs()) {
            (6, u) if u < 0.12 => 0,
            (6, u) if u < 0.19 => 2,
            (6, u) if u < 0.24 => 4,
            (0, u) if u < 0.09 => 6,
            (2, u) if u < 0.08 => 4,
            (4, u) if u < 0.07 => 2,
            (9, u) if u < 0.03 => 7,
            (_, u) if u < 0.01 => (noise.next().abs() * 10.0) as usize % 10,
            _ => truth,
        };
        confusion.add(truth, predicted);
    }
    run.evaluation = Some(Evaluation {
        split: "test".into(),
        checkpoint: "best".into(),
        samples: confusion.total(),
        outcome: Outcome::Confusion(confusion),
        baselines: None,
    });
    run
}

/// A finished regression with R² and RMSE.
pub fn regression(samples: usize) -> RunRecord {
    let mut noise = Noise(3);
    let mut run = classification(60, 2);
    run.name = "diabetes-mlp-003".into();
    run.folder = "runs/diabetes-mlp-003".into();
    run.summary = Summary {
        data: "diabetes.csv".into(),
        task: "regression".into(),
        metric: "r2".into(),
        goal: Goal::Max,
        ..run.summary
    };
    run.metrics.columns =
        ["train_loss", "train_r2", "valid_loss", "valid_r2", "valid_rmse"].map(String::from).to_vec();
    for row in &mut run.metrics.rows {
        let t = row.epoch as f64 / 10.0;
        let r2 = 0.49 - 3.0 * (-t).exp() + 0.01 * noise.next();
        row.metrics = [
            ("train_loss", 0.45 + 4.0 * (-t).exp()),
            ("train_r2", r2 + 0.06),
            ("valid_loss", 0.53 + 4.0 * (-t).exp() + 0.01 * noise.next()),
            ("valid_r2", r2),
            ("valid_rmse", 54.0 + 90.0 * (-t).exp()),
        ]
        .into();
    }
    let mut best = run.metrics.rows[48].metrics.clone();
    best.set("test_loss", 0.51);
    best.set("test_r2", 0.487);
    run.summary.best = Some(Figures { epoch: 49, step: 49 * 39, metrics: best });
    let truth: Vec<f32> =
        (0..samples).map(|_| (150.0 + 110.0 * noise.next() + 30.0 * noise.next()) as f32).collect();
    let predicted: Vec<f32> = truth
        .iter()
        .map(|t| (75.0 + 0.5 * f64::from(*t) + 40.0 * (noise.next() + noise.next() + noise.next())) as f32)
        .collect();
    run.evaluation = Some(Evaluation {
        split: "test".into(),
        checkpoint: "best".into(),
        samples: samples as u64,
        outcome: Outcome::Residuals(vec![Residuals::new("target", &truth, &predicted)]),
        baselines: None,
    });
    run
}

/// Stopped before the first epoch ended.
pub fn nothing() -> RunRecord {
    let mut run = classification(20, 10);
    run.metrics = MetricsTable::default();
    run.evaluation = None;
    run.summary = Summary {
        status: Status::Interrupted,
        best: None,
        last: None,
        epochs: 0,
        steps: 3,
        seconds: 0.02,
        weights_sha256: None,
        ..run.summary
    };
    run
}

/// The loss became NaN in epoch 7.
pub fn diverged() -> RunRecord {
    let mut run = classification(20, 10);
    run.metrics.rows.truncate(8);
    for (i, row) in run.metrics.rows.iter_mut().enumerate() {
        let bad = i >= 6;
        row.metrics.set("train_loss", if bad { f64::NAN } else { 2.3 * 3f64.powi(i as i32) });
        row.metrics.set("valid_loss", if bad { f64::INFINITY } else { 2.1 * 3.3f64.powi(i as i32) });
        if bad {
            row.metrics.set("valid_accuracy", f64::NAN);
        }
    }
    let first = &run.metrics.rows[0];
    run.summary.status = Status::Diverged;
    run.summary.epochs = 7;
    run.summary.reason = Some("loss became NaN at step 248; first bad tensor is `block3.norm`".into());
    run.summary.best = Some(Figures { epoch: 1, step: 39, metrics: first.metrics.clone() });
    run.summary.last = run.summary.best.clone();
    run.summary.seconds = 1.2;
    run.evaluation = None;
    run
}

/// `text` in every place that holds text.
pub fn hostile(text: &str) -> RunRecord {
    let mut run = classification(3, 3);
    let bad = || text.to_string();
    run.name = bad();
    run.folder = bad();
    run.config = format!("[{text}]\nkey = {text} # {text}\n{text} = 1\n{text}\n# {text}");
    run.metrics.columns.push(format!("valid_{text}"));
    run.metrics.columns.push(bad());
    run.metrics.rows.iter_mut().for_each(|r| {
        r.metrics.set(format!("valid_{text}"), 1.0);
        r.metrics.set(bad(), f64::NAN);
    });
    let s = &mut run.summary;
    s.reason = Some(bad());
    (s.data, s.model, s.task, s.metric, s.version) = (bad(), bad(), bad(), bad(), bad());
    s.weights_sha256 = Some(bad());
    s.machine = Machine { cpu: bad(), isa: bad(), cores: 1, os: bad() };
    if let Some(best) = &mut s.best {
        best.metrics.set(format!("valid_{text}"), 0.5);
    }
    let mut confusion = Confusion::new(vec![bad(), format!("{text}2"), "c".into()]);
    confusion.add(0, 1);
    confusion.add(1, 1);
    run.explanation = Some(explanation(text));
    run.evaluation = Some(Evaluation {
        split: bad(),
        checkpoint: bad(),
        samples: 2,
        outcome: Outcome::Confusion(confusion),
        baselines: None,
    });
    run
}
