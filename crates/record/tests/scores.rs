//! Figures of scores held to scikit-learn's, and what is undefined.

use record::{Confusion, Scored, Scores};
use serde_json::Value;

/// The checked-in figures of `golden/scores.py`.
const GOLDEN: &str = include_str!("golden/scores.json");

#[track_caller]
fn near(got: Option<f64>, want: &Value, what: &str) {
    let (got, want) = (got.unwrap(), want.as_f64().unwrap());
    assert!((got - want).abs() <= 1e-12 * want.abs().max(1e-3), "{what}: {got}, expected {want}");
}

#[test]
fn figures_are_scikit_learns() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 5);
    for case in cases {
        let truth: Vec<usize> =
            case["truth"].as_array().unwrap().iter().map(|y| y.as_u64().unwrap() as usize).collect();
        let rows = case["probabilities"].as_array().unwrap();
        let p = |i: usize, class: usize| rows[i][class].as_f64().unwrap();
        let k = rows[0].as_array().unwrap().len();
        let classes: Vec<String> = (0..k).map(|class| class.to_string()).collect();
        let scores =
            Scores::new(&Scored { classes: &classes, truth: &truth, score: &p, are_probabilities: true });
        let name = case["name"].as_str().unwrap();
        near(scores.roc_auc, &case["roc_auc"], name);
        near(scores.average_precision, &case["average_precision"], name);
        near(scores.log_loss, &case["log_loss"], name);
        near(scores.brier, &case["brier"], name);
        near(scores.calibration_error, &case["calibration_error"], name);
        assert_eq!(scores.positive, case["positive"].as_u64().map(|class| class.to_string()), "{name}");

        let mut confusion = Confusion::new(classes);
        for (i, truth) in truth.iter().enumerate() {
            let chosen = (0..k).fold(0, |best, class| if p(i, class) > p(i, best) { class } else { best });
            confusion.add(*truth, chosen);
        }
        near(confusion.balanced_accuracy(), &case["balanced_accuracy"], name);
        let confusion = confusion.with_scores(scores);
        let text = serde_json::to_string(&confusion).unwrap();
        assert_eq!(serde_json::from_str::<Confusion>(&text).unwrap(), confusion, "{name}");
    }
}

#[test]
fn what_is_undefined_is_none() {
    let classes = ["no", "yes"].map(String::from);
    let scores = |truth: &[usize], score: &dyn Fn(usize, usize) -> f64, are_probabilities| {
        Scores::new(&Scored { classes: &classes, truth, score, are_probabilities })
    };
    let half = |_: usize, _: usize| 0.5;
    let one = scores(&[1, 1], &half, true);
    assert_eq!((one.roc_auc, one.average_precision, one.brier), (None, None, Some(0.25)));
    assert_eq!(one.positive.as_deref(), Some("no"));
    assert_eq!(scores(&[], &half, true), Scores::default());
    assert_eq!(scores(&[0, 1], &|_, _| f64::NAN, true), Scores::default());
    let ranked = scores(&[0, 1], &|i, class| if i == class { 3.0 } else { -3.0 }, false);
    assert_eq!((ranked.roc_auc, ranked.log_loss, ranked.calibration_error), (Some(1.0), None, None));
}

#[test]
fn files_of_before_have_no_scores_and_the_majority_is_told() {
    let text = r#"{"classes":["no","yes"],"counts":[[98,0],[2,0]],"accuracy":0.98}"#;
    let confusion: Confusion = serde_json::from_str(text).unwrap();
    assert_eq!(confusion.scores(), &Scores::default());
    let majority = confusion.majority().unwrap();
    assert_eq!((majority.class.as_str(), majority.share), ("no", 0.98));
    assert_eq!((confusion.accuracy(), confusion.balanced_accuracy()), (Some(0.98), Some(0.5)));
    let json = serde_json::to_value(&confusion).unwrap();
    assert_eq!(json["majority"]["class"], "no");
    assert!(json["roc_auc"].is_null());
    assert_eq!(Confusion::new(vec!["a".into()]).majority(), None);
}
