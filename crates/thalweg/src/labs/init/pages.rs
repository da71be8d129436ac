//! From measurements to the record: data, tables, and what the figure is drawn from.

use record::{Chart, Claim, HistogramRow, LabFigure, LabRecord, Line, mean_and_std};

use super::measure::{BINS, HIGH, LOW, Layers, Stats};
use super::{ENTRY, Measured, Request, Sizes};

/// The most layers that get a histogram of their own.
const MOST_HISTOGRAMS: usize = 10;

/// A quantity of a layer: its word in the data, and where it stands.
type Quantity = (&'static str, fn(&Layers) -> &[Stats]);

const QUANTITIES: [Quantity; 3] = [
    ("output", |layers| &layers.outputs),
    ("gradient", |layers| &layers.gradients),
    ("weight_gradient", |layers| &layers.weights),
];

pub(super) fn record(
    request: &Request<'_>,
    sizes: Sizes,
    measured: &[Measured],
    claims: Vec<Claim>,
) -> LabRecord {
    let pairs = |list: &[(&str, String)]| list.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
    let names: Vec<String> = measured.iter().map(|m| m.setting.name()).collect();
    LabRecord {
        lab: ENTRY.name.into(),
        title: ENTRY.title.into(),
        source: ENTRY.source.into(),
        command: request.command(&ENTRY),
        settings: pairs(&[
            ("depth", sizes.depth.to_string()),
            ("width", sizes.width.to_string()),
            ("samples", sizes.samples.to_string()),
            ("settings", names.join("; ")),
        ]),
        seeds: request.seeds.clone(),
        claims,
        version: env!("CARGO_PKG_VERSION").into(),
        data: data(request, measured),
        figure: figure(measured, sizes),
        tables: tables(measured, sizes),
        notes: vec![
            "Input and the gradient that comes in at the last layer's result are drawn from N(0, 1). No layer has a bias. The \
             deviation is that of all values of a layer, over samples and units; ± is the sample deviation over the seeds."
                .into(),
            "The slides speak of a 10-dimensional input; their program, as this lab, gives the first layer 500 values.".into(),
            "The slides write σ = 1/√(fan-in) for Xavier's initialization. Glorot and Bengio's own is √(2/(fan-in + fan-out)), the \
             same where all layers are of one width; here `xavier_normal` is that, times the gain of the activation."
                .into(),
        ],
    }
}

/// A row for each setting, quantity, layer and seed: mean, deviation, and the share in each of the bins.
fn data(request: &Request<'_>, measured: &[Measured]) -> String {
    let bins: Vec<String> = (1..=BINS).map(|i| format!("bin_{i:02}")).collect();
    let mut text = format!("activation,init,quantity,layer,seed,mean,std,{}\n", bins.join(","));
    for Measured { setting, seeds } in measured {
        let init = toml::Value::try_from(&setting.init).map_or_else(|_| setting.init(), |v| inline(&v));
        for (quantity, of) in QUANTITIES {
            for (layers, seed) in seeds.iter().zip(&request.seeds) {
                for (i, s) in of(layers).iter().enumerate() {
                    let shares: Vec<String> =
                        s.bins.iter().map(|b| ((b * 1e9).round() / 1e9).to_string()).collect();
                    text += &format!(
                        "{},\"{init}\",{quantity},{},{seed},{},{},{}\n",
                        setting.activation(),
                        i + 1,
                        s.mean,
                        s.std,
                        shares.join(",")
                    );
                }
            }
        }
    }
    text
}

/// `normal std=0.01 mean=0`: a table in a cell.
fn inline(value: &toml::Value) -> String {
    let Some(table) = value.as_table() else { return value.to_string() };
    let name = table.get("name").and_then(|n| n.as_str()).unwrap_or_default();
    let rest = table.iter().filter(|(key, _)| *key != "name");
    let rest: Vec<String> = rest
        .map(|(k, v)| format!(" {k}={}", v.as_str().map_or_else(|| v.to_string(), String::from)))
        .collect();
    format!("{name}{}", rest.concat()).replace('"', "'")
}

/// The mean and deviation over the seeds of a value of every layer.
fn by_layer(m: &Measured, value: impl Fn(&Layers, usize) -> f64) -> Vec<(f64, Option<f64>)> {
    let depth = m.seeds.first().map_or(0, |layers| layers.outputs.len());
    let over_seeds = |layer| mean_and_std(&m.seeds.iter().map(|s| value(s, layer)).collect::<Vec<_>>());
    (0..depth).map(over_seeds).collect()
}

fn figure(measured: &[Measured], sizes: Sizes) -> LabFigure {
    let chart = |title: &str, log: bool, value: fn(&Layers, usize) -> f64| Chart {
        title: title.into(),
        x_label: "layer".into(),
        log,
        lines: measured
            .iter()
            .map(|m| Line { name: m.setting.name(), points: by_layer(m, value), first: 1.0 })
            .collect(),
    };
    let shown: Vec<usize> = match sizes.depth {
        depth if depth <= MOST_HISTOGRAMS => (0..depth).collect(),
        depth => (0..MOST_HISTOGRAMS).map(|i| i * (depth - 1) / (MOST_HISTOGRAMS - 1)).collect(),
    };
    let row = |m: &Measured| HistogramRow {
        name: m.setting.name(),
        bins: shown
            .iter()
            .map(|layer| m.seeds.first().map_or(vec![0.0; BINS], |s| s.outputs[*layer].bins.clone()))
            .collect(),
        captions: shown.iter().map(|layer| format!("layer {}", layer + 1)).collect(),
    };
    LabFigure {
        charts: vec![
            chart("Deviation of a layer's results", true, |s, l| s.outputs[l].std),
            chart("Mean of a layer's results", false, |s, l| s.outputs[l].mean),
            chart("Deviation of the gradient at a layer's results", true, |s, l| s.gradients[l].std),
            chart("Deviation of a layer's weight gradient", true, |s, l| s.weights[l].std),
        ],
        histograms: "Results of each layer: share of values in 30 bins from −1 to 1, of the first seed; each picture to its own height"
            .into(),
        low: LOW,
        high: HIGH,
        rows: measured.iter().map(row).collect(),
    }
}

fn tables(measured: &[Measured], sizes: Sizes) -> Vec<(String, Vec<Vec<String>>)> {
    let table = |title: &str, value: fn(&Layers, usize) -> f64| {
        let head = std::iter::once("layer".to_owned()).chain(measured.iter().map(|m| m.setting.name()));
        let columns: Vec<_> = measured.iter().map(|m| by_layer(m, value)).collect();
        let row = |layer: usize| {
            let cells = columns.iter().map(|column| spread(column[layer]));
            std::iter::once((layer + 1).to_string()).chain(cells).collect::<Vec<String>>()
        };
        (
            title.to_owned(),
            std::iter::once(head.collect::<Vec<String>>()).chain((0..sizes.depth).map(row)).collect(),
        )
    };
    vec![
        table("Deviation of the results", |s, l| s.outputs[l].std),
        table("Mean of the results", |s, l| s.outputs[l].mean),
        table("Share of results beyond ±0.95", |s, l| s.outputs[l].saturated),
        table("Deviation of the gradient at the results", |s, l| s.gradients[l].std),
        table("Deviation of the weight gradient", |s, l| s.weights[l].std),
    ]
}

/// `0.213 ± 0.001`, in four digits of the value.
fn spread((mean, std): (f64, Option<f64>)) -> String {
    let small = |v: f64| v != 0.0 && !(1e-3..1e5).contains(&v.abs());
    let shown = |v: f64| if small(v) { format!("{v:.1e}") } else { format!("{v:.3}") };
    let std =
        std.map_or(String::new(), |s| if small(mean) { format!(" ± {s:.0e}") } else { format!(" ± {s:.3}") });
    format!("{}{std}", shown(mean))
}
