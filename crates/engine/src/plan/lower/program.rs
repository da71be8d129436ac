//! A unit of element-wise nodes and reductions becomes one program of the interpreter.

use std::collections::HashMap;

use super::Lower;
use crate::graph::Var;
use crate::ops::Op;
use crate::ops::binary::access;
use crate::plan::fuse::{Frame, folds_row, is_row_valued};
use crate::steps::combine::Join;
use crate::steps::emit::Emit;
use crate::steps::map::Map;
use crate::steps::{Extent, Residency, Span, Target};
use kernels::map::{Access, MapProgram, Src};

impl Lower<'_> {
    pub(super) fn map(&self, u: usize, frame: Frame) -> crate::steps::Kernel {
        let nodes = &self.units.list[u].nodes;
        let cols =
            frame.cols.unwrap_or_else(|| crate::ops::mask::columns(self.graph.shape(nodes[nodes.len() - 1])));
        let rows = frame.numel.checked_div(cols).unwrap_or(0);
        let rows =
            if frame.residency == Residency::Rows { Extent::PerRow(rows) } else { Extent::Fixed(rows) };
        let mut writer = MapWriter {
            low: self,
            u,
            frame,
            emit: Emit::default(),
            values: HashMap::new(),
            operands: vec![],
            outs: vec![],
            sums: vec![],
        };
        nodes.iter().for_each(|v| writer.node(*v));
        let MapWriter { emit, operands, outs, sums, .. } = writer;
        let program = MapProgram::new(
            emit.finish(),
            operands.iter().map(|(_, access)| *access).collect(),
            outs.iter().map(|(_, access)| *access).collect(),
            sums.len(),
        );
        Map {
            program,
            rows,
            cols,
            operands: operands
                .into_iter()
                .map(|(v, access)| (self.operand(v, access, frame), access))
                .collect(),
            outs: outs.into_iter().map(|(v, _)| self.span(v)).collect(),
            sums,
        }
        .into()
    }

    /// Where a program reads a value.
    fn operand(&self, v: Var, access: Access, frame: Frame) -> Span {
        let by_row = matches!(access, Access::Full | Access::Row) && frame.residency == Residency::Rows;
        if by_row { self.rows_of(v) } else { self.span(v) }
    }
}

/// Writes one program.
struct MapWriter<'l, 'a> {
    low: &'l Lower<'a>,
    u: usize,
    frame: Frame,
    emit: Emit,
    values: HashMap<Var, Src>,
    operands: Vec<(Var, Access)>,
    outs: Vec<(Var, Access)>,
    sums: Vec<Target>,
}

impl MapWriter<'_, '_> {
    fn row_valued(&self, v: Var) -> bool {
        is_row_valued(self.low.graph, self.low.places, v, self.frame)
    }

    fn node(&mut self, v: Var) {
        let node = self.low.graph.node(v);
        if let Op::Reduce(r) = &node.op {
            let a = self.source(node.inputs[0], Access::Full);
            if folds_row(self.low.graph, v) {
                let value = self.emit.row_fold(r.fold, a);
                self.values.insert(v, value);
                self.store(v, Access::Row);
            } else {
                let part = self.low.partials.get(&v);
                match part.map(|_| self.low.join(v)) {
                    Some(Join::Sums) => self.emit.col_sum(self.sums.len(), a),
                    _ => self.emit.col_fold(r.fold, self.sums.len(), a),
                }
                self.sums.push(part.map_or_else(|| Target::Whole(self.low.span(v)), |p| Target::Shards(*p)));
            }
            return;
        }
        let row = self.row_valued(v);
        let args: Vec<Src> = node.inputs.iter().map(|i| self.source(*i, self.access(v, *i, row))).collect();
        self.emit.row_valued = row;
        let Some(value) = node.op.get().emit(&mut self.emit, &args) else {
            unreachable!("{} has no element-wise form", node.op.get().name())
        };
        self.values.insert(v, value);
        self.store(v, if row { Access::Row } else { Access::Full });
    }

    fn access(&self, v: Var, input: Var, row: bool) -> Access {
        let (shape, from) = (&self.low.graph.node(v).shape, self.low.graph.shape(input));
        match access(shape, from).map(|(access, _)| access) {
            Some(Access::Full) if row => Access::Row,
            Some(access) => access,
            None => Access::Row, // the column of labels behind a one-hot row
        }
    }

    fn source(&mut self, v: Var, access: Access) -> Src {
        if let Some(value) = self.values.get(&v) {
            return *value;
        }
        let low = self.low;
        if let Op::Constant(c) = &low.graph.node(low.root(v).0).op {
            return Src::Imm(c.value);
        }
        let known = self.operands.iter().position(|o| *o == (v, access));
        let index = known.unwrap_or_else(|| {
            self.operands.push((v, access));
            self.operands.len() - 1
        });
        Src::Operand(index as u8)
    }

    fn store(&mut self, v: Var, access: Access) {
        if self.low.is_stored(v, self.u) {
            self.emit.store(self.outs.len(), self.values[&v]);
            self.outs.push((v, access));
        }
    }
}
