//! Draws a graph: leaves, operators over what is there, an objective, its gradients, and what is asked for.

use engine::graph::{Built, Graph, Var};
use engine::ops::Op;
use engine::reference::{Feed, Tensor};
use engine::{Draw, Shape};

use crate::dice::Dice;
use crate::exact::{Disturbed, extend, largest};
use crate::makers::MAKERS;

/// Elements of the largest value.
const MOST: usize = 3000;

/// A graph under way, and the f64 value of every node of it.
pub struct Gen {
    pub g: Graph,
    pub dice: Dice,
    pub batch: usize,
    pub feed: Feed,
    values: Vec<Tensor>,
    /// for every node, whether it belongs to rows of the batch
    rows: Vec<bool>,
    /// values to choose from
    pool: Vec<Var>,
    /// whole numbers below this many
    labels: Vec<(Var, usize)>,
    /// buffers and their new values
    assigned: Vec<(usize, Var)>,
}

/// A drawn graph and what is asked of it.
pub struct Drawn {
    pub g: Graph,
    pub batch: usize,
    pub shards: usize,
    pub feed: Feed,
    /// the number that is differentiated
    pub objective: Var,
    /// what it is differentiated by: parameters, then inputs
    pub wrt: Vec<Var>,
    pub slopes: Vec<Var>,
    pub outputs: Vec<Var>,
    pub gradients: Vec<Var>,
    /// buffers and their new values
    pub assigned: Vec<(usize, Var)>,
}

