//! Hints about networks.

use super::{Case, case};

pub const CASES: &[Case] = &[
    case("model.Ends", "thalweg model=7-3-10", "thalweg {0} steps=1 -q"),
    case(
        "model.Outputs",
        "thalweg 'model.layers=[{type=linear,units=4}]'",
        "thalweg 'model.layers=[{type=linear,units=4},{0}]' steps=1 -q",
    ),
    case(
        "model.Duplicate",
        "thalweg 'model.layers=[{type=linear,units=4,name=a},{type=linear,units=outputs,name=a}]'",
        "thalweg 'model.layers=[{type=linear,units=4,name=a},{type=linear,units=outputs,name=b}]' steps=1 -q",
    ),
    case("model.NoLayers", "thalweg 'model.layers=[]'", "thalweg steps=1 -q 'model.{0}'").by_hand(|_, quoted| {
        assert!(quoted[0].starts_with("layers = "));
    }),
];
