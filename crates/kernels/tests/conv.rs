//! Convolutions against the plain sums in f64, over random geometries, on every instruction set of the machine.

#[path = "common/draw.rs"]
mod draw;
#[path = "common/isa.rs"]
mod isa;

use draw::Draw;
use isa::{on_each_isa, one_at_a_time};
use kernels::conv::{Conv, Direction};
use kernels::gemm::Epilogue;
use kernels::isa::{Isa, force};

impl Draw {
    fn new(seed: u32) -> Draw {
        Draw::salted(seed, 11)
    }

    /// Sizes of one axis: input, output, kernel, stride, padding, dilation.
    fn axis(&mut self, max: usize) -> [usize; 6] {
        loop {
            let input = self.of(&[1, 2, 4, 7, 8, max]).min(max) + self.below(2);
            let (kernel, stride) = (self.of(&[1, 1, 2, 3, 3, 5, 7]), self.of(&[1, 1, 2, 3]));
            let dilation = self.of(&[1, 1, 1, 2, 3]);
            let (before, after) = (self.below(kernel), self.below(kernel));
            let span = (kernel - 1) * dilation + 1;
            if let Some(room) = (input + before + after).checked_sub(span) {
                return [input, room / stride + 1, kernel, stride, before, dilation];
            }
        }
    }

    fn geometry(&mut self, max: usize) -> Conv {
        let (y, x) = (self.axis(max), self.axis(max));
        let (groups, per_in, per_out) = match self.below(4) {
            0 => (self.of(&[2, 3, 4]), self.of(&[1, 3, 8, 16]), self.of(&[1, 5, 8, 16])),
            1 => (self.of(&[1, 3, 16, 21, 40, 64]), 1, self.of(&[1, 1, 1, 2, 3])),
            _ => (1, self.of(&[1, 3, 8, 16, 17, 33]), self.of(&[1, 3, 16, 24, 32, 49, 64])),
        };
        Conv {
            input: [y[0], x[0], groups * per_in],
            output: [y[1], x[1], groups * per_out],
            kernel: [y[2], x[2]],
            stride: [y[3], x[3]],
            padding: [y[4], x[4]],
            dilation: [y[5], x[5]],
            groups,
        }
    }
}

/// Operands of a geometry.
struct Case {
    conv: Conv,
    images: usize,
    x: Vec<f32>,
    w: Vec<f32>,
    dy: Vec<f32>,
}

fn len(shape: [usize; 3]) -> usize {
    shape.iter().product()
}

impl Case {
    fn new(conv: Conv, images: usize, d: &mut Draw) -> Case {
        let taps = conv.kernel[0] * conv.kernel[1];
        let [x, dy] = [conv.input, conv.output].map(|shape| d.floats(images * len(shape)));
        let w = d.floats(taps * conv.input[2] / conv.groups * conv.output[2]);
        Case { conv, images, x, w, dy }
    }

    fn draw(seed: u32) -> Case {
        let mut d = Draw::new(seed);
        let conv = if d.below(4) == 0 { d.geometry(17) } else { d.geometry(10) };
        let images = d.of(&[1, 1, 2, 3]);
        Case::new(conv, images, &mut d)
    }

    fn scratch(&self, images: usize) -> Vec<f32> {
        vec![f32::NAN; self.conv.scratch_len(images)]
    }

    /// The weights as a direction wants them.
    fn weights(&self, direction: Direction) -> Vec<f32> {
        match self.conv.prepared_len(direction) {
            0 => self.w.clone(),
            len => {
                let mut prepared = vec![f32::NAN; len];
                self.conv.prepare(direction, &self.w, &mut prepared, &mut self.scratch(1));
                prepared
            }
        }
    }

    fn forward(&self, epilogue: Epilogue) -> Vec<f32> {
        let w = self.weights(Direction::Forward);
        let mut y = vec![f32::NAN; self.dy.len()];
        self.conv.forward(self.images, &self.x, &w, &mut y, epilogue, &mut self.scratch(self.images));
        y
    }