impl Gen {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed, 1);
        let batch = dice.of(&[1, 2, 3, 4, 5, 5, 6, 7, 13]);
        let draw = Draw { seed: 3, step: 5, first_row: 0 };
        let feed = Feed { draw, ..Feed::default() };
        let (values, rows, pool) = (vec![], vec![], vec![]);
        let (labels, assigned) = (vec![], vec![]);
        Gen { g: Graph::new(), dice, batch, feed, values, rows, pool, labels, assigned }
    }

    pub fn shape(&self, v: Var) -> Shape {
        self.g.shape(v).clone()
    }

    /// Evaluates what was added since.
    fn sync(&mut self) {
        extend(&self.g, &self.feed, None, &mut Disturbed::Not, &mut self.values, self.g.len());
        for v in self.g.vars().skip(self.rows.len()) {
            let node = self.g.node(v);
            let joins = match &node.op {
                Op::MatMul(m) => m.ta,
                Op::Reduce(r) => r.start == 0,
                Op::Moments(_) | Op::ConvWeight(_) | Op::Scatter(_) => true,
                _ => false,
            };
            let over = node.inputs.iter().any(|i| self.rows[i.index()]);
            self.rows.push(matches!(node.op, Op::Input(_)) || (over && !joins));
        }
    }

    pub fn is_rows(&mut self, v: Var) -> bool {
        self.sync();
        self.rows[v.index()]
    }

    /// The elements of a value.
    pub fn value(&mut self, v: Var) -> &[f64] {
        self.sync();
        &self.values[v.index()].data
    }

    /// Smallest distance from zero, and largest.
    pub fn reach(&mut self, v: Var) -> (f64, f64) {
        let data = self.value(v);
        (data.iter().fold(f64::INFINITY, |s, x| s.min(x.abs())), largest(data))
    }

    /// A size: small, the batch's, or beyond a vector.
    pub fn size(&mut self) -> usize {
        match self.dice.below(14) {
            0 | 1 => 1,
            2..=4 => self.batch,
            5 => 17 + self.dice.below(20),
            _ => 2 + self.dice.below(4),
        }
    }

    pub fn sizes(&mut self, rank: usize) -> Vec<usize> {
        (0..rank).map(|_| self.size()).collect()
    }

    fn numbers(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.dice.uniform(-1.5, 1.5)).collect()
    }

    pub fn input(&mut self, inner: &[usize]) -> Built {
        let shape: Vec<usize> = [self.batch].into_iter().chain(inner.iter().copied()).collect();
        let data = self.numbers(shape.iter().product());
        self.feed.inputs.push(data);
        let v = self.g.input(&format!("x{}", self.g.inputs.len()), shape)?;
        self.pool.push(v);
        Ok(v)
    }

    pub fn param(&mut self, shape: &[usize]) -> Built {
        let data = self.numbers(shape.iter().product());
        self.feed.params.extend(data);
        let direction = self.numbers(shape.iter().product());
        self.feed.tangents.extend(direction);
        let v = self.g.param(&format!("p{}", self.g.params.slots.len()), shape)?;
        self.pool.push(v);
        Ok(v)
    }

    pub fn buffer(&mut self, shape: &[usize]) -> Built {
        let data = self.numbers(shape.iter().product());
        self.feed.buffers.extend(data);
        let v = self.g.buffer(&format!("b{}", self.g.buffers.slots.len()), shape)?.0;
        self.pool.push(v);
        Ok(v)
    }

    /// Gives a buffer a new value at the end of the step.
    pub fn assign(&mut self, buffer: usize, value: Var) -> Built<()> {
        self.assigned.push((buffer, value));
        self.g.assign(buffer, value)
    }

    pub fn constant(&mut self, shape: &[usize]) -> Built {
        let value = self.dice.of(&[0.0, 1.0, -0.5, 0.75, 2.0]);
        let v = self.g.constant(value, shape)?;
        self.pool.push(v);
        Ok(v)
    }

    /// Whole numbers, for those who choose by them; of rows, or the same for all.
    pub fn labels(&mut self) -> Built<(Var, usize)> {
        if !self.labels.is_empty() && self.dice.chance(50) {
            let at = self.dice.below(self.labels.len());
            return Ok(self.labels[at]);
        }
        let classes = 1 + self.dice.below(5);
        let shared = self.dice.chance(25);
        let rank = self.dice.below(2) + usize::from(shared);
        let mut shape = self.sizes(rank);
        if !shared {
            shape.insert(0, self.batch);
        }
        let n = shape.iter().product();
        let data: Vec<f64> = (0..n).map(|_| self.dice.below(classes) as f64).collect();
        let v = if shared {
            self.feed.buffers.extend(data);
            self.g.buffer(&format!("b{}", self.g.buffers.slots.len()), shape)?.0
        } else {
            self.feed.inputs.push(data);
            self.g.input(&format!("labels{}", self.g.inputs.len()), shape)?
        };
        self.labels.push((v, classes));
        Ok((v, classes))
    }

    /// A value that is there, the latest more often.
    pub fn any(&mut self) -> Var {
        let n = self.pool.len();
        let at = if self.dice.chance(60) { n - 1 - self.dice.below(n.min(4)) } else { self.dice.below(n) };
        self.pool[at]
    }

    /// A value of which `fits` holds, if a few tries find one.
    pub fn some(&mut self, fits: impl Fn(&Shape) -> bool) -> Option<Var> {
        for _ in 0..12 {
            let v = self.any();
            if fits(self.g.shape(v)) {
                return Some(v);
            }
        }
        None
    }

    fn known(&mut self, shape: &[usize], rows: bool) -> Option<Var> {
        self.sync();
        let fit: Vec<Var> = self
            .pool
            .iter()
            .copied()
            .filter(|v| self.g.shape(*v)[..] == *shape && self.rows[v.index()] == rows)
            .collect();
        (!fit.is_empty()).then(|| self.dice.of(&fit))
    }

    /// A value that is the same for all rows: a leaf, or something made of parameters.
    pub fn same(&mut self, shape: &[usize]) -> Built {
        if self.dice.chance(40)
            && let Some(v) = self.known(shape, false)
        {
            return Ok(v);
        }
        let n: usize = shape.iter().product();
        match self.dice.below(10) {
            0 | 1 => self.buffer(shape),
            2 => self.constant(shape),
            3 if !shape.is_empty() => {
                let (before, after) = (self.dice.below(3), self.dice.below(3));
                let mut longer = shape.to_vec();
                longer[0] += before + after;
                let p = self.param(&longer)?;
                self.g.slice(p, 0, before, shape[0])
            }
            4 if shape.iter().any(|d| *d > 1) => {
                let axes: Vec<usize> = (0..shape.len()).filter(|a| shape[*a] > 1).collect();
                let axis = self.dice.of(&axes);
                let first = 1 + self.dice.below(shape[axis] - 1);
                let with = |len: usize| Shape::from(shape).with(axis, len);
                let (p, q) = (self.param(&with(first))?, self.param(&with(shape[axis] - first))?);
                self.g.concat(&[p, q], axis)
            }
            5 => {
                let p = self.param(&[n])?;
                self.g.reshape(p, shape)
            }
            6 if shape.len() == 2 => {
                let p = self.param(&[shape[1], shape[0]])?;
                self.g.transpose(p, &[1, 0])
            }
            7 => {
                let p = self.param(shape)?;
                self.g.tanh(p)
            }
            _ => self.param(shape),
        }
    }

    /// A value of this shape that belongs to rows.
    pub fn of_rows(&mut self, shape: &[usize]) -> Built {
        if self.dice.chance(60)
            && let Some(v) = self.known(shape, true)
        {
            return Ok(v);
        }
        let per_row = shape.iter().product::<usize>() / self.batch;
        let (first, rest) = shape.split_first().unwrap_or((&1, &[]));
        if *first == self.batch {
            return self.input(rest);
        }
        let x = self.input(&[per_row])?;
        self.g.reshape(x, shape)
    }

    /// A value beside `x` in the same frame: like it, or, now and then, of rows beside a shared one, or the reverse.
    pub fn beside(&mut self, x: Var, shape: &[usize]) -> Built {
        let rows = self.is_rows(x);
        let fits = shape.first().is_some_and(|d| d.is_multiple_of(self.batch));
        if fits && rows != self.dice.chance(20) { self.of_rows(shape) } else { self.same(shape) }
    }

    /// Brings a new value to a size that others can work with, or refuses it.
    fn keep(&mut self, v: Var) -> Built<()> {
        if self.shape(v).numel() > MOST {
            return Ok(());
        }
        let (_, top) = self.reach(v);
        let v = match top {
            x if !x.is_finite() || x > 1e6 => return Ok(()),
            x if x > 8.0 && self.dice.chance(50) => self.g.tanh(v)?,
            x if x > 8.0 => self.g.scale(v, (2f64 / x) as f32)?,
            _ => v,
        };
        self.sync();
        self.pool.push(v);
        Ok(())
    }

    fn grow(&mut self) -> Built<()> {
        let (_, make) = self.dice.of(MAKERS);
        match make(self)? {
            Some(v) => self.keep(v),
            None => Ok(()),
        }
    }

    /// One number made of several values: each times a weight of its own, or squared.
    fn objective(&mut self) -> Built {
        let n = 1 + self.dice.below(4);
        let mut total = self.g.constant(0.0, [])?;
        for _ in 0..n {
            let y = self.any();
            let shape = self.shape(y);
            let weighted = match self.dice.below(4) {
                0 => self.g.mul(y, y)?,
                1 => y,
                _ => {
                    let w = self.beside(y, &shape)?;
                    self.g.mul(y, w)?
                }
            };
            let sum = self.g.sum(weighted)?;
            total = self.g.add(total, sum)?;
        }
        let (_, top) = self.reach(total);
        if top > 100.0 { self.g.scale(total, (10.0 / top) as f32) } else { Ok(total) }
    }

    fn leaves(&self, is: fn(&Op) -> bool) -> Vec<Var> {
        self.g.vars().filter(|v| is(&self.g.node(*v).op)).collect()
    }

    /// Σ of gradients times directions.
    fn along(&mut self, slopes: &[Var]) -> Built {
        let mut along = self.g.constant(0.0, [])?;
        for part in slopes {
            let shape = self.shape(*part);
            let direction = self.buffer(&shape)?;
            let product = self.g.mul(*part, direction)?;
            let sum = self.g.sum(product)?;
            along = self.g.add(along, sum)?;
        }
        Ok(along)
    }
}

