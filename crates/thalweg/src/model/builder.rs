//! Builds layers into a graph and notes what each of their parameters starts with.

use crate::init::{Init, Target};
use crate::layers::{Layer, LayerConfig};
use engine::graph::{Built, Graph, InFile, Var};
use engine::{Fault, Shape};
use std::ops::{Deref, DerefMut, Range};

/// Most parameters, and most elements of buffers, that a model may have: 2³¹, or 8 GiB.
pub const MAX_PARAMS: usize = 1 << 31;

/// What [`MAX_PARAMS`] bounds, in words.
pub(super) const PARAMETERS: &str = "parameters in all";
pub(super) const BUFFERS: &str = "buffer elements in all";

/// What a graph is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Training: batch statistics, dropout.
    Train,
    /// Evaluation and prediction: running averages, no dropout.
    Eval,
}

/// Whether dropout draws masks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Masks {
    /// As in training.
    Drawn,
    /// As in evaluation: nothing is dropped.
    Off,
}

/// Where norms over the batch take their statistics from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Norms {
    /// From the batch, as in training.
    Batch,
    /// From the running averages, as in evaluation.
    Running,
}

/// How layers behave that are not the same in training and in evaluation; usually one of the two [`Mode`]s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Behavior {
    /// Of dropout.
    pub masks: Masks,
    /// Of norms over the batch.
    pub norms: Norms,
}

impl From<Mode> for Behavior {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Train => Behavior { masks: Masks::Drawn, norms: Norms::Batch },
            Mode::Eval => Behavior { masks: Masks::Off, norms: Norms::Running },
        }
    }
}

/// What building a model leaves behind besides the graph.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// one for each parameter, in order
    pub inits: Vec<Start>,
    /// start values of the buffers: the number and how often, in order
    pub buffers: Vec<(f32, usize)>,
    pub traced: Vec<Traced>,
}

/// How a parameter starts.
#[derive(Debug)]
pub(super) struct Start {
    pub init: Box<dyn Init>,
    pub target: Target,
}

/// A layer as it was built.
#[derive(Clone, Debug)]
pub struct Traced {
    /// Full name, such as `3` or `block.0`; the prefix of its parameters' names.
    pub name: String,
    /// Its word in a config.
    pub kind: &'static str,
    /// Kind and settings, as a summary shows them.
    pub describe: String,
    /// Layers around it.
    pub depth: usize,
    /// What it is given.
    pub input: Var,
    /// What it gives.
    pub output: Var,
    /// Its parameters, those of layers inside it too: positions in the graph's layout.
    pub params: Range<usize>,
    /// Its nodes, those of layers inside it too: positions in the graph.
    pub nodes: Range<usize>,
}

/// A graph in which layers are built; everything that a [`Graph`] can do, and parameters with initial values.
#[derive(Debug)]
pub struct Builder<'g> {
    graph: &'g mut Graph,
    record: &'g mut Record,
    context: Context,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    pub behavior: Behavior,
    pub outputs: Option<usize>,
    pub gain: f64,
    pub depth: usize,
}

impl<'g> Builder<'g> {
    pub(super) fn new(
        graph: &'g mut Graph,
        record: &'g mut Record,
        behavior: Behavior,
        outputs: Option<usize>,
    ) -> Self {
        Builder { graph, record, context: Context { behavior, outputs, gain: 1.0, depth: 0 } }
    }

    /// How dropout and norms over the batch are to behave.
    pub fn behavior(&self) -> Behavior {
        self.context.behavior
    }

    /// Values that the model must give for a sample, where that is known beforehand: `units = "outputs"`.
    pub fn outputs(&self) -> Option<usize> {
        self.context.outputs
    }

    /// Declares a trained tensor of the current layer: its name, its shape (PyTorch's), how it starts.
    ///
    /// # Errors
    /// When the model becomes larger than [`MAX_PARAMS`].
    pub fn param(&mut self, name: &str, shape: impl Into<Shape>, init: impl Init + 'static) -> Built {
        let shape = shape.into();
        self.room(PARAMETERS, self.graph.params.len(), &shape)?;
        let target = Target::of(&shape, self.context.gain);
        self.record.inits.push(Start { init: Box::new(init), target });
        self.graph.param(name, shape)
    }

