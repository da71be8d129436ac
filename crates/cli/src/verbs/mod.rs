//! The verbs: one file each, whose `Args` is the help text.

use clap::Subcommand;

use crate::failure::Failure;
use crate::ui::Ui;

/// Lists the verbs: a module, its variant, and whether it is shown.
macro_rules! verbs {
    ($($module:ident: $Verb:ident),+ $(,)?) => {
        $(mod $module;)+
        mod bench;

        /// What is to be done.
        #[derive(Debug, Subcommand)]
        pub enum Verb {
            $(#[allow(missing_docs)] $Verb($module::Args),)+
            /// Time whole training steps in memory
            #[command(hide = true)]
            Bench(bench::Args),
        }

        /// Does it.
        pub fn run(ui: &Ui, verb: Verb) -> Result<(), Failure> {
            match verb {
                $(Verb::$Verb(args) => $module::run(ui, args),)+
                Verb::Bench(args) => bench::run(ui, args),
            }
        }
    };
}

verbs! {
    train: Train,
    resume: Resume,
    eval: Eval,
    predict: Predict,
    explain: Explain,
    show: Show,
    plan: Plan,
    summary: Summary,
    data: Data,
    list: List,
    config: Config,
    report: Report,
    lab: Lab,
    completions: Completions,
}
