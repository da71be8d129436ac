//! Optimiser passes and norms give the same bits on every instruction set that this machine has.

use kernels::isa::{self, Isa};
use kernels::update::{AdamScale, Scale, adam, momentum, nesterov, sgd, sum_squares};

const SCALE: Scale = Scale { lr: 0.03, grad: 0.7, l2: 0.02, keep: 0.995 };
const N: usize = 1003;

fn vector(salt: u32) -> Vec<f32> {
    (0..N as u32)
        .map(|i| kernels::philox::philox4x32([salt, 0], [i, 0, 0, 0])[0] as f32 / u32::MAX as f32 - 0.5)
        .collect()
}

/// Three steps of each pass, and norms: the bits of all that they wrote.
fn bits() -> Vec<u64> {
    let grad = vector(1);
    let [mut p, mut b] = [2, 3].map(vector);
    let [mut m, mut v] = [vec![0.0; N], vec![0.0; N]];
    let mut sums = Vec::new();
    for t in 1..4 {
        sgd(&SCALE, &mut p, &grad);
        momentum(&SCALE, 0.9, &mut p, &grad, &mut b);
        nesterov(&SCALE, 0.8, &mut p, &grad, &mut b);
        let a = AdamScale::new(0.03, [0.9, 0.99], 1e-8, Some(t));
        adam(&SCALE, &a, &mut p, &grad, &mut m, &mut v);
        sums.push(sum_squares(&p).to_bits());
    }
    let vectors = [p, b, m, v].concat();
    vectors.iter().map(|x| u64::from(x.to_bits())).chain(sums).collect()
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    assert!(isa::force(Isa::Portable));
    let want = bits();
    for isa in Isa::ALL {
        if isa::force(isa) {
            assert!(bits() == want, "{} differs", isa.name());
        }
    }
}
