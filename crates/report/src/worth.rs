//! Simple models beside the network's figure: a line, a sentence where the network is not worth it, and bars.

use std::fmt::Write as _;

use record::{Baseline, Baselines, Evaluation};

use crate::format::{count, is_share, metric_words, number, split_words, value};
use crate::markup::esc;

/// The figures of simple models in one line: `for comparison: majority 61.2 %, linear model 88.0 %`; RMSE is named.
/// Nothing where none was measured.
pub fn comparison(evaluation: &Evaluation) -> Option<String> {
    let found = evaluation.baselines.as_ref()?;
    let of_model = |model: &Baseline| {
        let shown = model.value.map(|v| plain(value(&found.metric, v)));
        shown.map(|shown| format!("{} {shown}", model.name))
    };
    let known: Vec<String> = found.models.iter().filter_map(of_model).collect();
    let unit =
        if is_share(&found.metric) { String::new() } else { format!("{} of ", metric_words(&found.metric)) };
    (!known.is_empty()).then(|| format!("for comparison: {unit}{}{}", known.join(", "), left_out(found)))
}

/// Why models are left out, each reason once.
fn left_out(found: &Baselines) -> String {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for model in &found.models {
        let Some(reason) = &model.left_out else { continue };
        match reasons.iter_mut().find(|(known, _)| known == reason) {
            Some((_, names)) => names.push(&model.name),
            None => reasons.push((reason, vec![&model.name])),
        }
    }
    let said = |(reason, names): (&str, Vec<&str>)| format!("; without {}: {reason}", names.join(" and "));
    reasons.into_iter().map(said).collect()
}

/// What is said where the network is not better than the linear model by more than the noise of the samples; nothing
/// of samples that were learned.
pub fn worth(evaluation: &Evaluation) -> Option<String> {
    let found = evaluation.baselines.as_ref().filter(|_| evaluation.split != "train")?;
    let gain = found.against_linear.filter(|gain| !gain.is_beyond_noise())?;
    let linear = found.models.iter().find(|model| model.name == "linear model")?.value?;
    let [own, linear] = [found.network?, linear].map(|v| plain(value(&found.metric, v)));
    let words = if gain.is_loss_beyond_noise() { "worse than" } else { "not better than" };
    let noise = if gain.is_loss_beyond_noise() { "by more than" } else { "beyond" };
    let metric = metric_words(&found.metric);
    let part = split_words(&evaluation.split);
    let difference = gain.standard_error.map_or_else(String::new, |error| match is_share(&found.metric) {
        true => format!("; the difference is {:.1} ± {:.1} points", 100.0 * gain.mean, 100.0 * error),
        false => format!("; the mean squares differ by {} ± {}", number(gain.mean), number(error)),
    });
    Some(format!(
        "The network is {words} a linear model {noise} the noise of the {part} part ({} samples): {metric} {own} against \
         {linear}{}.",
        count(evaluation.samples),
        difference.replace("-", "−")
    ))
}

fn plain(text: String) -> String {
    text.replace('\u{a0}', " ")
}

/// The network's figure and those of simple models as bars.
pub(crate) fn section(evaluation: &Evaluation) -> String {
    let Some(found) = &evaluation.baselines else { return String::new() };
    let own = Baseline { name: "the network".into(), value: found.network, left_out: None };
    let models: Vec<&Baseline> = std::iter::once(&own).chain(&found.models).collect();
    let share = is_share(&found.metric);
    let largest = models.iter().filter_map(|m| m.value).fold(0.0, f64::max);
    let scale = if share || largest <= 0.0 { 1.0 } else { largest };
    let metric = metric_words(&found.metric);
    let better = if share { "" } else { ", lower is better" };
    let mut out = format!(
        "<section><h2>Is the network worth it? <small>{}{better}, {} split</small></h2><table class=\"scores\"><tbody>",
        esc(&metric),
        esc(split_words(&evaluation.split))
    );
    for model in models {
        let (width, text) = match (model.value, &model.left_out) {
            (Some(v), _) => (100.0 * (v / scale).clamp(0.0, 1.0), value(&found.metric, v)),
            (None, reason) => {
                (0.0, reason.as_ref().map_or_else(|| "–".into(), |why| format!("left out: {}", esc(why))))
            }
        };
        let _ = write!(
            out,
            "<tr><th scope=\"row\" class=\"name\">{}</th><td><span class=\"bar\" style=\"--w:{width:.1}%\">{text}</span></td></tr>",
            esc(&model.name)
        );
    }
    out + "</tbody></table><p class=\"note\">Simple models, fitted on the training part and evaluated on the same samples.</p></section>\n"
}

#[cfg(test)]
mod tests {
    use record::{Confusion, Gain, Outcome};

    use super::*;

    fn evaluation(metric: &str, figures: [Option<f64>; 4], gain: (f64, f64)) -> Evaluation {
        let names = ["majority", "linear model", "nearest neighbors"];
        let left_out = |v: Option<f64>| v.is_none().then(|| "9 × 9 values are too many".to_owned());
        let models = names.iter().zip(&figures[1..]);
        Evaluation {
            split: "test".into(),
            checkpoint: "best".into(),
            samples: 1360,
            outcome: Outcome::Confusion(Confusion::new(Vec::new())),
            baselines: Some(Baselines {
                metric: metric.into(),
                network: figures[0],
                models: models
                    .map(|(name, v)| Baseline { name: (*name).into(), value: *v, left_out: left_out(*v) })
                    .collect(),
                against_linear: figures[2].map(|_| Gain { mean: gain.0, standard_error: Some(gain.1) }),
            }),
        }
    }

    #[test]
    fn figures_stand_in_a_line() {
        let all = evaluation("accuracy", [Some(0.9), Some(0.612), Some(0.88), Some(0.901)], (0.02, 0.012));
        let line = "for comparison: majority 61.2 %, linear model 88.0 %, nearest neighbors 90.1 %";
        assert_eq!(comparison(&all).as_deref(), Some(line));
        let text = "The network is not better than a linear model beyond the noise of the test part (1,360 samples): \
                    accuracy 90.0 % against 88.0 %; the difference is 2.0 ± 1.2 points.";
        assert_eq!(worth(&all).as_deref(), Some(text));
        let few = evaluation("rmse", [Some(4.0), Some(9.0), None, None], (0.0, 0.0));
        let line = "for comparison: RMSE of majority 9.000; without linear model and nearest neighbors: 9 × 9 values are \
                    too many";
        assert_eq!(comparison(&few).as_deref(), Some(line));
        assert_eq!(worth(&few), None);
        assert!(section(&few).contains("left out: 9 × 9 values are too many"));
    }

    #[test]
    fn only_what_is_no_gain_is_told() {
        let of = |gain| worth(&evaluation("rmse", [Some(4.0), Some(9.0), Some(5.0), None], gain));
        assert_eq!(of((9.0, 1.0)), None);
        let text = "The network is worse than a linear model by more than the noise of the test part (1,360 samples): RMSE \
                    4.000 against 5.000; the mean squares differ by −9.000 ± 1.000.";
        assert_eq!(of((-9.0, 1.0)).as_deref(), Some(text));
        assert!(of((0.0, 0.0)).is_some());
        let learned = Evaluation { split: "train".into(), ..evaluation("rmse", [Some(4.0); 4], (0.0, 1.0)) };
        assert_eq!(worth(&learned), None);
    }
}
