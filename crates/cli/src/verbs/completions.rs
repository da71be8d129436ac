//! `thalweg completions`: what a shell needs to complete commands.

use clap::CommandFactory;
use clap_complete::Shell;
use thalweg::config::typed_keys;

use crate::args::Cli;
use crate::failure::Failure;
use crate::ui::Ui;

/// Print a script that lets your shell complete commands
#[derive(Debug, clap::Args)]
pub struct Args {
    /// bash, zsh, fish, elvish or powershell; the first three also complete settings and their values
    #[arg(hide_possible_values = true)]
    shell: Shell,
}

/// Verbs that take settings of a run.
const VERBS: &str = "train resume eval predict plan summary config data";

pub fn run(ui: &Ui, args: Args) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut shown(), "thalweg", &mut script);
    let script = String::from_utf8_lossy(&script);
    let script = match args.shell {
        Shell::Bash => bash(&script),
        Shell::Zsh => zsh(&script),
        Shell::Fish => fish(&script),
        _ => script.into_owned(),
    };
    ui.print(&script);
    ui.result(serde_json::json!({ "shell": args.shell.to_string(), "script": script }));
    Ok(())
}

/// The command line without the verbs that its help does not show.
fn shown() -> clap::Command {
    let all = Cli::command();
    let verbs = all.get_subcommands().filter(|verb| !verb.is_hide_set()).cloned();
    let program =
        clap::Command::new("thalweg").version(env!("CARGO_PKG_VERSION")).disable_help_subcommand(true);
    program.args(all.get_arguments().cloned()).subcommands(verbs)
}

/// All keys with their `=`, parted by blanks.
fn keys() -> String {
    typed_keys().iter().map(|(key, _)| format!("{key}=")).collect::<Vec<_>>().join(" ")
}

/// An arm of a shell's `case` for each key that has names.
fn arms(arm: impl Fn(&str, &str) -> String) -> String {
    let all = typed_keys();
    all.iter().filter(|(_, names)| !names.is_empty()).map(|(key, names)| arm(key, &names.join(" "))).collect()
}

/// Bash takes `key=value` apart at the sign.
fn bash(script: &str) -> String {
    let script = script.replace("complete -F _thalweg ", "complete -F _thalweg_words ");
    let arms = arms(|key, names| format!("        {key}) names=\"{names}\" ;;\n"));
    let keys = keys();
    format!(
        r#"_thalweg_words() {{
    local cur="${{COMP_WORDS[COMP_CWORD]}}" at=$COMP_CWORD key="" names=""
    if [[ "$cur" == "=" ]]; then
        key="${{COMP_WORDS[at-1]}}" cur=""
    elif [[ $at -gt 1 && "${{COMP_WORDS[at-1]}}" == "=" ]]; then
        key="${{COMP_WORDS[at-2]}}"
    fi
    case "$key" in
{arms}    esac
    if [[ -n "$key" ]]; then
        COMPREPLY=( $(compgen -W "$names" -- "$cur") )
        case "$key" in
            data|data.source|init_from) COMPREPLY+=( $(compgen -f -- "$cur") ) ;;
        esac
        return 0
    fi
    _thalweg "$@"
    local first="${{COMP_WORDS[1]}}"
    if [[ $at -eq 1 && -n "$cur" || "${{COMP_WORDS[2]}}" == "=" ]]; then
        first=train
    elif [[ $at -eq 1 ]]; then
        first=""
    fi
    if [[ "$cur" != -* && " {VERBS} " == *" $first "* ]]; then
        local found=( $(compgen -W "{keys}" -- "$cur") )
        if [[ ${{#found[@]}} -gt 0 ]]; then
            COMPREPLY+=( "${{found[@]}}" )
            compopt -o nospace 2>/dev/null
        fi
    fi
    return 0
}}

{script}"#
    )
}

fn zsh(script: &str) -> String {
    let is_setting = |line: &str| line.starts_with("'*::settings") && !line.contains("of the lab");
    let line = |line: &str| match is_setting(line) {
        true => line.replacen(":_default'", ":_thalweg_settings'", 1) + "\n",
        false => format!("{line}\n"),
    };
    let script: String = script.lines().map(line).collect();
    let arms = arms(|key, names| format!("            {key}) compadd -- {names} ;;\n"));
    let keys = keys();
    let function = format!(
        r#"_thalweg_settings() {{
    if [[ $PREFIX == *=* ]]; then
        local key=${{PREFIX%%=*}}
        compset -P '*='
        case $key in
{arms}        esac
        case $key in
            data|data.source|init_from) _files ;;
        esac
    else
        compadd -S '' -- {keys}
        _files
    fi
}}

"#
    );
    // settings without a verb, as the first word and behind one
    let verbs = "_describe -t commands 'thalweg commands' commands \"$@\"";
    let or_settings = format!(
        "{verbs}\n    local found=$?\n    [[ -n $PREFIX ]] && _thalweg_settings && found=0\n    return found"
    );
    let arm = "case $line[1] in\n";
    let script = script.replacen(verbs, &or_settings, 1);
    let script =
        script.replacen(arm, &format!("{arm}            (*=*)\n_thalweg_settings && ret=0\n;;\n"), 1);
    script.replacen("if [ \"$funcstack[1]\"", &format!("{function}if [ \"$funcstack[1]\""), 1)
}

fn fish(script: &str) -> String {
    let first = "__fish_thalweg_needs_command; and string length -q -- (commandline -ct)";
    let behind = "test (count (commandline -opc)) -gt 1; and string match -q '*=*' -- (commandline -opc)[2]";
    let of = [format!("__fish_thalweg_using_subcommand {VERBS}"), first.into(), behind.into()];
    let mut script = script.to_owned();
    for (key, names) in typed_keys() {
        let all: Vec<String> =
            std::iter::once(String::new()).chain(names.iter().map(|n| (*n).into())).collect();
        let words: Vec<String> = all.iter().map(|name| format!("{key}={name}")).collect();
        for of in &of {
            script += &format!("complete -c thalweg -n \"{of}\" -a \"{}\"\n", words.join(" "));
        }
    }
    script
}
