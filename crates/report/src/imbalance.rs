//! Where accuracy hides that a class is never found.

use record::{Confusion, Evaluation, Outcome};

use crate::format::percent;

/// An accuracy of at most this much above the majority's share says little.
const SMALL: f64 = 0.005;
/// Classes that are named.
const NAMED: usize = 3;

/// What accuracy does not say: that always answering the most frequent class is right as often, and which classes are
/// never found. One sentence for each head.
pub fn imbalance(evaluation: &Evaluation) -> Vec<String> {
    match &evaluation.outcome {
        Outcome::Confusion(confusion) => of_classes(confusion).into_iter().collect(),
        Outcome::Heads(heads) => {
            let of_head = |head: &record::HeadOutcome| match &head.outcome {
                Outcome::Confusion(confusion) => {
                    of_classes(confusion).map(|text| format!("{}: {text}", head.name))
                }
                _ => None,
            };
            heads.iter().filter_map(of_head).collect()
        }
        _ => Vec::new(),
    }
}

fn of_classes(confusion: &Confusion) -> Option<String> {
    let (accuracy, majority) = (confusion.accuracy()?, confusion.majority()?);
    let share = |x: f64| percent(x).replace('\u{a0}', " ");
    let (right, most) = (share(accuracy), share(majority.share));
    // one class alone is no imbalance
    let one = confusion.per_class().iter().filter(|score| score.support > 0).count() < 2;
    let compared = match accuracy - majority.share {
        _ if one => None,
        _ if right == most => {
            Some(format!("accuracy {right} equals the majority class `{}`", majority.class))
        }
        above if above > SMALL => None,
        above => {
            let word = if above < 0.0 { "below" } else { "hardly above" };
            Some(format!("accuracy {right} is {word} the majority class `{}`, {most}", majority.class))
        }
    };
    let missed = missed(confusion);
    let parts: Vec<String> = compared.into_iter().chain(missed).collect();
    (!parts.is_empty()).then(|| format!("{}.", parts.join("; ")))
}

/// Classes that samples have and no answer found.
fn missed(confusion: &Confusion) -> Option<String> {
    let scores = confusion.per_class();
    let missed: Vec<String> = scores
        .iter()
        .filter(|score| score.recall == Some(0.0))
        .map(|score| format!("`{}`", score.class))
        .collect();
    let more = missed.len().saturating_sub(NAMED);
    let named = missed[..missed.len() - more].join(", ");
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!missed.is_empty()).then(|| format!("recall of {named}{more} is 0 %"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(counts: &[&[u64]]) -> Option<String> {
        let names = (0..counts.len()).map(|i| ["no", "yes", "c", "d", "e"][i].to_owned()).collect();
        let mut confusion = Confusion::new(names);
        for (truth, row) in counts.iter().enumerate() {
            for (predicted, n) in row.iter().enumerate() {
                (0..*n).for_each(|_| {
                    confusion.add(truth, predicted);
                });
            }
        }
        of_classes(&confusion)
    }

    #[test]
    fn accuracy_of_the_majority_is_told() {
        let text = "accuracy 98.0 % equals the majority class `no`; recall of `yes` is 0 %.";
        assert_eq!(said(&[&[98, 0], &[2, 0]]).as_deref(), Some(text));
        let text = "accuracy 97.0 % is below the majority class `no`, 98.0 %.";
        assert_eq!(said(&[&[96, 2], &[1, 1]]).as_deref(), Some(text));
        let text = "accuracy 98.2 % is hardly above the majority class `no`, 98.0 %.";
        assert_eq!(said(&[&[490, 0], &[9, 1]]).as_deref(), Some(text));
        assert_eq!(
            said(&[&[95, 3], &[0, 2]]).as_deref(),
            Some("accuracy 97.0 % is below the majority class `no`, 98.0 %.")
        );
        assert_eq!(said(&[&[50, 2], &[3, 45]]), None);
        assert_eq!(said(&[&[30, 0], &[0, 0]]), None);
        assert_eq!(said(&[&[0, 0], &[0, 0]]), None);
    }

    #[test]
    fn classes_that_are_never_found_are_named() {
        let rows: [&[u64]; 5] =
            [&[0, 9, 0, 0, 0], &[0, 9, 0, 0, 0], &[0, 0, 9, 0, 0], &[0, 0, 0, 9, 0], &[0, 0, 0, 0, 9]];
        assert_eq!(said(&rows).as_deref(), Some("recall of `no` is 0 %."));
        let rows: [&[u64]; 5] =
            [&[90, 0, 0, 0, 0], &[5, 0, 0, 0, 0], &[5, 0, 0, 0, 0], &[5, 0, 0, 0, 0], &[5, 0, 0, 0, 0]];
        let text = said(&rows).unwrap();
        assert!(text.ends_with("recall of `yes`, `c`, `d` and 1 more is 0 %."), "{text}");
    }
}