    fn input_gradient(&self, epilogue: Epilogue) -> Vec<f32> {
        let (mut dx, mut scratch) = (vec![f32::NAN; self.x.len()], self.scratch(self.images));
        let w = self.weights(Direction::Backward);
        self.conv.input_gradient(self.images, &self.dy, &w, &mut dx, epilogue, &mut scratch);
        dx
    }

    /// The sums of a weight gradient, beginning anew or going on from others.
    fn sums(&self, start: Option<&[f32]>) -> Vec<f32> {
        let mut sums = start.map_or(vec![f32::NAN; self.conv.sums_len()], <[f32]>::to_vec);
        let mut scratch = self.scratch(self.images);
        self.conv.weight_gradient(self.images, &self.x, &self.dy, &mut sums, start.is_some(), &mut scratch);
        sums
    }

    fn gradient(&self, sums: &[f32]) -> Vec<f32> {
        let mut dw = vec![f32::NAN; self.w.len()];
        self.conv.gradient_of_sums(sums, &mut dw);
        dw
    }

    fn weight_gradient(&self) -> Vec<f32> {
        self.gradient(&self.sums(None))
    }

    /// Every product of the sum: places in x, w and y.
    fn each_product(&self, mut f: impl FnMut(usize, usize, usize)) {
        let c = self.conv;
        let ([h, w, channels], [oh, ow, out]) = (c.input, c.output);
        let (per_in, per_out) = (channels / c.groups, out / c.groups);
        for image in 0..self.images {
            for (oy, ox) in (0..oh).flat_map(|y| (0..ow).map(move |x| (y, x))) {
                for (ky, kx) in (0..c.kernel[0]).flat_map(|y| (0..c.kernel[1]).map(move |x| (y, x))) {
                    let y = (oy * c.stride[0] + ky * c.dilation[0]).wrapping_sub(c.padding[0]);
                    let x = (ox * c.stride[1] + kx * c.dilation[1]).wrapping_sub(c.padding[1]);
                    if y >= h || x >= w {
                        continue;
                    }
                    for (o, i) in (0..out).flat_map(|o| (0..per_in).map(move |i| (o, i))) {
                        let source = ((image * h + y) * w + x) * channels + o / per_out * per_in + i;
                        let weight = ((ky * c.kernel[1] + kx) * per_in + i) * out + o;
                        f(source, weight, ((image * oh + oy) * ow + ox) * out + o);
                    }
                }
            }
        }
    }
}

/// A sum in f64, the magnitudes that bound its rounding, and the number of its terms.
#[derive(Clone, Copy, Default)]
struct Exact {
    sum: f64,
    size: f64,
    terms: usize,
}

impl Exact {
    fn add(&mut self, a: f32, b: f32) {
        let x = f64::from(a) * f64::from(b);
        *self = Exact { sum: self.sum + x, size: self.size + x.abs(), terms: self.terms + 1 };
    }
}

fn agree(what: &str, case: &Case, got: &[f32], want: &[Exact]) {
    assert_eq!(got.len(), want.len());
    // a tile's results are made together, so that the largest bounds the error of all
    let in_tiles = [Direction::Forward, Direction::Backward].iter().any(|d| case.conv.prepared_len(*d) > 0);
    let most =
        want.iter().filter(|_| in_tiles).fold(Exact::default(), |m, x| if x.size > m.size { *x } else { m });
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        let (error, n) = ((f64::from(*got) - want.sum).abs(), want.terms.max(most.terms) as f64 + 1.0);
        let bound = f64::from(f32::EPSILON) * n * want.size.max(most.size);
        let (conv, images) = (case.conv, case.images);
        assert!(error <= bound, "{what} of {images} at {i}: {got} is not {}: {conv:?}", want.sum);
    }
}

