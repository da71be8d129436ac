//! Hints about networks.

use super::{Case, case};

pub const CASES: &[Case] = &[
    case("model.Ends", "thalweg model=7-3-10", "thalweg {0} steps=1 -q"),
    case(
        "model.Outputs",
        "thalweg 'model.layers=[{type=linear,units=outputs}]'",
        "thalweg 'model.layers=[{0},{type=linear,units=outputs}]' steps=1 -q",
    ),
    case(
        "model.Outputs",
        "thalweg 'model.layers=[flatten,{type=linear,units=4}]'",
        "thalweg 'model.layers=[flatten,{type=linear,units=4},{0}]' steps=1 -q",
    ),
    case(
        "model.Duplicate",
        "thalweg 'model.layers=[flatten,{type=linear,units=4,name=a},{type=linear,units=outputs,name=a}]'",
        "thalweg 'model.layers=[flatten,{type=linear,units=4,name=a},{type=linear,units=outputs,name=b}]' steps=1 -q",
    ),
    case("model.NoLayers", "thalweg 'model.layers=[]'", "thalweg {0} steps=1 -q && thalweg {1} steps=1 -q"),
    case(
        "graph.Groups",
        "thalweg 'model.layers=[{type=conv,channels=4,kernel=3,groups=3},flatten,{type=linear,units=outputs}]'",
        "thalweg 'model.layers=[{type=conv,channels=4,kernel=3,{0}},flatten,{type=linear,units=outputs}]' steps=1 -q",
    ),
    case(
        "graph.GroupsOf",
        "thalweg 'model.layers=[{type=conv,channels=4,kernel=3},{type=group_norm,groups=3},flatten,{type=linear,units=outputs}]'",
        "thalweg 'model.layers=[{type=conv,channels=4,kernel=3},{type=group_norm,{0}},flatten,{type=linear,units=outputs}]' steps=1 -q",
    ),
    case(
        "graph.Window",
        "thalweg 'model.layers=[{type=conv,channels=4,kernel=9,padding=0},flatten,{type=linear,units=outputs}]'",
        "thalweg 'model.layers=[{type=conv,channels=4,kernel=9,{0}},flatten,{type=linear,units=outputs}]' steps=1 -q",
    ),
    case(
        "graph.Rank",
        "thalweg 'model.layers=[flatten,{type=conv,channels=4,kernel=3},{type=linear,units=outputs}]'",
        "thalweg 'model.layers=[{type=conv,channels=4,kernel=3},{0},{type=linear,units=outputs}]' steps=1 -q",
    ),
    case(
        "graph.Concat",
        "thalweg 'model.layers=[{type=concat,branches=[[{type=max_pool,kernel=2}],[relu]]},flatten,{type=linear,units=outputs}]'",
        "thalweg 'model.layers=[{type=concat,branches=[[tanh],[relu]]},flatten,{type=linear,units=outputs}]' steps=1 -q",
    )
    .by_hand(|_, quoted| assert_eq!(quoted[0], "branches")),
    case(
        "graph.Expected",
        "thalweg 'model.layers=[{type=residual,layers=[{type=conv,channels=4,kernel=3,padding=same}]},flatten,{type=linear,units=outputs}]'",
        "thalweg 'model.layers=[{type=residual,layers=[{type=conv,channels=4,kernel=3,padding=same}],shortcut={1}},flatten,{type=linear,units=outputs}]' steps=1 -q",
    ),
    case(
        "graph.Expected",
        "thalweg 'model.layers=[{type=residual,layers=[{type=conv,channels=1,kernel=3}]},flatten,{type=linear,units=outputs}]'",
        "thalweg 'model.layers=[{type=residual,layers=[{type=conv,channels=1,kernel=3,{0}}]},flatten,{type=linear,units=outputs}]' steps=1 -q",
    ),
    case(
        "graph.Range",
        "thalweg 'model.layers=[flatten,{type=dropout,drop=0.999999999},{type=linear,units=outputs}]'",
        "thalweg 'model.layers=[flatten,{type=dropout,{0}},{type=linear,units=outputs}]' steps=1 -q",
    ),
    case(
        "graph.TooLarge",
        "thalweg 'model.layers=[{type=resize,size=65536},{type=conv,channels=65536,kernel=1},flatten,{type=linear,units=outputs}]'",
        "thalweg 'model.layers=[{type=resize,size=4},{type=conv,channels=2,kernel=1},flatten,{type=linear,units=outputs}]' steps=1 -q",
    ),
    case(
        "graph.Rank",
        "thalweg 'model.layers=[{type=concat,branches=[]},flatten,{type=linear,units=outputs}]'",
        "thalweg 'model.layers=[{type=concat,{1}},flatten,{type=linear,units=outputs}]' steps=1 -q",
    ),
];
