//! Settings that change nothing beside the others.

use super::RunConfig;
use crate::optim::OptimConfig;
use crate::schedule::RunLength;

impl RunConfig {
    /// What is said of settings that have no effect on a run of that length.
    pub(crate) fn idle(&self, run: RunLength) -> Vec<String> {
        let groups = || self.groups.iter().filter(|group| !group.freeze);
        let optimizers =
            || std::iter::once(&self.optimizer).chain(groups().filter_map(|g| g.optimizer.as_ref()));
        let mut said = Vec::new();
        if self.momentum_schedule.is_some() && !optimizers().any(has_momentum) {
            let name = self.optimizer.entry().name;
            said.push(format!("`momentum_schedule` changes nothing: `{name}` has no momentum here"));
        }
        let decays = |optimizer: &OptimConfig| optimizer.build().is_ok_and(|o| o.weight_decay() > 0.0);
        let of_groups = groups().any(|group| group.weight_decay.is_some_and(|decay| decay > 0.0));
        if self.weight_decay_schedule.is_some() && !of_groups && !optimizers().any(decays) {
            said.push("`weight_decay_schedule` changes nothing: every weight decay is 0".into());
        }
        if self.average.is_some_and(|average| average.begins_behind(run)) {
            said.push(format!(
                "`average` changes nothing: it starts after the run ends at step {}; set an earlier `average.start`",
                run.n_steps
            ));
        }
        for group in &self.groups {
            let pattern = &group.r#match;
            let own = [
                ("optimizer", group.optimizer.is_some()),
                ("weight_decay", group.weight_decay.is_some()),
                ("lr_factor", group.lr_factor != 1.0),
            ];
            let own: Vec<&str> = own.iter().filter(|(_, set)| *set).map(|(key, _)| *key).collect();
            if group.freeze && !own.is_empty() {
                let keys = own.join("`, `");
                said.push(format!(
                    "`{keys}` of group `{pattern}` changes nothing: its parameters are frozen"
                ));
            } else if group.lr_factor == 0.0 {
                said.push(format!(
                    "`lr_factor = 0` does not train the parameters of group `{pattern}`; `freeze = true` also skips their gradients"
                ));
            }
        }
        said
    }
}

/// Whether a momentum, or Adam's first beta, is there to be changed.
fn has_momentum(optimizer: &OptimConfig) -> bool {
    match optimizer {
        OptimConfig::Sgd(_) => false,
        OptimConfig::Momentum(own) => own.momentum > 0.0,
        OptimConfig::Nesterov(own) => own.momentum > 0.0,
        OptimConfig::Adam(own) => own.betas[0] > 0.0,
        OptimConfig::AdamW(own) => own.betas[0] > 0.0,
        OptimConfig::Lamb(own) => own.betas[0] > 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(words: &[&str]) -> Vec<String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let config = RunConfig::load(None, &words).unwrap();
        config.idle(RunLength { steps_per_epoch: 10, n_steps: 100 })
    }

    #[test]
    fn what_changes_nothing_is_said() {
        for (words, key) in [
            (&["optimizer=sgd", "momentum_schedule=cosine"][..], "`momentum_schedule`"),
            (
                &["optimizer=momentum", "optimizer.momentum=0", "momentum_schedule=cosine"],
                "`momentum_schedule`",
            ),
            (&["optimizer=adam", "weight_decay_schedule=cosine"], "`weight_decay_schedule`"),
            (&["average=mean", "average.start=100st"], "`average`"),
            (&["average=ema", "average.start=11ep"], "`average`"),
            (&["average=mean", "average.start=95st", "average.every=10st"], "`average`"),
            (&["groups=[{match=\"0.*\",freeze=true,optimizer=\"sgd\"}]"], "`optimizer` of group `0.*`"),
            (
                &["groups=[{match=\"0.*\",freeze=true,lr_factor=0.1,weight_decay=0.1}]"],
                "`weight_decay`, `lr_factor`",
            ),
            (&["groups=[{match=\"0.*\",lr_factor=0}]"], "`lr_factor = 0`"),
        ] {
            let said = said(words);
            assert!(said.len() == 1 && said[0].starts_with(key), "{words:?}: {said:?}");
        }
    }

    #[test]
    fn what_changes_something_is_not() {
        for words in [
            &["momentum_schedule=cosine"][..],
            &["optimizer=sgd", "momentum_schedule=cosine", "groups=[{match=\"0.*\",optimizer=\"adam\"}]"],
            &["optimizer=adamw", "weight_decay_schedule=cosine"],
            &["weight_decay_schedule=cosine", "groups=[{match=\"0.*\",weight_decay=0.1}]"],
            &["average=mean"],
            &["average=ema", "average.start=99st"],
            &["groups=[{match=\"0.*\",freeze=true}]"],
        ] {
            assert_eq!(said(words), Vec::<String>::new(), "{words:?}");
        }
    }
}
