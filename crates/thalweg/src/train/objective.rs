//! What a run makes small: the losses of its heads, as nodes of its graph, and how their values add up.

use std::ops::Range;
use std::sync::Arc;

use engine::graph::{Built, Graph, Var};
use engine::ops::binary::Fn2;
use engine::ops::unary::Fn1;

use super::error::TrainError;
use crate::config::RunConfig;
use crate::data::Task;
use crate::losses::{Compared, Costs, Loss, LossError, Probabilities, Targets};
use crate::source::{Head, Source, columns};

/// Where all weights of a batch are 0, because every target is missing or no sample counts, sums are divided by this.
const NO_WEIGHT: f32 = 1e-30;

/// One head with its loss.
#[derive(Clone, Debug)]
pub(super) struct Term {
    pub head: Head,
    pub loss: Arc<dyn Loss>,
    /// factor of its loss in the sum
    pub weight: f64,
    /// columns of the model's outputs
    pub outputs: Range<usize>,
    /// its part of the constants
    constants: Range<usize>,
}

impl RunConfig {
    /// The loss of a head and its weight in the sum.
    pub(super) fn loss_of(&self, head: &Head) -> (Arc<dyn Loss>, f64) {
        match self.heads.iter().find(|own| own.name == head.name) {
            Some(own) => (own.loss.build(&head.task), own.weight),
            None => (self.loss.build(&head.task), 1.0),
        }
    }
}

/// The losses of all heads, made ready for their targets.
#[derive(Clone, Debug, Default)]
pub(super) struct Objective {
    terms: Vec<Term>,
    /// what losses took from the targets, in the order of heads
    constants: Vec<f32>,
}

/// The target of one head in a graph.
#[derive(Clone, Copy, Debug)]
pub(super) struct Truth {
    /// class indices `[batch]`, or numbers `[batch, n]`
    pub target: Var,
    /// what the sample counts, 0 where the target is missing, `[batch]`; nothing where all count 1
    pub present: Option<Var>,
}

/// What mixed samples have besides their own targets.
#[derive(Clone, Debug)]
pub(super) struct Mixture {
    /// the partners' targets
    pub partners: Vec<Truth>,
    /// share of the own target, `[batch]`
    pub own: Var,
}

/// The losses of a graph.
#[derive(Clone, Debug)]
pub(super) struct Total {
    /// of each head
    pub costs: Vec<Costs>,
    /// the weighted sum of their means, whose gradient trains
    pub mean: Var,
}

impl Objective {
    /// Takes the loss and the weight that `choose` gives for each head of the source.
    pub fn new(
        source: &dyn Source,
        train: &[u32],
        choose: impl Fn(&Head) -> (Arc<dyn Loss>, f64),
    ) -> Result<Self, TrainError> {
        let heads = source.heads();
        let (mut terms, mut constants) = (Vec::new(), Vec::new());
        for (i, (head, outputs)) in heads.iter().zip(columns(heads, Task::n_outputs)).enumerate() {
            let (loss, weight) = choose(head);
            let start = constants.len();
            let fitted = loss.fit(&Targets::new(source, i, train));
            constants.extend(fitted.map_err(|error| of_head(&head.name, error))?);
            let constants = start..constants.len();
            terms.push(Term { head: head.clone(), loss, weight, outputs, constants });
        }
        Ok(Objective { terms, constants })
    }

    /// The heads with their losses.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// The only head, where there is one and all of its targets are known.
    pub fn only(&self) -> Option<&Term> {
        match &self.terms[..] {
            [term] if !term.head.may_miss => Some(term),
            _ => None,
        }
    }

