//! Shapes, graph, operators, differentiation, plan and executor, reference, random numbers; does no I/O.
//!
//! ```
//! use engine::graph::Graph;
//! # fn main() -> Result<(), engine::error::GraphError> {
//! let mut g = Graph::new();
//! let x = g.input("x", [32, 784])?;
//! let w = g.scope("0", |g| g.param("weight", [10, 784]))?;
//! let y = g.linear(x, w, None)?;
//! assert_eq!(g.shape(y)[..], [32, 10]);
//! # Ok(())
//! # }
//! ```

pub mod batch;
pub mod error;
pub mod exec;
pub mod grad;
pub mod graph;
pub mod ops;
pub mod plan;
pub mod reference;
pub mod shape;
pub mod steps;

pub use error::{Fault, GraphError};
pub use exec::{Executor, Feed, Piece, StateVec, StepContext, Update};
pub use graph::{Graph, InFile, Layout, Slot, Var};
pub use kernels;
pub use kernels::map::Draw;
pub use kernels::pool::Pool;
pub use kernels::rng;
pub use plan::{Plan, PlanOptions, Wanted};
pub use shape::Shape;
