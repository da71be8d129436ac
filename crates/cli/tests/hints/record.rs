//! Hints about run folders.

use super::{Case, RUN, case, write};

const SEVERAL: &str = "thalweg data=t.csv model=mlp-4 batch=16 steps=1 seeds=2 -q --run-dir s";

pub const CASES: &[Case] = &[
    case("record.Missing", "thalweg eval nowhere", "{0} && thalweg eval runs/r").before(
        "thalweg data=t.csv model=mlp-4 batch=16 steps=1 -q --run-dir runs/r",
    ),
    case("record.Missing", "thalweg eval r", "thalweg eval r")
        .before("thalweg data=t.csv model=mlp-4 batch=16 steps=1 -q --run-dir r && mv r/config.toml copy.toml")
        .by_hand(|here, _| {
            std::fs::rename(here.join("copy.toml"), here.join("r/config.toml")).unwrap();
        }),
    case("record.Missing", "thalweg predict r t.csv -o none/a.csv", "{0} && thalweg predict r t.csv -o none/a.csv").before(RUN),
    case("record.Exists", "thalweg data=t.csv model=mlp-4 batch=16 steps=1 --run-dir r", "{0} && thalweg data=t.csv model=mlp-4 batch=16 steps=1 -q {1} r2 && thalweg data=t.csv model=mlp-4 batch=16 steps=1 -q --run-dir r {2}").before(RUN),
    case("record.NotARun", "thalweg eval mine", "thalweg eval r").before(RUN).setup(|here| write(here, "mine/a.txt", "")),
    case("record.SeveralRuns", "thalweg eval s", "thalweg eval {0}").before(SEVERAL),
    case("record.NotRuns", "thalweg seeds=2 data=t.csv model=mlp-4 batch=16 steps=1 --run-dir mine --overwrite", "thalweg seeds=2 data=t.csv model=mlp-4 batch=16 steps=1 -q --run-dir new --overwrite")
        .setup(|here| write(here, "mine/a.txt", "")),
    case("record.NotAFolder", "thalweg lab init --out t.csv", "thalweg lab init samples=4 width=3 depth=2 seeds=1 -q --out other")
        .by_hand(|_, quoted| assert_eq!(quoted[0], "--out DIR")),
    case("record.LabExists", "thalweg lab init", "thalweg lab init samples=4 width=3 depth=2 seeds=1 -q --out other")
        .before("thalweg lab init samples=4 width=3 depth=2 seeds=1 -q")
        .by_hand(|_, quoted| assert_eq!(quoted[0], "--out DIR")),
    case("record.BadRunName", "thalweg resume s", "thalweg resume s")
        .before("thalweg data=t.csv model=mlp-4 batch=16 steps=1 seeds=2 -q --run-dir s && sed -i 's/\"seed-0\"/\"..\"/' s/runs.json")
        .by_hand(|here, _| {
            let path = here.join("s/runs.json");
            let text = std::fs::read_to_string(&path).unwrap().replace("\"..\"", "\"seed-0\"");
            std::fs::write(path, text).unwrap();
        }),
    case("record.SameRunName", "thalweg resume s", "thalweg resume s")
        .before("thalweg data=t.csv model=mlp-4 batch=16 steps=1 seeds=2 -q --run-dir s && sed -i 's/\"seed-0\"/\"SEED-1\"/' s/runs.json")
        .by_hand(|here, _| {
            let path = here.join("s/runs.json");
            let text = std::fs::read_to_string(&path).unwrap().replace("\"SEED-1\"", "\"seed-0\"");
            std::fs::write(path, text).unwrap();
        }),
    case("record.Json", "thalweg report r", "thalweg train r/config.toml -q")
        .before("thalweg data=t.csv model=mlp-4 batch=16 steps=1 -q --run-dir r && echo '{' > r/summary.json"),
    case("record.Row", "thalweg report r", "thalweg report r")
        .before("thalweg data=t.csv model=mlp-4 batch=16 epochs=3 -q --run-dir r && sed -i '3s/.*/2,x/' r/metrics.csv")
        .by_hand(|here, _| {
            let path = here.join("r/metrics.csv");
            let text = std::fs::read_to_string(&path).unwrap();
            let kept: Vec<&str> = text.lines().filter(|line| *line != "2,x").collect();
            std::fs::write(path, kept.join("\n") + "\n").unwrap();
        }),
    case("record.InTheWay", "thalweg data=t.csv model=mlp-4 batch=16 steps=1 seeds=2 -q --run-dir s --overwrite", "mv s/seed-0/thesis.txt . && thalweg data=t.csv model=mlp-4 batch=16 steps=1 seeds=2 -q --run-dir s --overwrite")
        .before("thalweg data=t.csv model=mlp-4 batch=16 steps=1 seeds=2 -q --run-dir s && touch s/seed-0/thesis.txt"),
    #[cfg(target_os = "linux")]
    case("record.Busy", "flock r/.lock thalweg resume r steps=2", "thalweg resume r steps=2 -q").before(RUN),
    case("record.Denied", "thalweg data=t.csv model=mlp-4 batch=16 --run-dir /proc/x", "thalweg data=t.csv model=mlp-4 batch=16 steps=1 -q --run-dir here")
        .by_hand(|_, quoted| assert_eq!(quoted[0], "--run-dir DIR")),
];