/// The three directions against f64.
fn check(case: &Case) {
    let (mut y, mut dx, mut dw) = (
        vec![Exact::default(); case.dy.len()],
        vec![Exact::default(); case.x.len()],
        vec![Exact::default(); case.w.len()],
    );
    case.each_product(|i, w, o| {
        y[o].add(case.x[i], case.w[w]);
        dx[i].add(case.dy[o], case.w[w]);
        dw[w].add(case.x[i], case.dy[o]);
    });
    agree("forward", case, &case.forward(Epilogue::default()), &y);
    agree("input gradient", case, &case.input_gradient(Epilogue::default()), &dx);
    agree("weight gradient", case, &case.weight_gradient(), &dw);
    dw.iter_mut().for_each(|dw| *dw = Exact { sum: 2.0 * dw.sum, size: 2.0 * dw.size, terms: 2 * dw.terms });
    let twice = case.sums(Some(&case.sums(None)));
    agree("continued weight gradient", case, &case.gradient(&twice), &dw);
}

fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| x.to_bits()).collect()
}

#[test]
fn random_geometries_agree_with_f64() {
    on_each_isa(|_| (0..400).for_each(|seed| check(&Case::draw(seed))));
}

/// A square convolution.
fn square(side: usize, channels: [usize; 2], kernel: usize, stride: usize, padding: usize) -> Conv {
    let out = (side + 2 * padding - kernel) / stride + 1;
    Conv {
        input: [side, side, channels[0]],
        output: [out, out, channels[1]],
        kernel: [kernel; 2],
        stride: [stride; 2],
        padding: [padding; 2],
        dilation: [1; 2],
        groups: 1,
    }
}

#[test]
fn shapes_of_networks_agree_with_f64() {
    let shapes = [
        square(32, [3, 16], 3, 1, 1),
        square(32, [16, 16], 3, 1, 1),
        square(32, [16, 32], 3, 2, 1),
        square(16, [32, 64], 1, 2, 0),
        square(8, [64, 64], 3, 1, 1),
        square(28, [1, 32], 5, 1, 2),
        square(14, [32, 64], 5, 1, 2),
        square(13, [20, 37], 3, 1, 0),
        square(10, [16, 16], 3, 1, 2),
        square(9, [33, 17], 5, 1, 1),
        square(2, [96, 80], 3, 1, 1),
        Conv { groups: 40, ..square(12, [40, 40], 7, 1, 3) },
        Conv { groups: 4, ..square(9, [64, 64], 3, 2, 1) },
        // One-dimensional, and a kernel larger than the image.
        Conv {
            input: [1, 40, 5],
            output: [1, 36, 7],
            kernel: [1, 5],
            padding: [0, 0],
            ..square(9, [5, 7], 5, 1, 0)
        },
        Conv { input: [2, 2, 6], output: [2, 2, 20], ..square(9, [6, 20], 9, 1, 4) },
    ];
    on_each_isa(|_| {
        for (i, shape) in shapes.into_iter().enumerate() {
            check(&Case::new(shape, 2, &mut Draw::new(i as u32)));
        }
    });
}

#[test]
fn an_epilogue_is_bias_then_relu_then_gate() {
    on_each_isa(|isa| {
        for seed in 1000..1100 {
            let case = Case::draw(seed);
            let mut d = Draw::new(seed);
            let check = |d: &mut Draw, channels: usize, run: &dyn Fn(Epilogue) -> Vec<f32>| {
                let plain = run(Epilogue::default());
                let (bias, gate, relu) = (d.floats(channels), d.floats(plain.len()), d.below(2) == 1);
                let (bias, gate) = (d.of(&[None, Some(&bias)]), d.of(&[None, Some(&gate)]));
                let got = run(Epilogue { bias: bias.map(|b| &b[..]), relu, gate: gate.map(|g| &g[..]) });
                for (i, got) in got.iter().enumerate() {
                    let mut want = plain[i] + bias.map_or(0.0, |bias| bias[i % channels]);
                    if relu && want < 0.0 || gate.is_some_and(|gate| gate[i] <= 0.0) {
                        want = 0.0;
                    }
                    assert_eq!(*got, want, "{isa:?} seed {seed} at {i}: {:?}", case.conv);
                }
            };
            check(&mut d, case.conv.output[2], &|epilogue| case.forward(epilogue));
            check(&mut d, case.conv.input[2], &|epilogue| case.input_gradient(epilogue));
        }
    });
}