    /// Declares the weight of a convolution: in memory `[KH, KW, I, O]`, or `[1, K, I, O]` where `in_file` says so, in
    /// files as PyTorch has it. `I` and `O` are channels in and out, one of them within a group.
    ///
    /// # Errors
    /// When the model becomes larger than [`MAX_PARAMS`].
    pub fn kernel(
        &mut self,
        shape: [usize; 4],
        groups: usize,
        in_file: InFile,
        init: impl Init + 'static,
    ) -> Built {
        let shape = Shape::from(shape);
        self.room(PARAMETERS, self.graph.params.len(), &shape)?;
        let target = Target::of_kernel(&shape, groups, self.context.gain);
        self.record.inits.push(Start { init: Box::new(init), target });
        self.graph.param_in_file("weight", shape, in_file)
    }

    /// Declares a tensor of the current layer that is kept from step to step but not trained; gives it and its index,
    /// for [`Graph::assign`].
    ///
    /// # Errors
    /// When buffers become larger than [`MAX_PARAMS`].
    pub fn buffer(&mut self, name: &str, shape: impl Into<Shape>, value: f32) -> Built<(Var, usize)> {
        let shape = shape.into();
        self.room(BUFFERS, self.graph.buffers.len(), &shape)?;
        self.record.buffers.push((value, shape.numel()));
        self.graph.buffer(name, shape)
    }

    fn room(&self, key: &'static str, used: usize, shape: &Shape) -> Built<()> {
        if shape.is_bounded() && used.saturating_add(shape.numel()) <= MAX_PARAMS {
            return Ok(());
        }
        let value = used as f64 + shape.iter().map(|size| *size as f64).product::<f64>();
        Err(self.graph.error("model", Fault::Range { key, range: "at most 2147483648", value }))
    }

    /// Builds `f` inside a name: parameters in it get the prefix `name.`, errors name it.
    pub fn scope<T>(&mut self, name: &str, f: impl FnOnce(&mut Builder<'_>) -> Built<T>) -> Built<T> {
        let Builder { graph, record, context } = self;
        graph.scope(name, |graph| f(&mut Builder { graph, record, context: *context }))
    }

    /// Builds a layer under a name.
    pub fn layer(&mut self, name: &str, layer: &dyn Layer, x: Var) -> Built {
        let depth = self.context.depth;
        self.scope(name, |b| {
            let at = b.record.traced.len();
            let (params, nodes) = (b.params.slots.len(), b.len());
            b.record.traced.push(Traced {
                name: b.graph.layer(),
                kind: layer.kind(),
                describe: layer.describe(),
                depth,
                input: x,
                output: x,
                params: params..params,
                nodes: nodes..nodes,
            });
            b.context.depth = depth + 1;
            let output = layer.build(b, x)?;
            let (params, nodes) = (params..b.params.slots.len(), nodes..b.len());
            let traced = &mut b.record.traced[at];
            (traced.output, traced.params, traced.nodes) = (output, params, nodes);
            Ok(output)
        })
    }

    /// Builds layers one after the other: layer `i` is called `i` where it has no name of its own, as in PyTorch's
    /// `nn.Sequential`. Each is initialized for the activation that follows it, in the list or behind it.
    pub fn sequence(&mut self, layers: &[LayerConfig], x: Var) -> Built {
        let outer = self.context.gain;
        let mut y = x;
        for (i, layer) in layers.iter().enumerate() {
            self.context.gain = layers[i + 1..].iter().find_map(|next| next.layer().gain()).unwrap_or(outer);
            let name = layer.name.clone().unwrap_or_else(|| i.to_string());
            y = self.layer(&name, layer.layer(), y)?;
        }
        self.context.gain = outer;
        Ok(y)
    }

    /// Builds `f` with the gain of the activation behind it.
    pub(crate) fn before<T>(&mut self, gain: f64, f: impl FnOnce(&mut Self) -> Built<T>) -> Built<T> {
        let outer = std::mem::replace(&mut self.context.gain, gain);
        let built = f(self);
        self.context.gain = outer;
        built
    }
}

impl Deref for Builder<'_> {
    type Target = Graph;
    fn deref(&self) -> &Graph {
        self.graph
    }
}

impl DerefMut for Builder<'_> {
    fn deref_mut(&mut self) -> &mut Graph {
        self.graph
    }
}