/// A graph made by hand: `build` gives the number to be differentiated, and what else is asked for.
pub fn by_hand(batch: usize, shards: usize, build: impl Fn(&mut Gen) -> Built<(Var, Vec<Var>)>) -> Drawn {
    let mut made = Gen::new(1);
    made.batch = batch;
    let drawn = build(&mut made).and_then(|(objective, outputs)| {
        let wrt = made.leaves(|op| matches!(op, Op::Param(_)));
        let slopes = made.g.gradients(objective, &wrt)?;
        Ok((objective, outputs, wrt, slopes))
    });
    let (objective, outputs, wrt, slopes) = drawn.unwrap_or_else(|e| panic!("{e}"));
    let Gen { g, feed, assigned, .. } = made;
    let gradients = slopes.clone();
    Drawn { g, batch, shards, feed, objective, wrt, slopes, outputs, gradients, assigned }
}

/// The graph of a seed; with `most`, only its first operators, this many.
pub fn draw(seed: u64, most: usize) -> Built<Drawn> {
    let mut made = Gen::new(seed);
    let inner = made.dice.below(3);
    let inner = made.sizes(inner);
    made.input(&inner)?;
    let shape = made.sizes(2);
    made.param(&shape)?;
    let n = 2 + made.dice.below(12);
    for _ in 0..n.min(most) {
        made.grow()?;
    }
    // its own stream, so that a shorter graph is asked for the same
    made.dice = Dice::new(seed, 2);
    let mut objective = made.objective()?;
    let labels: Vec<Var> = made.labels.iter().map(|(v, _)| *v).collect();
    let params = made.leaves(|op| matches!(op, Op::Param(_)));
    let inputs = made.leaves(|op| matches!(op, Op::Input(_)));
    let inputs: Vec<Var> = inputs.into_iter().filter(|v| !labels.contains(v)).collect();
    let wrt: Vec<Var> = params.iter().chain(&inputs).copied().collect();
    let mut slopes = made.g.gradients(objective, &wrt)?;
    if made.dice.chance(40) {
        let some: Vec<Var> = slopes.iter().copied().filter(|_| made.dice.chance(60)).collect();
        let along = made.along(&some)?;
        objective = if made.dice.chance(50) { made.g.add(along, objective)? } else { along };
        slopes = made.g.gradients(objective, &wrt)?;
    }
    let mut outputs: Vec<Var> = (0..made.dice.below(5)).map(|_| made.any()).collect();
    outputs.extend(slopes[params.len()..].iter().copied().filter(|_| made.dice.chance(50)));
    let trains = made.dice.chance(90);
    if !trains || made.dice.chance(50) {
        outputs.push(objective);
    }
    for index in 0..made.g.buffers.slots.len() {
        let shape = made.g.buffers.slots[index].shape.clone();
        if made.dice.chance(30)
            && let Some(v) = made.known(&shape, false)
        {
            made.assign(index, v)?;
        }
    }
    let gradients = if trains { slopes[..params.len()].to_vec() } else { vec![] };
    let shards = 1 + made.dice.below(5);
    let Gen { g, batch, feed, assigned, .. } = made;
    Ok(Drawn { g, batch, shards, feed, objective, wrt, slopes, outputs, gradients, assigned })
}