/// The images from `from` on.
fn part(case: &Case, from: usize, images: usize) -> Case {
    let cut = |x: &[f32], shape| x[from * len(shape)..(from + images) * len(shape)].to_vec();
    let (x, dy) = (cut(&case.x, case.conv.input), cut(&case.dy, case.conv.output));
    Case { conv: case.conv, images, x, dy, w: case.w.clone() }
}

#[test]
fn images_in_several_calls_give_the_bits_of_one_call() {
    on_each_isa(|isa| {
        for seed in 2000..2150 {
            let mut d = Draw::new(seed);
            let conv = d.geometry(9);
            let case = Case::new(conv, 8, &mut d);
            let plain = Epilogue::default();
            let (mut y, mut dx, mut dw) = (Vec::new(), Vec::new(), None::<Vec<f32>>);
            let mut from = 0;
            while from < 8 {
                let images = d.of(&[1, 3, 5]).min(8 - from);
                let part = part(&case, from, images);
                y.extend(part.forward(plain));
                dx.extend(part.input_gradient(plain));
                dw = Some(part.sums(dw.as_deref()));
                from += images;
            }
            assert_eq!(bits(&y), bits(&case.forward(plain)), "{isa:?} seed {seed} {conv:?}");
            assert_eq!(bits(&dx), bits(&case.input_gradient(plain)), "{isa:?} seed {seed} {conv:?}");
            let whole = case.sums(None);
            assert_eq!(bits(&dw.unwrap_or_default()), bits(&whole), "{isa:?} seed {seed} {conv:?}");
        }
    });
}

#[test]
fn instruction_sets_that_fuse_agree_bit_for_bit() {
    let _one = one_at_a_time();
    for seed in 3000..3150 {
        let case = Case::draw(seed);
        let mut first: Option<[Vec<u32>; 3]> = None;
        for isa in Isa::ALL.into_iter().filter(|isa| isa.is_fused() && force(*isa)) {
            let plain = Epilogue::default();
            let got = [case.forward(plain), case.input_gradient(plain), case.weight_gradient()];
            let got = got.map(|x| bits(&x));
            assert_eq!(*first.get_or_insert(got.clone()), got, "{isa:?} seed {seed} {:?}", case.conv);
        }
    }
}

#[test]
fn nothing_and_sizes_of_zero_are_legal() {
    on_each_isa(|_| {
        let mut d = Draw::new(1);
        let one = square(8, [16, 16], 3, 1, 1);
        for conv in [
            one,
            Conv { input: [0, 8, 16], output: [0, 8, 16], ..one },
            Conv { input: [8, 8, 0], ..one },
            Conv { output: [8, 8, 0], ..one },
            Conv { input: [8, 8, 0], groups: 4, ..one },
            Conv { output: [8, 8, 0], groups: 4, ..one },
            Conv { input: [8, 8, 0], output: [8, 8, 0], groups: 4, ..one },
            Conv { output: [0, 8, 16], ..one },
            Conv { input: [0, 0, 16], ..one },
            Conv { kernel: [0, 3], ..one },
        ] {
            check(&Case::new(conv, 0, &mut d));
            check(&Case::new(conv, 1, &mut d));
        }
    });
}

#[test]
fn scratch_never_falls_as_images_grow() {
    for seed in 0..50 {
        let conv = Draw::new(seed).geometry(20);
        let lens: Vec<_> = (0..20).map(|images| conv.scratch_len(images)).collect();
        assert!(lens.is_sorted(), "{lens:?}: {conv:?}");
    }
}

#[test]
#[should_panic(expected = "x holds 1023 floats, 1 images need 1024")]
fn short_operands_are_refused() {
    let case = Case::new(square(8, [16, 16], 3, 1, 1), 1, &mut Draw::new(1));
    let (mut y, mut scratch) = (vec![0.0; 1024], case.scratch(1));
    case.conv.forward(1, &case.x[1..], &case.w, &mut y, Epilogue::default(), &mut scratch);
}
