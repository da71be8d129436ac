//! What layers compute, against the f64 reference, hand-made examples and PyTorch.

use super::{close, config, listing, model, noise, run};
use engine::exec::StepContext;
use engine::graph::Graph;
use engine::reference::{Feed, evaluate};
use engine::{Draw, Executor, GraphError, Plan, PlanOptions, Pool, Wanted};
use std::sync::Arc;
use thalweg::engine;
use thalweg::layers::{ACTIVATIONS, BatchNorm, Dropout, Linear, Relu};
use thalweg::model::{Mode, Model};

/// One of each, with the shape of a sample and the number of outputs.
fn zoo() -> Vec<(String, Vec<usize>, usize)> {
    let mut zoo: Vec<(String, Vec<usize>, usize)> = ACTIVATIONS
        .iter()
        .map(|a| (format!(r#"{{"layers": [{{"type": "linear", "units": 7}}, "{}"]}}"#, a.name), vec![5], 7))
        .collect();
    let lists = [
        (r#""gelu", {"type": "gelu", "approximate": "tanh"}, {"type": "elu", "alpha": 0.5}"#, vec![6], 6),
        (r#""batch_norm", {"type": "leaky_relu", "slope": 0.2}"#, vec![6], 6),
        (
            r#""batch_norm", "flatten", {"type": "linear", "units": "outputs", "bias": false}"#,
            vec![3, 4, 2],
            5,
        ),
        (r#""layer_norm", {"type": "dropout", "drop": 0.3}"#, vec![9], 9),
        (r#"{"type": "linear", "units": 4}, "layer_norm", "flatten""#, vec![3, 5], 12),
        (
            r#"{"type": "residual", "layers": ["batch_norm", "relu", {"type": "linear", "units": 8}]}"#,
            vec![8],
            8,
        ),
        (
            r#"{"type": "concat", "branches": [[], [{"type": "linear", "units": 3}, "tanh"], ["softmax"]]}"#,
            vec![4],
            11,
        ),
        (
            r#"{"type": "column_embedding", "numbers": [0, 2, 3], "categories": [4], "category_sizes": [3],
                "frequencies": 5, "dim": 3, "category_dim": 2}, "scale", {"type": "ntk_linear", "units": 4}"#,
            vec![8],
            4,
        ),
    ];
    zoo.extend(lists.map(|(list, shape, n)| (format!(r#"{{"layers": [{list}]}}"#), shape, n)));
    zoo.push((
        r#"{"name": "mlp", "hidden": [9, 8], "batch_norm": true, "dropout": 0.2}"#.into(),
        vec![2, 3],
        4,
    ));
    zoo.push((
        r#"{"name": "tabular", "hidden": [6], "numbers": [0, 1], "categories": [3], "category_sizes": [2]}"#
            .into(),
        vec![6],
        3,
    ));
    zoo.push((r#"{"name": "tabular", "hidden": [6, 5], "members": 3}"#.into(), vec![4], 3));
    zoo.push((r#"{"name": "linear", "init": "torch_linear"}"#.into(), vec![2, 3], 4));
    zoo
}

fn f64s(values: &[f32]) -> Vec<f64> {
    values.iter().map(|x| f64::from(*x)).collect()
}

#[test]
fn the_fast_path_agrees_with_the_f64_reference() {
    for (i, (text, shape, n)) in zoo().into_iter().enumerate() {
        let model = model(&text, &shape, n);
        let (params, mut buffers) = model.init(1);
        buffers.iter_mut().zip(noise(1000, 9)).for_each(|(b, noise)| *b += 0.4 * noise);
        let batch = 5;
        let x = noise(batch * shape.iter().product::<usize>(), i as u64);
        for mode in [Mode::Train, Mode::Eval] {
            let mut g = Graph::new();
            let input = model.input(&mut g, batch).unwrap();
            let y = model.forward(&mut g, input, mode).unwrap();
            let feed = Feed {
                inputs: vec![f64s(&x)],
                params: f64s(&params),
                buffers: f64s(&buffers),
                tangents: vec![],
                draw: Draw { seed: 3, step: 5, first_row: 0 },
            };
            let want = &evaluate(&g, &feed, &[y])[0].data;
            close(&run(&model, &x, &params, &mut buffers.clone(), mode), want, 2e-6);
        }
    }
}

/// Gradients of Σy², on the fast path, against the f64 evaluation of the same gradients.
#[test]
fn gradients_of_every_layer_agree_with_the_f64_reference() {
    for (i, (text, shape, n)) in zoo().into_iter().enumerate() {
        let model = model(&text, &shape, n);
        let (params, buffers) = model.init(1);
        let x = noise(5 * shape.iter().product::<usize>(), i as u64);
        let mut g = Graph::new();
        let input = model.input(&mut g, 5).unwrap();
        let y = model.forward(&mut g, input, Mode::Train).unwrap();
        let square = g.mul(y, y).unwrap();
        let loss = g.sum(square).unwrap();
        let gradients = g.gradients(loss, &model.param_vars(&g)).unwrap();
        let draw = Draw { seed: 3, step: 5, first_row: 0 };
        let (params64, buffers64) = (f64s(&params), f64s(&buffers));
        let feed =
            Feed { inputs: vec![f64s(&x)], params: params64, buffers: buffers64, tangents: vec![], draw };
        let want: Vec<f64> = evaluate(&g, &feed, &gradients).into_iter().flat_map(|t| t.data).collect();
        let wanted = Wanted { outputs: vec![], gradients, assigns: true };
        let options = PlanOptions::new(5, 2, 1);
        let mut executor =
            Executor::new(Arc::new(Plan::compile(&g, &wanted, options).unwrap()), Arc::new(Pool::new(1)));
        executor.run(StepContext { params: &params, buffers: &buffers, tangents: &[], draw }, &[&x[..]]);
        let mut got = vec![f32::NAN; params.len()];
        executor.gradients(&mut got);
        close(&got, &want, 4e-6);
    }
}

#[test]
fn the_layout_is_the_same_for_every_batch_and_mode() {
    for (text, shape, n) in zoo() {
        let model = model(&text, &shape, n);
        for (batch, mode) in [(2, Mode::Train), (7, Mode::Train), (1, Mode::Eval), (64, Mode::Eval)] {
            let mut g = Graph::new();
            let x = model.input(&mut g, batch).unwrap();
            let y = model.forward(&mut g, x, mode).unwrap();
            assert_eq!((&g.params, &g.buffers), model.layout(), "{text}");
            let members: &[usize] = if text.contains("members") { &[3] } else { &[] };
            assert_eq!(g.shape(y)[..], [&[batch], members, &[n]].concat(), "{text}");
        }
    }
}

/// Independent of the engine: loops over the weights by name.
#[test]
fn an_mlp_is_what_the_textbook_says() {
    let model = model(r#"{"name": "mlp", "hidden": [11, 7], "init": "torch_linear"}"#, &[3, 4], 5);
    let (params, mut buffers) = model.init(8);
    let x = noise(6 * 12, 4);
    let mut want = Vec::new();
    for row in x.chunks(12) {
        let mut values = f64s(row);
        for (layer, last) in [("0", false), ("2", false), ("4", true)] {
            let view = |name: &str| &params[model.params().find(&format!("{layer}.{name}")).unwrap().range()];
            let (weight, bias) = (view("weight"), view("bias"));
            let unit = |(w, b): (&[f32], &f32)| {
                let sum: f64 =
                    w.iter().zip(&values).map(|(w, x)| f64::from(*w) * x).sum::<f64>() + f64::from(*b);
                if last { sum } else { sum.max(0.0) }
            };
            values = weight.chunks(values.len()).zip(bias).map(unit).collect();
        }
        want.extend(values);
    }
    close(&run(&model, &x, &params, &mut buffers, Mode::Eval), &want, 1e-6);
}

/// `nn.Sequential(Linear(4, 3), BatchNorm1d(3), ReLU(), Dropout(0.1), Linear(3, 2)).state_dict()`
#[test]
fn names_are_those_of_torch_sequential() {
    let text = r#"{"name": "mlp", "hidden": [3], "batch_norm": true, "dropout": 0.1}"#;
    let net = model(text, &[2, 2], 2);
    assert_eq!(
        listing(net.params()),
        ["0.weight [3, 4]", "0.bias [3]", "1.weight [3]", "1.bias [3]", "4.weight [2, 3]", "4.bias [2]"]
    );
    assert_eq!(listing(net.buffers()), ["1.running_mean [3]", "1.running_var [3]"]);
    let named = r#"{"layers": [{"type": "linear", "units": 4, "name": "fc"}, "relu",
        {"type": "residual", "name": "block", "layers": [{"type": "linear", "units": 4}]}]}"#;
    assert_eq!(
        listing(model(named, &[3], 4).params()),
        ["fc.weight [4, 3]", "fc.bias [4]", "block.0.weight [4, 4]", "block.0.bias [4]"]
    );
    assert_eq!(net.param_infos()[..2], [("0.weight", 2), ("0.bias", 1)]);
}

/// Two batches whose means are 3, 20 and 1, 0, and whose unbiased variances are 7, 100 and 1, 16; as PyTorch's.
#[test]
fn running_averages_after_two_steps() {
    let net = model(r#"{"layers": ["batch_norm"]}"#, &[2], 2);
    let (params, mut buffers) = net.init(0);
    assert_eq!((&params[..], &buffers[..]), (&[1.0, 1.0, 0.0, 0.0][..], &[0.0, 0.0, 1.0, 1.0][..]));
    let first = [1.0, 10.0, 2.0, 20.0, 6.0, 30.0];
    run(&net, &first, &params, &mut buffers, Mode::Train);
    close(&buffers, &[0.3, 2.0, 0.9 + 0.7, 0.9 + 10.0], 1e-7);
    let y = run(&net, &[0.0, -4.0, 1.0, 0.0, 2.0, 4.0], &params, &mut buffers, Mode::Train);
    // 1/√(2/3 + ε) and 4/√(32/3 + ε)
    let (a, b) = (1.0 / (2.0 / 3.0 + 1e-5f64).sqrt(), 4.0 / (32.0 / 3.0 + 1e-5f64).sqrt());
    close(&y, &[-a, -b, 0.0, 0.0, a, b], 1e-6);
    close(&buffers, &[0.37, 1.8, 1.54, 11.41], 1e-7);
    let kept = buffers.clone();
    let y = run(&net, &first, &params, &mut buffers, Mode::Eval);
    close(&y, &[0.5077, 2.4276, 1.3135, 5.3880, 4.5368, 8.3485], 1e-5);
    assert_eq!(buffers, kept);
}

/// `nn.BatchNorm2d(2)` of PyTorch 2 on arange(24)^1.5 as [2, 2, 2, 3], there with channels as axis 1.
#[test]
fn batch_norm_of_images() {
    let net = model(r#"{"layers": ["batch_norm", "flatten"]}"#, &[2, 3, 2], 12);
    let (params, mut buffers) = net.init(0);
    let at = |i: u32| i / 12 * 12 + i % 2 * 6 + i % 12 / 2;
    let x: Vec<f32> = (0..24).map(|i| f64::from(at(i)).powf(1.5) as f32).collect();
    let y = run(&net, &x, &params, &mut buffers, Mode::Train);
    let want = [-1.1373982416186594, -1.0996127087262944, -1.0305246154629044, -0.9410588533367351];
    close(&y[..4], &want, 1e-6);
    close(&y[22..], &[1.247957709233515, 1.449390217826629], 1e-6);
    close(&buffers, &[3.010142122009028, 5.910891305579218, 77.30775714880349, 137.00578880321473], 1e-6);
}

fn train_once(net: &Model, batch: usize) -> Result<(), GraphError> {
    let mut g = Graph::new();
    let x = net.input(&mut g, batch)?;
    net.forward(&mut g, x, Mode::Train).map(|_| ())
}

#[test]
fn batch_norm_refuses_to_train_on_one_sample() {
    let net = model(r#"{"name": "mlp", "hidden": [3], "batch_norm": true}"#, &[4], 2);
    assert_eq!(
        train_once(&net, 1).unwrap_err().to_string(),
        "batch_norm `1`: values per channel must be more than 1 in training, got 1"
    );
    // an image of several pixels has several values per channel
    train_once(&model(r#"{"layers": ["batch_norm", "flatten"]}"#, &[2, 2, 3], 12), 1).unwrap();
}

#[test]
fn dropout_acts_in_training_only() {
    let net = model(r#"{"layers": [{"type": "dropout", "drop": 0.25}]}"#, &[1000], 1000);
    let x = vec![3.0; 4000];
    assert_eq!(run(&net, &x, &[], &mut [], Mode::Eval), x);
    let y = run(&net, &x, &[], &mut [], Mode::Train);
    let dropped = y.iter().filter(|y| **y == 0.0).count();
    assert!((900..1100).contains(&dropped), "{dropped} of 4000, at 0.25");
    assert!(y.iter().all(|y| *y == 0.0 || *y == 4.0));
}

#[test]
fn an_embedding_looks_rows_up() {
    let net = model(r#"{"layers": [{"type": "embedding", "n": 4, "dim": 2}, "flatten"]}"#, &[2], 4);
    let params: Vec<f32> = (0..8).map(|i| i as f32).collect();
    let y = run(&net, &[3.0, 0.0, 1.0, 1.0], &params, &mut [], Mode::Eval);
    assert_eq!(y, [6.0, 7.0, 0.0, 1.0, 2.0, 3.0, 2.0, 3.0]);
    let (params, _) = net.init(5);
    assert!(params.iter().any(|x| x.abs() > 0.5));
}

#[test]
fn a_linear_layer_acts_on_the_last_axis_and_an_mlp_on_all() {
    let list = model(r#"{"layers": [{"type": "linear", "units": 6}, "flatten"]}"#, &[3, 4], 18);
    assert_eq!(listing(list.params()), ["0.weight [6, 4]", "0.bias [6]"]);
    let mlp = model(r#"{"name": "mlp", "hidden": [6]}"#, &[3, 4], 2);
    assert_eq!(listing(mlp.params())[0], "0.weight [6, 12]");
}

#[test]
fn a_model_from_code_is_the_model_from_a_list() {
    let list = r#"{"layers": [{"type": "linear", "units": 6, "name": "a"}, "relu", "batch_norm",
        {"type": "dropout", "name": "d"}, {"type": "linear", "units": 2, "name": "b"}]}"#;
    let list = model(list, &[4], 2);
    let code = Model::from_fn(&[4], |b, x| {
        let h = b.layer("a", &Linear::new(6), x)?;
        let h = b.layer("1", &Relu {}, h)?;
        let h = b.layer("2", &BatchNorm::default(), h)?;
        let h = b.layer("d", &Dropout::default(), h)?;
        b.layer("b", &Linear::new(2), h)
    })
    .unwrap();
    assert_eq!(list.layout(), code.layout());
    assert_eq!(code.n_outputs(), 2);
    let (params, mut buffers) = list.init(1);
    let x = noise(12, 1);
    for mode in [Mode::Train, Mode::Eval] {
        let a = run(&list, &x, &params, &mut buffers.clone(), mode);
        assert_eq!(a, run(&code, &x, &params, &mut buffers, mode));
    }
}

#[test]
fn the_summary_counts_parameters_operations_and_memory() {
    let net = model(r#""mlp-512-512""#, &[28, 28], 10);
    let summary = net.summary().unwrap();
    assert_eq!((summary.n_params, summary.n_buffers, summary.rows.len()), (669_706, 0, 5));
    let first = &summary.rows[0];
    assert_eq!((first.n_params, &first.output[..]), (401_920, &[512][..]));
    assert_eq!(first.flops, 2 * 784 * 512 + 512);
    assert_eq!(summary.rows[1].flops, 512);
    assert_eq!(summary.flops, 2 * (784 * 512 + 512 * 512 + 512 * 10) + 4 * 512 + 10);
    assert_eq!(summary.activation_bytes, 4 * (4 * 512 + 10));
    let text = r#"{"layers": [{"type": "residual", "layers": [{"type": "linear", "units": 3}]}, "flatten"]}"#;
    let summary = model(text, &[3], 3).summary().unwrap();
    let rows: Vec<_> =
        summary.rows.iter().map(|r| (r.name.as_str(), r.n_params, r.flops, r.activation_bytes)).collect();
    assert_eq!(rows, [("0", 0, 3, 12), ("0.0", 12, 21, 12), ("1", 0, 0, 0)]);
    let table = net.summary().unwrap().to_string();
    let total = table.lines().find(|l| l.contains("total")).unwrap();
    assert!(total.contains("669,706") && total.contains("1.34 M") && total.contains("8.0 KiB"), "{table}");
    assert!(config(r#""mlp-512-512""#).unwrap().to_string() == "mlp-512-512");
}

#[test]
fn a_model_can_go_to_other_threads_and_says_when_a_layer_goes_past_the_builder() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&model(r#""mlp""#, &[4], 2));
    let past = Model::from_fn(&[4], |b, x| {
        let w = Graph::param(b, "weight", [2, 4])?;
        b.matmul_nt(x, w)
    });
    assert_eq!(past.unwrap_err().to_string(), "1 parameters or buffer elements have no initial value");
}

/// [others | numbers, their waves | category · E], summed by hand in f64.
#[test]
fn columns_are_embedded_as_the_formula_says() {
    let text = r#"{"layers": [{"type": "column_embedding", "numbers": [0, 2], "categories": [3], "category_sizes": [2],
        "frequencies": 4, "dim": 3, "category_dim": 2, "frequency_std": 0.7}]}"#;
    let (width, out) = (6, 2 + 2 * 3 + 2);
    let net = model(text, &[width], out);
    let (params, _) = net.init(7);
    let of = |name: &str| f64s(&params[net.params().find(name).unwrap().range()]);
    let [frequency, phase, weight, bias, table] =
        ["numbers.frequency", "numbers.phase", "numbers.weight", "numbers.bias", "categories.0.weight"]
            .map(|name| of(&format!("0.{name}")));
    let x = noise(3 * width, 1);
    let mut want = Vec::new();
    for row in f64s(&x).chunks(width) {
        want.extend([row[1], row[5], row[0], row[2]]);
        for d in 0..2 {
            for (n, x) in [row[0], row[2]].into_iter().enumerate() {
                let wave = |h: usize| {
                    let turns = frequency[n * 4 + h] * x + phase[n * 4 + h];
                    weight[(d * 2 + n) * 4 + h] * (std::f64::consts::TAU * turns).cos()
                };
                want.push((0..4).map(wave).sum::<f64>() + bias[d * 2 + n]);
            }
        }
        want.extend((0..2).map(|j| row[3] * table[j] + row[4] * table[2 + j]));
    }
    close(&run(&net, &x, &params, &mut [], Mode::Eval), &want, 2e-6);
    let dense = model(r#"{"layers": [{"type": "ntk_linear", "units": 1}]}"#, &[4], 1);
    let y = run(&dense, &[1.0, 2.0, 3.0, 4.0], &[1.0, -1.0, 2.0, 0.5, 0.25], &mut [], Mode::Eval);
    assert_eq!(y, [(1.0 - 2.0 + 6.0 + 2.0) / 2.0 + 0.25]);
}

#[test]
fn places_that_are_no_columns_are_refused() {
    let fails = |keys: &str| {
        let text = format!(r#"{{"layers": [{{"type": "column_embedding", {keys}}}]}}"#);
        Model::new(&config(&text).unwrap(), &[4], 4).unwrap_err().to_string()
    };
    for (keys, key, value) in [
        (r#""numbers": [1, 0]"#, "numbers", "0"),
        (r#""numbers": [1, 1]"#, "numbers", "1"),
        (r#""numbers": [4]"#, "numbers", "4"),
        (r#""numbers": [2], "categories": [1], "category_sizes": [2]"#, "categories", "1"),
        (r#""categories": [1, 2], "category_sizes": [2, 1]"#, "categories", "2"),
        (r#""categories": [2], "category_sizes": [3]"#, "categories", "2"),
        (r#""categories": [1, 2], "category_sizes": [1]"#, "category_sizes", "1"),
        (r#""categories": [1], "category_sizes": [0]"#, "category_sizes", "1"),
    ] {
        let error = fails(keys);
        assert!(error.contains(&format!(": {key} must be ")), "{keys}: {error}");
        assert!(error.ends_with(&format!("got {value}")), "{keys}: {error}");
    }
}
