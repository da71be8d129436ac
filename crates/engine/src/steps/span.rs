//! Where values lie in memory and how long they are.

/// What a value belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Residency {
    /// rows of the batch: each worker has its own part
    Rows,
    /// the whole batch, or none: the same for all workers
    Common,
}

/// Where a value is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loc {
    /// in each worker's arena, from this element
    Arena(usize),
    /// in each worker's arena, for the rows of the chunk at hand only
    Chunk(usize),
    /// in the flat parameters
    Param(usize),
    /// in the flat buffers
    Buffer(usize),
    /// in the flat tangents
    Tangent(usize),
    /// nowhere: this number, at every place
    Const(f32),
}

impl Loc {
    /// The place `n` elements further on.
    pub(crate) fn plus(self, n: usize) -> Loc {
        match self {
            Loc::Arena(at) => Loc::Arena(at + n),
            Loc::Chunk(at) => Loc::Chunk(at + n),
            Loc::Param(at) => Loc::Param(at + n),
            Loc::Buffer(at) => Loc::Buffer(at + n),
            Loc::Tangent(at) => Loc::Tangent(at + n),
            Loc::Const(x) => Loc::Const(x),
        }
    }
}

/// A value in memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// where it starts
    pub loc: Loc,
    /// how long it is
    pub len: Extent,
}

impl Span {
    /// Elements in memory for the whole batch; a constant has none.
    pub(crate) fn elements(self, batch: usize) -> u64 {
        if matches!(self.loc, Loc::Const(_)) { 0 } else { self.len.of(batch) as u64 }
    }

    /// As plans print it.
    pub(crate) fn text(self) -> String {
        match self.loc {
            Loc::Arena(at) => format!("@{at}"),
            Loc::Chunk(at) => format!("c{at}"),
            Loc::Param(at) => format!("p{at}"),
            Loc::Buffer(at) => format!("b{at}"),
            Loc::Tangent(at) => format!("t{at}"),
            Loc::Const(x) => x.to_string(),
        }
    }
}

/// A length: a number for each row of the batch that a worker has, or a fixed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// times the worker's rows
    PerRow(usize),
    /// times the worker's rows, which are a part of a value that every worker has for the whole batch
    OfBatch(usize),
    /// the same for every worker
    Fixed(usize),
}

impl Extent {
    /// The length for a worker with `rows` rows.
    pub fn of(self, rows: usize) -> usize {
        match self {
            Extent::PerRow(n) | Extent::OfBatch(n) => n * rows,
            Extent::Fixed(n) => n,
        }
    }

    /// The number without its unit.
    pub fn count(self) -> usize {
        match self {
            Extent::PerRow(n) | Extent::OfBatch(n) | Extent::Fixed(n) => n,
        }
    }

    /// As plans print it, `B` for the rows of the batch.
    pub(crate) fn text(self) -> String {
        match self {
            Extent::PerRow(1) | Extent::OfBatch(1) => "B".to_owned(),
            Extent::PerRow(n) | Extent::OfBatch(n) => format!("B·{n}"),
            Extent::Fixed(n) => n.to_string(),
        }
    }
}

/// Per-shard results of a reduction over the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partial {
    /// the stretch between two meetings in which it is made
    pub segment: usize,
    /// first element, to be multiplied by a worker's number of shards
    pub offset: usize,
    /// elements for one shard
    pub len: usize,
}

/// Where a reduction goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// the whole reduction, into memory
    Whole(Span),
    /// a result for each shard, to be joined
    Shards(Partial),
}

impl Target {
    /// What it writes to memory.
    pub(crate) fn whole(self) -> Option<Span> {
        match self {
            Target::Whole(span) => Some(span),
            Target::Shards(_) => None,
        }
    }

    /// Behind what plans print of a reduction.
    pub(crate) fn text(self) -> &'static str {
        if self.whole().is_some() { "" } else { " per shard" }
    }
}

/// What happens to each element of a product before it is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tail {
    /// added to every row
    pub bias: Option<Span>,
    /// then `max(·, 0)`
    pub relu: bool,
    /// then kept only where this is above 0
    pub gate: Option<Span>,
}

impl Tail {
    /// The values that it reads.
    pub(crate) fn reads(&self) -> impl Iterator<Item = Span> {
        self.bias.into_iter().chain(self.gate)
    }

    /// As plans print it.
    pub(crate) fn text(&self) -> String {
        let parts = [(self.bias.is_some(), "+bias"), (self.relu, "+relu"), (self.gate.is_some(), "+gate")];
        parts.iter().filter(|(on, _)| *on).map(|(_, name)| *name).collect()
    }
}