    #[cfg(feature = "runs")]
    /// Name of the figure by which the model is judged: of several heads, the loss.
    pub fn main_metric(&self) -> &'static str {
        match &self.terms[..] {
            [term] if term.head.name.is_empty() => term.main_metric(),
            _ => "loss",
        }
    }

    #[cfg(feature = "runs")]
    /// What is learned, in one word.
    pub fn kind(&self) -> &'static str {
        match &self.terms[..] {
            [Term { head: Head { task: Task::Classification { .. }, .. }, .. }] => "classification",
            [Term { head: Head { task: Task::Regression { .. }, .. }, .. }] => "regression",
            _ => "heads",
        }
    }

    /// What a sample counts in the mean: its own weight, times that of its class where there is one head.
    pub fn weight_of(&self, source: &dyn Source, sample: u32) -> f64 {
        let own = if source.is_weighted() { source.weight(sample) } else { 1.0 };
        let [term] = &self.terms[..] else { return own };
        let mut target = [0.0; 1];
        if term.constants.is_empty() || source.targets(&[sample], &mut target).is_err() {
            return own;
        }
        own * term.loss.weight(&self.constants, target[0])
    }

    /// Values that the graph keeps for the losses behind the model's buffers.
    pub fn buffers(&self) -> &[f32] {
        &self.constants
    }

    /// What an ensemble with outputs `[batch, members, n]` answers: the logarithms of its members' mean probabilities
    /// where classes are told by softmax, else the mean of their outputs.
    pub fn joined(&self, g: &mut Graph, outputs: Var) -> Built {
        let batch = g.shape(outputs)[0];
        let mut heads = Vec::new();
        for term in &self.terms {
            let n = term.outputs.len();
            let own = g.slice(outputs, 2, term.outputs.start, n)?;
            let softmax = term.loss.probabilities() == Probabilities::Softmax;
            let own = if softmax { g.softmax(own)? } else { own };
            let mean = g.mean_axes(own, 1, 2)?;
            let mean = g.reshape(mean, [batch, n])?;
            heads.push(match softmax {
                true => {
                    let least = g.constant(f32::MIN_POSITIVE, [])?;
                    let mean = g.binary(Fn2::Max, mean, least)?;
                    g.unary(Fn1::Ln, mean)?
                }
                false => mean,
            });
        }
        g.concat(&heads, 1)
    }

    /// Adds the losses of `outputs` to a graph. That of a mixed sample is
    /// own · L(target) + (1 − own) · L(partner); where samples have weights, the mean divides by the sum of the weights
    /// mixed alike. An ensemble has outputs for each of its members, and its loss is the mean of theirs.
    pub fn build(
        &self,
        g: &mut Graph,
        outputs: &[Var],
        truths: &[Truth],
        mixture: Option<&Mixture>,
    ) -> Built<Total> {
        let mut costs = Vec::new();
        for (i, term) in self.terms.iter().enumerate() {
            let scope =
                if term.head.name.is_empty() { "loss".into() } else { format!("loss.{}", term.head.name) };
            let mixed = mixture.map(|m| (m.partners[i], m.own));
            costs.push(g.scope(scope, |g| term.build(g, outputs, truths[i], mixed))?);
        }
        let mut mean = None;
        for (term, costs) in self.terms.iter().zip(&costs) {
            let own = if term.weight == 1.0 { costs.mean } else { g.scale(costs.mean, term.weight as f32)? };
            mean = Some(mean.map_or(Ok(own), |sum| g.add(sum, own))?);
        }
        let mean = mean.map_or_else(|| g.constant(0.0, []), Ok)?;
        Ok(Total { costs, mean })
    }
}

impl Term {
    fn build(
        &self,
        g: &mut Graph,
        outputs: &[Var],
        own: Truth,
        mixture: Option<(Truth, Var)>,
    ) -> Built<Costs> {
        let constants = match self.constants.len() {
            0 => None,
            n => Some(g.buffer("constants", [n])?.0),
        };
        let mut sum: Option<Costs> = None;
        for outputs in outputs {
            let costs = self.of_outputs(g, *outputs, own, mixture, constants)?;
            sum = Some(match sum {
                None => costs,
                Some(sum) => Costs {
                    each: g.add(sum.each, costs.each)?,
                    weight: costs.weight,
                    mean: g.add(sum.mean, costs.mean)?,
                },
            });
        }
        let Some(sum) = sum else { unreachable!("a model has outputs") };
        let share = 1.0 / outputs.len() as f32;
        Ok(Costs { each: g.scale(sum.each, share)?, weight: sum.weight, mean: g.scale(sum.mean, share)? })
    }

