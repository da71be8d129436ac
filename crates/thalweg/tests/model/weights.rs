//! Weights in safetensors files: there and back, PyTorch's variants, damaged and hostile files.

use super::model;
use safetensors::tensor::{Dtype, TensorView, serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use thalweg::model::Model;
use thalweg::model::weights::{Matched, Mismatch, WeightsError, WeightsFile, read, to_bytes};

fn net() -> Model {
    model(r#"{"name": "mlp", "hidden": [3], "batch_norm": true}"#, &[4], 2)
}

fn saved() -> Vec<u8> {
    let net = net();
    let (params, buffers) = net.init(5);
    let fields = BTreeMap::from([("model".to_owned(), "\"quoted\" \u{1F600}".to_owned())]);
    to_bytes(&[(net.params(), &params), (net.buffers(), &buffers)], &fields).unwrap()
}

/// What the net holds after loading, and what was matched.
fn load(bytes: Vec<u8>) -> Result<(Vec<f32>, Vec<f32>, Matched), WeightsError> {
    let net = net();
    let (mut params, mut buffers) = (vec![f32::NAN; net.params().len()], vec![f32::NAN; net.buffers().len()]);
    let file = WeightsFile::from_bytes(Path::new("w.safetensors"), bytes)?;
    let matched = file.load(&mut [(net.params(), &mut params), (net.buffers(), &mut buffers)])?;
    Ok((params, buffers, matched))
}

/// The tensors of a saved net, to be changed and written by the safetensors crate.
fn rewritten(change: impl Fn(&str, Vec<f32>) -> Option<(String, Dtype, Vec<usize>, Vec<u8>)>) -> Vec<u8> {
    let net = net();
    let (params, buffers) = net.init(5);
    let all = net
        .params()
        .slots
        .iter()
        .map(|s| (s, &params))
        .chain(net.buffers().slots.iter().map(|s| (s, &buffers)));
    let tensors: Vec<_> =
        all.filter_map(|(slot, values)| change(&slot.name, values[slot.range()].to_vec())).collect();
    let views = tensors.iter().map(|(n, t, s, b)| (n.clone(), TensorView::new(*t, s.clone(), b).unwrap()));
    serialize(views, None).unwrap()
}

fn f32_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}

fn shape_of(name: &str) -> Vec<usize> {
    let net = net();
    let slot = net.params().find(name).or(net.buffers().find(name)).unwrap();
    slot.shape.to_vec()
}

#[test]
fn there_and_back() {
    let path = std::env::temp_dir().join(format!("thalweg-weights-{}.safetensors", std::process::id()));
    std::fs::write(&path, saved()).unwrap();
    let net = net();
    let (mut params, mut buffers) = (vec![0.0; net.params().len()], vec![0.0; net.buffers().len()]);
    let matched = read(&path, &mut [(net.params(), &mut params), (net.buffers(), &mut buffers)]);
    let metadata = WeightsFile::open(&path).unwrap().metadata().clone();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(matched.unwrap(), Matched { n_taken: 8, ..Matched::default() });
    assert_eq!((params, buffers), net.init(5));
    assert_eq!(metadata["model"], "\"quoted\" \u{1F600}");
    assert_eq!(metadata["format"], "pt");
    assert_eq!(saved(), saved());
    let missing = WeightsFile::open(Path::new("no/such/file")).unwrap_err();
    assert!(
        missing.to_string().starts_with("cannot read weights: ")
            && missing.to_string().ends_with(": no/such/file")
    );
}

#[test]
fn a_name_twice_is_not_written() {
    let net = net();
    let (params, _) = net.init(0);
    let error = to_bytes(&[(net.params(), &params), (net.params(), &params)], &BTreeMap::new()).unwrap_err();
    assert_eq!(error.to_string(), "two tensors are called `0.weight`");
}

#[test]
fn prefixes_counters_and_other_floats_are_taken() {
    for prefix in ["", "model.", "module.net."] {
        let bytes = rewritten(|name, values| {
            let bytes = values.iter().flat_map(|x| f64::from(*x).to_le_bytes()).collect();
            Some((format!("{prefix}{name}"), Dtype::F64, shape_of(name), bytes))
        });
        let (params, buffers, matched) = load(bytes).unwrap();
        assert_eq!((params, buffers), net().init(5));
        assert_eq!((matched.prefix.as_str(), matched.converted.len()), (prefix, 8));
        assert_eq!(matched.converted[0], ("0.weight".to_owned(), "F64".to_owned()));
    }
    let one = |bits: u16| bits.to_le_bytes();
    for (dtype, bits) in [(Dtype::BF16, 0xc020), (Dtype::F16, 0xc100)] {
        let (params, ..) = load(rewritten(|name, values| {
            let bytes = values.iter().flat_map(|_| one(bits)).collect();
            Some((name.to_owned(), dtype, shape_of(name), bytes))
        }))
        .unwrap();
        assert!(params.iter().all(|x| *x == -2.5));
    }
    let mut tensors: HashMap<String, TensorView<'_>> = HashMap::new();
    let bytes = saved();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    tensors.extend(file.tensors());
    let count = 12i64.to_le_bytes();
    tensors.insert("1.num_batches_tracked".into(), TensorView::new(Dtype::I64, vec![], &count).unwrap());
    let (params, _, matched) = load(serialize(tensors, None).unwrap()).unwrap();
    assert_eq!(params, net().init(5).0);
    assert_eq!(matched.ignored, ["1.num_batches_tracked"]);
}

#[test]
fn every_difference_is_listed_and_nothing_is_loaded() {
    let bytes = rewritten(|name, values| match name {
        "0.bias" => None,
        "1.bias" => Some(("extra".into(), Dtype::F32, vec![3], f32_bytes(&values))),
        "0.weight" => Some((name.into(), Dtype::F32, vec![4, 3], f32_bytes(&values))),
        "2.weight" | "3.weight" => Some((name.into(), Dtype::I32, shape_of(name), f32_bytes(&values))),
        _ => Some((name.into(), Dtype::F32, shape_of(name), f32_bytes(&values))),
    });
    let error = load(bytes.clone()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "weights do not fit the model: missing `0.bias`, `1.bias`; unexpected `extra`; `0.weight` is [4, 3], expected \
         [3, 4]; `3.weight` is of type I32, expected F16, BF16, F32 or F64: w.safetensors"
    );
    let WeightsError::Mismatch { mismatch: Mismatch { missing, .. }, .. } = error else {
        panic!("another error")
    };
    assert_eq!(missing, ["0.bias", "1.bias"]);
    let net = net();
    let mut params = vec![1.0; net.params().len()];
    let file = WeightsFile::from_bytes(Path::new("w"), bytes).unwrap();
    file.load(&mut [(net.params(), &mut params)]).unwrap_err();
    assert!(params.iter().all(|x| *x == 1.0));
}

#[test]
fn other_models_do_not_match_by_their_prefix() {
    // all names of this file begin with `0.`, as one of the model's does
    let single = model(r#""linear""#, &[4], 2);
    let bytes = to_bytes(&[(single.params(), &single.init(1).0)], &BTreeMap::new()).unwrap();
    let WeightsError::Mismatch { mismatch, .. } = load(bytes).unwrap_err() else { panic!("another error") };
    assert_eq!((mismatch.shapes.len(), mismatch.missing.len(), mismatch.unexpected.len()), (2, 6, 0));
}

#[test]
fn truncated_files_are_refused_at_every_length() {
    let whole = saved();
    for n in 0..whole.len() {
        let error = load(whole[..n].to_vec()).unwrap_err();
        assert!(matches!(error, WeightsError::Broken { n_bytes, .. } if n_bytes == n), "{n}: {error}");
    }
    let mut longer = whole;
    longer.push(0);
    assert!(matches!(load(longer).unwrap_err(), WeightsError::Broken { .. }));
}

/// A flipped bit of the header is an error, or changes only the text fields; it never is a panic.
#[test]
fn flipped_bits_of_the_header_never_load_other_tensors() {
    let whole = saved();
    let header = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let mut n_loaded = 0;
    for bit in 0..8 * header {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok((params, buffers, _)) = load(bytes) {
            assert_eq!((params, buffers), net().init(5), "bit {bit}");
            n_loaded += 1;
        }
    }
    assert!(n_loaded < header, "{n_loaded} of {} still load", 8 * header);
}

fn file(header: &str, n_data: usize) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &vec![0; n_data]].concat()
}

