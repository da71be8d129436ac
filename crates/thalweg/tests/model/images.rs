//! Layers and networks of images: shapes, names, settings that are told, channel dropout, summaries.

use super::{config, listing, model, noise, run};
use thalweg::layers::{ALL, Conv, LayerConfig, Padding};
use thalweg::model::{Mode, Model};

/// The shape that layers give for a sample.
fn shape_of(layers: &str, input_shape: &[usize]) -> Result<Vec<usize>, (String, String)> {
    let layers: Vec<LayerConfig> =
        serde_json::from_str(&format!("[{layers}]")).map_err(|e| (e.to_string(), String::new()))?;
    let config = thalweg::model::ModelConfig::from(layers.clone());
    config.check().map_err(|e| (e.to_string(), e.hint()))?;
    let model = Model::from_fn(input_shape, move |b, x| b.sequence(&layers, x));
    let model = model.map_err(|e| (e.to_string(), e.hint().unwrap_or_default()))?;
    let rows = model.summary().unwrap().rows;
    Ok(rows.iter().rfind(|r| r.depth == 0).unwrap().output.clone())
}

#[test]
fn shapes() {
    let image = [11, 8, 4];
    for (layers, shape) in [
        (r#"{"type": "conv", "channels": 6, "kernel": 3}"#, vec![9, 6, 6]),
        (r#"{"type": "conv", "channels": 6, "kernel": 3, "padding": "same"}"#, vec![11, 8, 6]),
        (r#"{"type": "conv", "channels": 6, "kernel": 3, "stride": 2, "padding": "same"}"#, vec![6, 4, 6]),
        (
            r#"{"type": "conv", "channels": 6, "kernel": [3, 5], "stride": [2, 1], "padding": [1, 0]}"#,
            vec![6, 4, 6],
        ),
        (r#"{"type": "conv", "channels": 6, "kernel": 3, "padding": [0, 1, 2, 3]}"#, vec![11, 10, 6]),
        (r#"{"type": "conv", "channels": 8, "kernel": 3, "dilation": 3, "groups": 4}"#, vec![5, 2, 8]),
        (
            r#"{"type": "conv_transpose", "channels": 2, "kernel": 4, "stride": 2, "padding": 1}"#,
            vec![22, 16, 2],
        ),
        (r#"{"type": "max_pool", "kernel": 2}"#, vec![5, 4, 4]),
        (r#"{"type": "max_pool", "kernel": 2, "ceil": true}"#, vec![6, 4, 4]),
        (r#"{"type": "avg_pool", "kernel": 3, "stride": 2, "padding": 1}"#, vec![6, 4, 4]),
        (r#"{"type": "adaptive_avg_pool", "size": [2, 3]}"#, vec![2, 3, 4]),
        (r#""global_avg_pool""#, vec![4]),
        (r#"{"type": "pad", "padding": 2, "channels": [0, 1]}"#, vec![15, 12, 5]),
        (r#"{"type": "crop", "edges": [1, 2, 3, 0]}"#, vec![7, 6, 4]),
        (r#"{"type": "resize", "size": 20}"#, vec![20, 20, 4]),
        (
            r#"{"type": "group_norm", "groups": 2}, "instance_norm", "layer_norm", "channel_dropout""#,
            vec![11, 8, 4],
        ),
        (r#""flatten""#, vec![352]),
    ] {
        assert_eq!(shape_of(layers, &image), Ok(shape), "{layers}");
    }
    assert_eq!(
        shape_of(r#"{"type": "conv1d", "channels": 6, "kernel": 3, "stride": 2}"#, &[11, 4]),
        Ok(vec![5, 6])
    );
    assert_eq!(shape_of(r#"{"type": "max_pool", "kernel": 2}"#, &[11, 4]), Ok(vec![5, 4]));
    assert_eq!(shape_of(r#"{"type": "conv", "channels": 6, "kernel": 3}"#, &[28, 28]), Ok(vec![26, 26, 6]));
}

#[test]
fn what_does_not_fit_is_named_and_helped() {
    let says = |layers: &str, message: &str, hint: &str| {
        let (got, got_hint) = shape_of(layers, &[8, 6, 4]).unwrap_err();
        let got = got.split(" at line").next().unwrap_or_default().to_owned();
        assert_eq!((got.as_str(), got_hint.as_str()), (message, hint), "{layers}");
    };
    says(
        r#"{"type": "conv", "channels": 6, "kernel": 3, "groups": 3, "name": "mixer"}"#,
        "conv `mixer`: 3 groups do not divide 4 input and 6 output channels",
        "`groups = 1`, or channels that are multiples of 3",
    );
    says(
        r#"{"type": "conv", "channels": 6, "kernel": [3, 7]}"#,
        "conv `0`: the kernel spans 7 of the width, which is 6 with its padding",
        "a smaller kernel, `padding = \"same\"`, or fewer layers that shrink the image before it",
    );
    says(
        r#""relu", {"type": "conv", "channels": 6, "kernel": 3, "dilation": 4}"#,
        "conv `1`: the kernel spans 9 of the height, which is 8 with its padding",
        "a smaller kernel, `padding = \"same\"`, or fewer layers that shrink the image before it",
    );
    says(
        r#"{"type": "max_pool", "kernel": 7}"#,
        "max_pool `0`: the kernel spans 7 of the width, which is 6 with its padding",
        "a smaller kernel, `padding = \"same\"`, or fewer layers that shrink the image before it",
    );
    says(
        r#"{"type": "max_pool", "kernel": 2, "padding": 2}"#,
        "max_pool `0`: padding must be at most half of the kernel, got 2",
        "`kernel = 4` or more, or a smaller `padding`",
    );
    says(
        r#"{"type": "group_norm", "groups": 3}"#,
        "group_norm `0`: 4 channels cannot be cut into 3 equal groups",
        "`groups = 1`, or channels that are multiples of 3",
    );
    says(
        r#"{"type": "crop", "edges": 4}"#,
        "crop `0`: edges must be less than the image, got 8",
        "smaller `edges`",
    );
    says(
        r#""flatten", {"type": "linear", "units": 60000}, {"type": "linear", "units": 60000}"#,
        "model `2`: parameters in all must be at most 2147483648, got 3611580000",
        "narrower layers, such as `model=mlp-512-512`; images become smaller by pooling before `flatten`",
    );
    says(
        r#"{"type": "residual", "layers": [{"type": "conv", "channels": 8, "kernel": 1}]}"#,
        "residual `0`: what is added must be [2, 8, 6, 4], got [2, 8, 6, 8]",
        "give the residual layer a `shortcut`, such as `[{ type = \"conv\", channels = 8, kernel = 1 }]`",
    );
    says(
        r#""flatten", {"type": "conv", "channels": 6, "kernel": 1}"#,
        "conv `1`: expected 4 (batch, height, width, channels) axes, got [2, 192]",
        "rows have no height and width: put it before `flatten`, or use a dense layer",
    );
    says(
        r#"{"type": "conv", "channels": 6, "kernel": 0}"#,
        "conv: `kernel` is 0, expected from 1 to 65536",
        "the nearest that is allowed is `kernel = 1`",
    );
    says(
        r#"{"type": "conv", "channels": 6, "kernel": 3, "padding": "full"}"#,
        "layer `conv`: `padding`: invalid value: string \"full\", expected \"same\", \"valid\", a whole number, \
         [height, width], or [top, left, bottom, right]",
        "",
    );
    says(
        r#"{"type": "conv", "channels": 6, "kernel": [1, 2, 3]}"#,
        "layer `conv`: invalid length 3, expected a whole number, or two as [height, width]",
        "",
    );
    says(
        r#"{"type": "conv", "channels": 6, "kernel": -1}"#,
        "layer `conv`: invalid value: integer `-1`, expected a whole number, or two as [height, width]",
        "",
    );
    let depth = config(r#"{"name": "resnet", "depth": 19}"#).unwrap().check().unwrap_err();
    assert_eq!(depth.to_string(), "resnet: `depth` is 19, expected 6n + 2: 8, 14, 20, 32, 44, 56, 110, …");
    assert_eq!(
        config(r#""resnet21""#).unwrap_err(),
        "resnet: `depth` is 21, expected 6n + 2: 8, 14, 20, 32, 44, 56, 110, …"
    );
}

/// A layer that is built from code meets the same checks in the graph.
#[test]
fn a_kernel_of_nothing_is_refused_from_code_too() {
    let nothing = Conv { padding: Padding::Same, ..Conv::new(3, 0) };
    let error = Model::from_fn(&[4, 4, 1], move |b, x| b.layer("c", &nothing, x)).unwrap_err();
    assert!(error.to_string().starts_with("conv `c`: "), "{error}");
}

/// Parameters for ten classes: from the papers, from DeepOBS, or from counting by hand.
#[test]
fn networks_have_the_sizes_of_the_literature() {
    let (digit, small) = ([28, 28, 1], [32, 32, 3]);
    for (json, shape, n_params) in [
        (r#""lenet5""#, digit, 61_706),
        (r#""2c2d""#, digit, 3_274_634),
        (r#""3c3d""#, small, 895_210),
        (r#""all_cnn_c""#, small, 1_369_738),
        (r#""vgg11""#, small, 9_228_362),
        (r#""vgg16""#, small, 14_724_042),
        (r#"{"name": "vgg", "bias": true}"#, small, 14_728_266),
        (r#""resnet20""#, small, 269_722),
        (r#"{"name": "resnet", "shortcut": "B"}"#, small, 272_474),
        (r#"{"name": "resnet", "skip": false}"#, small, 269_722),
        (r#""resnet32""#, small, 464_154),
        (r#""resnet44""#, small, 658_586),
        (r#""resnet56""#, small, 853_018),
        (r#""resnet110""#, small, 1_727_962),
        (r#""preact_resnet20""#, small, 269_722),
        (r#""convnext""#, small, 1_057_098),
    ] {
        assert_eq!(model(json, &shape, 10).params().len(), n_params, "{json}");
    }
}

#[test]
fn names_are_those_of_torchvision() {
    let net = model(r#"{"name": "resnet", "depth": 8, "shortcut": "B"}"#, &[32, 32, 3], 10);
    let names: Vec<&str> = net.params().slots.iter().map(|s| s.name.as_str()).collect();
    for name in [
        "conv1.weight",
        "bn1.bias",
        "layer1.0.conv2.weight",
        "layer2.0.downsample.0.weight",
        "layer2.0.downsample.1.weight",
        "layer3.0.bn2.weight",
        "fc.bias",
    ] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    assert_eq!(net.params().find("conv1.weight").unwrap().file_shape()[..], [16, 3, 3, 3]);
    assert_eq!(listing(net.buffers())[0], "bn1.running_mean [16]");
    let plain = model(r#"{"name": "resnet", "depth": 8, "skip": false}"#, &[32, 32, 3], 10);
    let with = model(r#"{"name": "resnet", "depth": 8}"#, &[32, 32, 3], 10);
    assert_eq!(plain.layout(), with.layout());
    assert_eq!(plain.init(1), with.init(1));
    let vgg = model(r#""vgg11""#, &[32, 32, 3], 10);
    assert_eq!(listing(vgg.params())[3], "features.4.weight [3, 3, 64, 128]");
    let next = model(r#""convnext""#, &[32, 32, 3], 10);
    assert_eq!(next.params().find("stages.1.0.dwconv.weight").unwrap().file_shape()[..], [128, 1, 7, 7]);
    assert_eq!(next.params().find("stages.1.0.pwconv1.weight").unwrap().shape[..], [512, 128]);
}

/// Two blocks of a ResNet, one with a projection on the way around, layer by layer.
#[test]
fn any_stack_comes_from_a_list() {
    let conv = |name: &str, stride: u32| {
        format!(
            r#"{{"type": "conv", "name": "{name}", "channels": 6, "kernel": 3, "stride": {stride}, "padding": 1, "bias": false}}"#
        )
    };
    let block = |stride: u32, shortcut: &str| {
        let (conv1, conv2) = (conv("conv1", stride), conv("conv2", 1));
        format!(
            r#"{{"type": "residual", "layers": [{conv1}, "batch_norm", "relu", {conv2}, "batch_norm"], {shortcut}
            "activation": "relu"}}"#
        )
    };
    let around = r#""shortcut": [{"type": "conv", "channels": 6, "kernel": 1, "stride": 2, "bias": false}, "batch_norm"],"#;
    let text = format!(
        r#"{{"layers": [{{"type": "sequential", "name": "stage", "layers": [{}, {}]}}, "global_avg_pool",
        {{"type": "linear", "units": "outputs"}}]}}"#,
        block(2, around),
        block(1, "")
    );
    let net = model(&text, &[8, 8, 3], 4);
    let names = listing(net.params());
    assert_eq!(names[0], "stage.0.downsample.0.weight [1, 1, 3, 6]");
    assert!(names.contains(&"stage.1.conv2.weight [3, 3, 6, 6]".to_owned()), "{names:?}");
    let written = serde_json::to_string(&config(&text).unwrap()).unwrap();
    assert_eq!(config(&written).unwrap(), config(&text).unwrap());
}

#[test]
fn channels_are_dropped_whole() {
    let net =
        model(r#"{"layers": [{"type": "channel_dropout", "drop": 0.25}, "flatten"]}"#, &[3, 2, 50], 300);
    let x = vec![3.0; 40 * 300];
    assert_eq!(run(&net, &x, &[], &mut [], Mode::Eval), x);
    let y = run(&net, &x, &[], &mut [], Mode::Train);
    assert!(
        y.chunks(6)
            .all(|channel| channel.iter().all(|y| *y == channel[0]) && [0.0, 4.0].contains(&channel[0]))
    );
    let dropped = y.chunks(6).filter(|channel| channel[0] == 0.0).count();
    assert!((425..575).contains(&dropped), "{dropped} of 2000, at 0.25");
}

/// Deviations of He's formula with the fans of a convolution: KH·KW·C/groups in, KH·KW·O/groups out.
#[test]
fn convolutions_start_by_their_fans() {
    let deviation = |settings: &str| {
        let text = format!(
            r#"{{"layers": [{{"type": "conv", "channels": 64, "kernel": [3, 5], "bias": false, {settings}}}, "relu", "flatten"]}}"#
        );
        let weights = model(&text, &[3, 5, 32], 64).init(1).0;
        (weights.iter().map(|w| f64::from(*w).powi(2)).sum::<f64>() / weights.len() as f64).sqrt()
    };
    for (settings, n) in [
        (r#""init": "he_normal""#, 15.0 * 32.0f64),
        (r#""init": {"name": "he_normal", "mode": "fan_out"}"#, 15.0 * 64.0),
        (r#""init": {"name": "he_normal", "mode": "fan_out"}, "groups": 4"#, 15.0 * 16.0),
        (r#""init": "he_uniform", "groups": 4"#, 15.0 * 8.0),
    ] {
        let (got, want) = (deviation(settings), (2.0 / n).sqrt());
        assert!((got / want - 1.0).abs() < 0.03, "{settings}: {got} and not {want}");
    }
}

#[test]
fn a_summary_counts_convolutions_and_each_value_once() {
    let summary = model(r#""resnet20""#, &[32, 32, 3], 10).summary().unwrap();
    let products: u64 =
        summary.rows.iter().filter(|r| ["conv", "linear"].contains(&r.kind)).map(|r| r.flops).sum();
    // 40.55 million products, of He et al.'s net with shortcut A, and the ten sums of `fc`
    assert_eq!(products, 2 * 40_551_040 + 10);
    let block = summary.rows.iter().find(|r| r.name == "layer1.0").unwrap();
    assert_eq!((block.output.as_slice(), block.n_params, block.activation_bytes), (&[32, 32, 16][..], 0, 0));
    let pool = summary.rows.iter().find(|r| r.name == "avgpool").unwrap();
    assert_eq!((pool.output.as_slice(), pool.activation_bytes), (&[64][..], 256));
}

#[test]
fn evaluation_does_not_depend_on_the_batch() {
    let net = model(r#"{"name": "resnet", "depth": 8}"#, &[9, 9, 3], 4);
    let (params, mut buffers) = net.init(2);
    let x = noise(5 * 243, 3);
    let all = run(&net, &x, &params, &mut buffers, Mode::Eval);
    let one: Vec<f32> = x.chunks(243).flat_map(|x| run(&net, x, &params, &mut buffers, Mode::Eval)).collect();
    assert_eq!(all, one);
}

#[test]
fn every_layer_has_a_case() {
    let cases =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/layers/cases.json"))
            .unwrap();
    let first = ALL.iter().position(|e| e.name == "conv").unwrap();
    let images = ALL[first..].iter().take_while(|e| e.name != "embedding");
    for entry in images.filter(|e| !["dropout", "channel_dropout"].contains(&e.name)) {
        assert!(
            cases.contains(&format!("\"{}\"", entry.name)),
            "{} is not compared with PyTorch",
            entry.name
        );
    }
}
