//! The graph of a computation: symbolic values, built once; shapes are checked as it is built.

use std::collections::HashMap;
use std::fmt::{self, Write};
use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

use crate::error::{Fault, GraphError};
use crate::ops::Op;
use crate::shape::{MAX_ELEMENTS, Shape};

/// Result of building a part of a graph.
pub type Built<T = Var> = Result<T, GraphError>;

/// A value in a graph; cheap to copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Var(pub(crate) u32);

impl Var {
    /// Position in the graph; inputs come before their users.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One operation and its place in the network.
#[derive(Clone, Debug)]
pub struct Node {
    /// what is computed
    pub op: Op,
    /// from what
    pub inputs: Vec<Var>,
    /// shape of the result
    pub shape: Shape,
    /// the layer that asked for it
    pub layer: Arc<str>,
}

/// How a tensor lies in files, which have PyTorch's layouts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InFile {
    /// as in memory
    #[default]
    Same,
    /// memory `[1, K, I, O]`, file `[O, I, K]`
    Conv1d,
    /// memory `[KH, KW, I, O]`, file `[O, I, KH, KW]`
    Conv2d,
}

/// A named tensor in a flat vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// such as `0.weight`
    pub name: String,
    /// its shape
    pub shape: Shape,
    /// first element in the flat vector
    pub offset: usize,
    /// how it lies in files
    pub in_file: InFile,
}

impl Slot {
    /// A tensor that lies in files as in memory.
    pub fn new(name: impl Into<String>, shape: impl Into<Shape>, offset: usize) -> Self {
        Slot { name: name.into(), shape: shape.into(), offset, in_file: InFile::Same }
    }

    /// Its shape in files.
    pub fn file_shape(&self) -> Shape {
        match (self.in_file, &self.shape[..]) {
            (InFile::Conv1d, [_, k, i, o]) => [*o, *i, *k].into(),
            (InFile::Conv2d, [kh, kw, i, o]) => [*o, *i, *kh, *kw].into(),
            _ => self.shape.clone(),
        }
    }

    /// Its elements in the flat vector.
    pub fn range(&self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.shape.numel()
    }
}

/// Named views on one flat vector, one after the other without holes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// the tensors, in order
    pub slots: Vec<Slot>,
}

impl Layout {
    /// Length of the flat vector.
    pub fn len(&self) -> usize {
        self.slots.last().map_or(0, |s| s.range().end)
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The tensor of that name.
    pub fn find(&self, name: &str) -> Option<&Slot> {
        self.slots.iter().find(|s| s.name == name)
    }

    fn add(&mut self, name: String, shape: Shape, in_file: InFile) -> usize {
        let offset = self.len();
        self.slots.push(Slot { name, shape, offset, in_file });
        self.slots.len() - 1
    }
}

/// A value fed at every step.
#[derive(Clone, Debug, PartialEq)]
pub struct InputDecl {
    /// such as `x`
    pub name: String,
    /// shape for the whole batch, the batch axis first
    pub shape: Shape,
}

/// Text that is hashed instead of kept.
struct Text(DefaultHasher);

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

/// A graph under construction.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    pub(crate) nodes: Vec<Node>,
    /// trained tensors, in one flat vector
    pub params: Layout,
    /// tensors kept from step to step without being trained, such as running averages
    pub buffers: Layout,
    /// values fed at every step
    pub inputs: Vec<InputDecl>,
    /// buffers that take a new value at the end of a step
    pub(crate) assigns: Vec<(usize, Var)>,
    /// nodes by the hash of their text, which for some operators is long
    known: HashMap<u64, Vec<Var>>,
    pub(crate) scope: Vec<String>,
    masks: u32,
}

impl Graph {
    /// An empty graph.
    pub fn new() -> Self {
        Self::default()
    }

    /// The node behind a value.
    pub fn node(&self, v: Var) -> &Node {
        &self.nodes[v.index()]
    }

