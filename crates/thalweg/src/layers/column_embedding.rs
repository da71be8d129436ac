//! Columns of a table as vectors: numbers by waves of several lengths, categories by a vector each.

use super::{COUNT, Layer, PLACES};
use crate::init::{Normal, Uniform};
use crate::model::Builder;
use engine::Fault;
use engine::graph::{Built, Var};
use engine::ops::unary::Fn1;
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: ColumnEmbedding::NAME,
    summary: "a vector for every column of a table: waves of a number, a row of a matrix for a category",
    formula: "number: [x, V·cos(2π(w·x + φ)) + c]; category, as a 1 among zeros: x·E",
    source: "Gorishniy, Rubachev and Babenko, On embeddings for numerical features in tabular deep learning, NeurIPS 2022, \
             arxiv.org/abs/2203.05556; with phases as in Holzmüller et al. 2024, arxiv.org/abs/2407.04491",
    keys: ColumnEmbedding::KEYS,
};

settings! {
    /// x: [B, in] -> [B, out]: first the inputs that are neither, as they are, then the numbers, then the categories.
    ///
    /// N numbers give N·dim values: all of them as they are, then what the first weight makes of each, and so on.
    /// Parameters: `numbers.frequency` and `numbers.phase`, `[N, H]`, in turns, for H waves;
    /// `numbers.weight: [dim − 1, N, H]` and `numbers.bias: [dim − 1, N]`, uniform up to 1/√H;
    /// `categories.i.weight: [n, category_dim]`, N(0, 1), for the i-th category. A value that no category counts is
    /// zeros, and so is its vector.
    ///
    /// # Errors
    /// When places are not ascending, not within the inputs, or taken twice.
    #[derive(Clone, Debug, PartialEq)]
    pub struct ColumnEmbedding of "column_embedding" {
        /// places of the inputs that are numbers, ascending
        pub numbers: Vec<usize> = Vec::new() => "[]", in PLACES;
        /// the first place of each category that is embedded, ascending
        pub categories: Vec<usize> = Vec::new() => "[]", in PLACES;
        /// how many inputs each of them has
        pub category_sizes: Vec<usize> = Vec::new() => "[]", in PLACES;
        /// waves of a number
        pub frequencies: usize = 16, in COUNT;
        /// standard deviation with which frequencies start
        pub frequency_std: f64 = 0.1, unit "turns", in Range::Within(0.0, 1e3);
        /// length of a number's vector, of which the number itself is the first
        pub dim: usize = 4, in COUNT;
        /// length of a category's vector
        pub category_dim: usize = 8, in COUNT;
    }
}

/// What an input is part of.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Other,
    Number,
    Category,
}

impl ColumnEmbedding {
    /// What each of `width` inputs is, or what is wrong with the places.
    fn parts(&self, width: usize) -> Result<Vec<Part>, Fault> {
        let fault = |key, value: usize| Fault::Range {
            key,
            range: "ascending places among the inputs, each taken once",
            value: value as f64,
        };
        let sizes = &self.category_sizes;
        if sizes.len() != self.categories.len() || sizes.contains(&0) {
            let range = "the number of inputs, from 1, of each of `categories`";
            return Err(Fault::Range { key: "category_sizes", range, value: sizes.len() as f64 });
        }
        if let Some(pair) = self.numbers.windows(2).find(|pair| pair[0] >= pair[1]) {
            return Err(fault("numbers", pair[1]));
        }
        let mut parts = vec![Part::Other; width];
        for at in &self.numbers {
            *parts.get_mut(*at).ok_or_else(|| fault("numbers", *at))? = Part::Number;
        }
        let mut least = 0;
        for (at, n) in self.categories.iter().zip(sizes) {
            let end = at.saturating_add(*n);
            let own = parts.get_mut(*at..end).filter(|own| !own.contains(&Part::Number) && *at >= least);
            own.ok_or_else(|| fault("categories", *at))?.fill(Part::Category);
            least = end;
        }
        Ok(parts)
    }

    /// N numbers as N·dim values.
    fn waves(&self, b: &mut Builder<'_>, x: Var) -> Built {
        let (rows, n, h) = (b.shape(x)[0], b.shape(x)[1], self.frequencies);
        if self.dim == 1 {
            return Ok(x);
        }
        let frequency = b.param("frequency", [n, h], Normal { std: self.frequency_std, mean: 0.0 })?;
        let phase = b.param("phase", [n, h], Uniform { low: -0.5, high: 0.5 })?;
        let reach = 1.0 / (h as f64).sqrt();
        let start = Uniform { low: -reach, high: reach };
        let weight = b.param("weight", [self.dim - 1, n, h], start)?;
        let bias = b.param("bias", [self.dim - 1, n], start)?;
        let column = b.reshape(x, [rows, n, 1])?;
        let turns = b.mul(column, frequency)?;
        let turns = b.add(turns, phase)?;
        let waves = b.unary(Fn1::CosTurn, turns)?;
        let mut parts = vec![x];
        for d in 0..self.dim - 1 {
            let own = b.slice(weight, 0, d, 1)?;
            let own = b.reshape(own, [n, h])?;
            let product = b.mul(waves, own)?;
            let sum = b.sum_axes(product, 2, 3)?;
            let sum = b.reshape(sum, [rows, n])?;
            let shift = b.slice(bias, 0, d, 1)?;
            let shift = b.reshape(shift, [n])?;
            parts.push(b.add(sum, shift)?);
        }
        b.concat(&parts, 1)
    }
}

/// Columns of x at ascending places, neighbors together.
fn columns(b: &mut Builder<'_>, x: Var, at: &[usize]) -> Built {
    let runs = at.chunk_by(|a, b| *b == *a + 1);
    let parts = runs.map(|run| b.slice(x, 1, run[0], run.len())).collect::<Built<Vec<Var>>>()?;
    b.concat(&parts, 1)
}

impl Layer for ColumnEmbedding {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        let &[_, width] = &b.shape(x)[..] else {
            let got = b.shape(x).clone();
            return Err(b.error(ENTRY.name, Fault::Rank { expected: "2", got }));
        };
        let parts = self.parts(width).map_err(|fault| b.error(ENTRY.name, fault))?;
        let others: Vec<usize> = (0..width).filter(|i| parts[*i] == Part::Other).collect();
        let mut values = Vec::new();
        if !others.is_empty() {
            values.push(columns(b, x, &others)?);
        }
        if !self.numbers.is_empty() {
            let numbers = columns(b, x, &self.numbers)?;
            values.push(b.scope("numbers", |b| self.waves(b, numbers))?);
        }
        for (i, (at, n)) in self.categories.iter().zip(&self.category_sizes).enumerate() {
            let own = b.slice(x, 1, *at, *n)?;
            let start = Normal { std: 1.0, mean: 0.0 };
            let table =
                b.scope(&format!("categories.{i}"), |b| b.param("weight", [*n, self.category_dim], start))?;
            values.push(b.matmul(own, table)?);
        }
        b.concat(&values, 1)
    }

    fn describe(&self) -> String {
        format!("column_embedding({} numbers, {} categories)", self.numbers.len(), self.categories.len())
    }

    fn gain(&self) -> Option<f64> {
        None
    }

    fn check(&self) -> Result<(), OutOfRange> {
        self.in_range()
    }
}
