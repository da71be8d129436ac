//! Optimizer passes and norms give the same bits on every instruction set that this machine has.

use kernels::isa::{self, Isa};
use kernels::update::{self, AdamScale, Scale, adam, momentum, nesterov, sgd, sum_squares};

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
    let [mut u, mut x, mut slow] = [4, 5, 6].map(vector);
    let mut sums = Vec::new();
    for t in 1..4 {
        sgd(&SCALE, &mut p, &grad);
        momentum(&SCALE, 0.9, &mut p, &grad, &mut b);
        nesterov(&SCALE, 0.8, &mut p, &grad, &mut b);
        let a = AdamScale::new(0.03, [0.9, 0.99], 1e-8, Some(t));
        adam(&SCALE, &a, &mut p, &grad, &mut m, &mut v);
        sums.push(sum_squares(&p).to_bits());
        // the same stage by stage, and what may stand around them
        update::scale(0.7, &mut u);
        update::clip(0.2, &mut u);
        update::add(0.02, &mut u, &p);
        update::accumulate(0.9, t == 2, &mut u, &mut b);
        update::adam_direction(&a, &mut u, &mut m, &mut v);
        update::add(-0.03, &mut p, &u);
        update::average(0.1, &mut x, &p);
        update::pull(0.5, &mut slow, &mut p);
    }
    let vectors = [p, b, m, v, u, x, slow].concat();
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

/// Stage by stage gives what the fused passes give: the same bits for momentum, rounding apart for Adam.
#[test]
fn stages_are_the_passes_taken_apart() {
    let (grad, start) = (vector(1), vector(2));
    for nesterov_too in [false, true] {
        let (mut p, mut b) = (start.clone(), vector(3));
        let (mut q, mut c, mut u) = (p.clone(), b.clone(), grad.clone());
        if nesterov_too {
            nesterov(&SCALE, 0.9, &mut p, &grad, &mut b)
        } else {
            momentum(&SCALE, 0.9, &mut p, &grad, &mut b)
        }
        update::scale(SCALE.grad, &mut u);
        update::add(SCALE.l2, &mut u, &q);
        update::accumulate(0.9, nesterov_too, &mut u, &mut c);
        update::scale(SCALE.keep, &mut q);
        update::add(-SCALE.lr, &mut q, &u);
        assert!(p == q && b == c, "nesterov {nesterov_too}");
    }
    let (mut p, mut m, mut v) = (start.clone(), vec![0.01; N], vec![0.02; N]);
    let (mut q, mut n, mut w, mut u) = (p.clone(), m.clone(), v.clone(), grad.clone());
    let scale = Scale { grad: 1.0, l2: 0.0, ..SCALE };
    adam(&scale, &AdamScale::new(0.03, [0.9, 0.99], 1e-8, Some(3)), &mut p, &grad, &mut m, &mut v);
    update::adam_direction(&AdamScale::new(1.0, [0.9, 0.99], 1e-8, Some(3)), &mut u, &mut n, &mut w);
    update::scale(SCALE.keep, &mut q);
    update::add(-SCALE.lr, &mut q, &u);
    assert!(m == n && v == w);
    let apart = p.iter().zip(&q).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(apart < 1e-7, "{apart}");
}

#[test]
fn clipping_cuts_and_keeps_what_is_not_a_number() {
    let mut u = [0.5, -0.5, 0.1, f32::NAN, f32::INFINITY];
    update::clip(0.2, &mut u);
    assert_eq!((u[0], u[1], u[2], u[3].is_nan(), u[4]), (0.2, -0.2, 0.1, true, 0.2));
}
