//! Pictures, HTML and terminal frames, from records alone: pure functions, no files, no network, no clock.

mod commands;
mod confusion;
mod curves;
mod epochs;
mod explain;
mod format;
mod imbalance;
mod lab;
mod lab_figure;
mod markup;
mod page;
mod panel;
mod residuals;
mod scale;
pub mod terminal;
mod verdict;
mod worth;

pub use commands::{Command, commands, quote};
pub use imbalance::imbalance;
pub use lab::lab_html;
pub use lab_figure::lab_figure_svg;
pub use page::report_html;
pub use verdict::{Verdict, observations, verdict};
pub use worth::{comparison, worth};