    /// Shape of a value.
    pub fn shape(&self, v: Var) -> &Shape {
        &self.nodes[v.index()].shape
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether nothing was built yet.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// All values, inputs before users.
    pub fn vars(&self) -> impl DoubleEndedIterator<Item = Var> + use<> {
        (0..self.nodes.len() as u32).map(Var)
    }

    /// For every node, whether `wanted` depends on it.
    pub fn live(&self, wanted: &[Var]) -> Vec<bool> {
        let mut live = vec![false; self.len()];
        wanted.iter().for_each(|v| live[v.index()] = true);
        for v in self.vars().rev() {
            if live[v.index()] {
                self.node(v).inputs.iter().for_each(|i| live[i.index()] = true);
            }
        }
        live
    }

    /// Builds `f` inside a layer name: names in it get the prefix `name.`, errors name it.
    pub fn scope<T>(&mut self, name: impl Into<String>, f: impl FnOnce(&mut Self) -> Built<T>) -> Built<T> {
        self.scope.push(name.into());
        let result = f(self);
        self.scope.pop();
        result
    }

    /// The current layer's full name.
    pub fn layer(&self) -> String {
        self.scope.iter().filter(|s| !s.is_empty()).cloned().collect::<Vec<_>>().join(".")
    }

    /// Declares a value fed at every step; its first axis is the batch.
    pub fn input(&mut self, name: &str, shape: impl Into<Shape>) -> Built {
        let shape = shape.into();
        self.inputs.push(InputDecl { name: name.to_owned(), shape: shape.clone() });
        let index = self.inputs.len() - 1;
        self.push(crate::ops::input::Input { index, shape }.into(), &[])
    }

    /// Declares a trained tensor of the current layer; the full name is `layer.name`.
    pub fn param(&mut self, name: &str, shape: impl Into<Shape>) -> Built {
        self.param_in_file(name, shape, InFile::Same)
    }

    /// As [`Graph::param`], of a tensor that may lie otherwise in files.
    pub fn param_in_file(&mut self, name: &str, shape: impl Into<Shape>, in_file: InFile) -> Built {
        let shape = shape.into();
        self.fits("param", &self.params, &shape)?;
        let index = self.params.add(self.full(name), shape.clone(), in_file);
        self.push(crate::ops::param::Param { index, shape }.into(), &[])
    }

    /// Declares a tensor of the current layer that is kept but not trained; returns it and its index.
    pub fn buffer(&mut self, name: &str, shape: impl Into<Shape>) -> Built<(Var, usize)> {
        let shape = shape.into();
        self.fits("buffer", &self.buffers, &shape)?;
        let index = self.buffers.add(self.full(name), shape.clone(), InFile::Same);
        Ok((self.push(crate::ops::buffer::Buffer { index, shape }.into(), &[])?, index))
    }

    /// Whether a flat vector has room for a tensor more.
    fn fits(&self, op: &'static str, layout: &Layout, shape: &Shape) -> Built<()> {
        let fits = shape.is_bounded() && layout.len() + shape.numel() <= MAX_ELEMENTS;
        if fits { Ok(()) } else { Err(self.error(op, Fault::TooLarge { shape: shape.clone() })) }
    }

    /// Gives a buffer a new value at the end of each step of training.
    pub fn assign(&mut self, buffer: usize, value: Var) -> Built<()> {
        let (expected, got) = (self.buffers.slots[buffer].shape.clone(), self.shape(value).clone());
        if expected != got {
            return Err(self.error("assign", Fault::Expected { what: "the new value", expected, got }));
        }
        self.assigns.push((buffer, value));
        Ok(())
    }

    /// A constant of any shape.
    pub fn constant(&mut self, value: f32, shape: impl Into<Shape>) -> Built {
        self.push(crate::ops::constant::Constant { value, shape: shape.into() }.into(), &[])
    }

    /// A number that tells random masks apart.
    pub(crate) fn next_mask(&mut self) -> u32 {
        self.masks += 1;
        self.masks
    }

    /// An error of the current layer.
    pub fn error(&self, op: &'static str, fault: Fault) -> GraphError {
        GraphError { op, layer: self.layer(), fault }
    }

    /// Adds an operation, or finds the equal one that exists.
    ///
    /// # Errors
    /// When the inputs do not fit, or the result would have more than [`MAX_ELEMENTS`] elements.
    pub fn push(&mut self, op: Op, inputs: &[Var]) -> Built {
        let shapes: Vec<&Shape> = inputs.iter().map(|v| self.shape(*v)).collect();
        let shape = match op.get().shape(&shapes) {
            Ok(shape) if shape.is_bounded() => shape,
            Ok(shape) => return Err(self.error(op.get().name(), Fault::TooLarge { shape })),
            Err(fault) => return Err(self.error(op.get().name(), fault)),
        };
        let mut text = Text(DefaultHasher::new());
        // neither a hash nor `Debug` of an operator can fail
        _ = write!(text, "{op:?} {inputs:?}");
        let known = self.known.entry(text.0.finish()).or_default();
        let equal = |v: &&Var| self.nodes[v.index()].op == op && self.nodes[v.index()].inputs == inputs;
        if let Some(v) = known.iter().find(equal) {
            return Ok(*v);
        }
        let var = Var(self.nodes.len() as u32);
        known.push(var);
        self.nodes.push(Node { op, inputs: inputs.to_vec(), shape, layer: self.layer().into() });
        Ok(var)
    }

    fn full(&self, name: &str) -> String {
        let layer = self.layer();
        if layer.is_empty() { name.to_owned() } else { format!("{layer}.{name}") }
    }
}