    /// The loss of one model's outputs, or of one member's.
    fn of_outputs(
        &self,
        g: &mut Graph,
        outputs: Var,
        own: Truth,
        mixture: Option<(Truth, Var)>,
        constants: Option<Var>,
    ) -> Built<Costs> {
        let outputs = match g.shape(outputs).len() {
            2 => g.slice(outputs, 1, self.outputs.start, self.outputs.len())?,
            _ => outputs,
        };
        let one = self.one(g, outputs, own, constants)?;
        let Some((partner, share)) = mixture else { return Ok(one) };
        let other = self.one(g, outputs, partner, constants)?;
        let each = blend(g, share, one.each, other.each)?;
        match one.weight.zip(other.weight) {
            None => Costs::alike(g, each),
            Some((one, other)) => {
                let weight = blend(g, share, one, other)?;
                weighted(g, each, weight, own.present)
            }
        }
    }

    /// The loss with one target.
    fn one(&self, g: &mut Graph, outputs: Var, truth: Truth, constants: Option<Var>) -> Built<Costs> {
        let compared = Compared { outputs, target: truth.target, task: &self.head.task, constants };
        let costs = self.loss.build(g, &compared)?;
        let Some(present) = truth.present else { return Ok(costs) };
        let each = g.mul(costs.each, present)?;
        let weight = costs.weight.map_or(Ok(present), |w| g.mul(w, present))?;
        weighted(g, each, weight, truth.present)
    }

    /// Whether numbers as targets are answers to yes-or-no questions.
    pub fn is_yes_or_no(&self) -> bool {
        let numbers = matches!(self.head.task, Task::Regression { .. });
        numbers && self.loss.probabilities() == Probabilities::Sigmoid
    }

    #[cfg(feature = "runs")]
    /// Name of the figure by which it is judged.
    fn main_metric(&self) -> &'static str {
        match &self.head.task {
            Task::Classification { .. } => "accuracy",
            Task::Regression { .. } if self.is_yes_or_no() => "accuracy",
            Task::Regression { .. } => "r2",
        }
    }
}

/// The weighted mean; where samples may count nothing, a batch of nothing but these costs 0.
fn weighted(g: &mut Graph, each: Var, weight: Var, present: Option<Var>) -> Built<Costs> {
    if present.is_none() {
        return Costs::weighted(g, each, weight);
    }
    let (sum, divisor, least) = (g.sum(each)?, g.sum(weight)?, g.constant(NO_WEIGHT, [])?);
    let divisor = g.binary(Fn2::Max, divisor, least)?;
    Ok(Costs { each, weight: Some(weight), mean: g.div(sum, divisor)? })
}

/// The outputs of each member of an ensemble that gives `[batch, members, n]`.
pub(super) fn of_members(g: &mut Graph, outputs: Var) -> Built<Vec<Var>> {
    let &[batch, members, n] = &g.shape(outputs)[..] else {
        unreachable!("an ensemble gives its outputs for each member")
    };
    let of = |i| {
        let own = g.slice(outputs, 1, i, 1)?;
        g.reshape(own, [batch, n])
    };
    (0..members).map(of).collect()
}

/// own · a + (1 − own) · b for `a: [batch]`, `b: [batch]`.
fn blend(g: &mut Graph, own: Var, a: Var, b: Var) -> Built {
    let difference = g.sub(a, b)?;
    let part = g.mul(own, difference)?;
    g.add(b, part)
}

/// A loss that does not suit its head, by the head's name, with what to write in the head's own table.
fn of_head(name: &str, error: LossError) -> TrainError {
    if name.is_empty() {
        return error.into();
    }
    let hint = match &error {
        LossError::Targets { .. } => Some(format!("`{name}` without `loss` takes what suits its targets")),
        LossError::ClassWeights { expected, .. } => Some(format!(
            "`class_weights = \"balanced\"` in the loss of `{name}`, or a list of {expected} numbers"
        )),
        LossError::Source(_) => error.hint(),
    };
    TrainError::Heads { problem: format!("head `{name}`: {error}"), hint }
}
