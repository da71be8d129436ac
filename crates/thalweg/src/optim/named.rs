//! States by name: which parameters have a part in each, of which shape, and what the parts are called in a file.

use engine::{Layout, Slot, StateVec};

use super::Start;

/// A state that stages keep, over all parameters that have it.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedState {
    /// Such as `exp_avg`.
    pub name: String,
    /// The parameter, and the tensor in a file, or none.
    slots: Vec<(Slot, Option<Slot>)>,
    /// Elements of all tensors.
    len: usize,
    pub(super) start: Start,
}

/// In front of the names of states in a file.
const OPTIMIZER: &str = "optimizer";

impl NamedState {
    pub(super) fn new(name: String, start: Start, params: &Layout) -> Self {
        let slots = params.slots.iter().map(|slot| (slot.clone(), None)).collect();
        NamedState { name, slots, len: 0, start }
    }

    /// A state with a tensor of a shape for each parameter that `shape` gives one.
    pub(crate) fn of(name: String, params: &Layout, shape: impl Fn(&Slot) -> Option<Vec<usize>>) -> Self {
        let mut state = NamedState::new(name, Start::Zero, params);
        for (i, slot) in params.slots.iter().enumerate() {
            shape(slot).into_iter().for_each(|shape| state.add(i, &shape));
        }
        state
    }

    /// Gives a parameter that has none a tensor.
    pub(super) fn add(&mut self, param: usize, shape: &[usize]) {
        let (of, own) = &mut self.slots[param];
        debug_assert!(own.is_none(), "a parameter has one tensor in a state");
        let name = format!("{OPTIMIZER}.{}.{}", self.name, of.name);
        let slot = match shape == &of.shape[..] {
            true => Slot { name, offset: self.len, ..of.clone() },
            false => Slot::new(name, shape, self.len),
        };
        self.len += slot.shape.numel();
        *own = Some(slot);
    }

    /// The parameters, each with its tensor, where it has one.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (&Slot, Option<&Slot>)> {
        self.slots.iter().map(|(param, own)| (param, own.as_ref()))
    }

    /// The tensors in a file, those of a convolution's shape in PyTorch's order.
    pub fn layout(&self) -> Layout {
        Layout { slots: self.parts().filter_map(|(_, own)| own.cloned()).collect() }
    }

    /// Zeros.
    pub fn zeros(&self) -> StateVec {
        StateVec::new(self.parts().map(|(_, own)| own.map_or(0, |s| s.shape.numel())))
    }
}
