//! Reverse-mode differentiation: gradients are nodes of the same graph, so they can be differentiated again.

use crate::error::Fault;
use crate::graph::{Built, Graph, Var};

/// What an operator's gradient rule sees.
pub struct Backward<'g> {
    /// the graph that the gradient is added to
    pub graph: &'g mut Graph,
    /// the operator's inputs
    pub inputs: Vec<Var>,
    /// its result
    pub output: Var,
    /// gradient of the result
    pub dy: Var,
    given: Vec<(Var, Var)>,
}

impl Backward<'_> {
    /// States the gradient of input `i`.
    pub fn give(&mut self, i: usize, gradient: Var) -> Built<()> {
        let (expected, got) = (self.graph.shape(self.inputs[i]).clone(), self.graph.shape(gradient).clone());
        if expected != got {
            return Err(self.graph.error("gradient", Fault::Expected { what: "a gradient", expected, got }));
        }
        self.given.push((self.inputs[i], gradient));
        Ok(())
    }
}

impl Graph {
    /// Gradients of a single number with respect to `wrt`; zero where it does not depend on one.
    pub fn gradients(&mut self, of: Var, wrt: &[Var]) -> Built<Vec<Var>> {
        if self.shape(of).numel() != 1 {
            return Err(self.error(
                "gradients",
                Fault::Expected {
                    what: "the value differentiated",
                    expected: [].into(),
                    got: self.shape(of).clone(),
                },
            ));
        }
        let needed = self.depends_on(wrt);
        let mut sums: Vec<Option<Var>> = vec![None; self.len()];
        let seed = self.shape(of).clone();
        sums[of.index()] = Some(self.constant(1.0, seed)?);
        for index in (0..=of.index()).rev() {
            if let (Some(dy), true) = (sums[index], needed[index]) {
                self.step_back(Var(index as u32), dy, &needed, &mut sums)?;
            }
        }
        wrt.iter()
            .map(|v| match sums[v.index()] {
                Some(sum) => Ok(sum),
                None => {
                    let shape = self.shape(*v).clone();
                    self.constant(0.0, shape)
                }
            })
            .collect()
    }

    fn step_back(&mut self, output: Var, dy: Var, needed: &[bool], sums: &mut [Option<Var>]) -> Built<()> {
        let node = self.node(output).clone();
        let layer = if node.layer.is_empty() { "".to_owned() } else { format!("{}'", node.layer) };
        let outer = std::mem::replace(&mut self.scope, vec![layer]);
        let mut at = Backward { graph: self, inputs: node.inputs, output, dy, given: Vec::new() };
        let result = node.op.get().grad(&mut at);
        let given = at.given;
        let result = result.and_then(|()| {
            for (input, gradient) in given.into_iter().filter(|(i, _)| needed[i.index()]) {
                sums[input.index()] = Some(match sums[input.index()] {
                    None => gradient,
                    Some(sum) => self.add(sum, gradient)?,
                });
            }
            Ok(())
        });
        self.scope = outer;
        result
    }

    /// For every node, whether it depends on one of `sources`.
    fn depends_on(&self, sources: &[Var]) -> Vec<bool> {
        let mut needed = vec![false; self.len()];
        sources.iter().for_each(|v| needed[v.index()] = true);
        for v in self.vars() {
            needed[v.index()] |= self.node(v).inputs.iter().any(|i| needed[i.index()]);
        }
        needed
    }
}