#[test]
fn hostile_headers_are_refused() {
    let tensor = |start: usize, end: usize, shape: &str| {
        format!(r#"{{"dtype":"F32","shape":{shape},"data_offsets":[{start},{end}]}}"#)
    };
    let mut cases = vec![
        ((100_000_001u64).to_le_bytes().to_vec(), "header too large"),
        (u64::MAX.to_le_bytes().to_vec(), "header too large"),
        (99_999_999u64.to_le_bytes().to_vec(), "invalid header length"),
        (file("[1, 2]", 0), "invalid JSON in header"),
        (
            file(&format!(r#"{{"a":{},"b":{}}}"#, tensor(0, 8, "[2]"), tensor(4, 12, "[2]")), 12),
            "invalid offset",
        ),
        (
            file(&format!(r#"{{"a":{},"b":{}}}"#, tensor(0, 8, "[2]"), tensor(12, 20, "[2]")), 20),
            "invalid offset",
        ),
        (file(&format!(r#"{{"a":{}}}"#, tensor(0, 8, "[3]")), 8), "invalid shape"),
        (
            file(&format!(r#"{{"a":{}}}"#, tensor(0, 8, "[4294967296, 4294967296, 4294967296]")), 8),
            "overflow",
        ),
        (file(&format!(r#"{{"a":{}}}"#, tensor(0, 8, "[2]")), 4096), "incomplete metadata"),
        (file(&format!(r#"{{"a":{}}}"#, tensor(8, 0, "[2]")), 8), "invalid offset"),
    ];
    cases.push((file(&"[".repeat(100_000), 0), "invalid JSON"));
    for (bytes, why) in cases {
        let message = load(bytes).unwrap_err().to_string();
        assert!(message.contains(why) && message.ends_with("w.safetensors"), "{why}: {message}");
    }
}

/// Element `[o, i, h, w]` of a file is element `[h, w, i, o]` of memory; 1-D and transposed convolutions likewise.
#[test]
fn convolutions_lie_in_files_as_pytorchs() {
    let layers = r#"{"layers": [{"type": "conv", "channels": 6, "kernel": [2, 3], "groups": 2},
        {"type": "conv_transpose", "channels": 4, "kernel": 2, "groups": 2}, {"type": "global_avg_pool"}]}"#;
    let sequence =
        r#"{"layers": [{"type": "conv1d", "channels": 5, "kernel": 3}, {"type": "global_avg_pool"}]}"#;
    for (net, shapes) in [
        (
            model(layers, &[5, 5, 4], 4),
            [("0.weight", vec![6, 2, 2, 3]), ("1.weight", vec![6, 2, 2, 2])].to_vec(),
        ),
        (model(sequence, &[7, 2], 5), [("0.weight", vec![5, 2, 3])].to_vec()),
    ] {
        let params: Vec<f32> = (0..net.params().len()).map(|i| i as f32).collect();
        let bytes = to_bytes(&[(net.params(), &params)], &BTreeMap::new()).unwrap();
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        for (name, shape) in shapes {
            let (view, slot) = (file.tensor(name).unwrap(), net.params().find(name).unwrap());
            assert_eq!((view.shape(), &slot.file_shape()[..]), (&shape[..], &shape[..]));
            let values: Vec<f32> =
                view.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
            let (o, i, taps) = (shape[0], shape[1], shape[2..].iter().product::<usize>());
            for (at, value) in values.iter().enumerate() {
                let (out, inner, tap) = (at / (i * taps), at / taps % i, at % taps);
                assert_eq!(*value, (slot.offset + (tap * i + inner) * o + out) as f32, "{name} [{at}]");
            }
        }
        let mut read = vec![f32::NAN; params.len()];
        let file = WeightsFile::from_bytes(Path::new("w.safetensors"), bytes).unwrap();
        file.load(&mut [(net.params(), &mut read)]).unwrap();
        assert_eq!(read, params);
    }
}
