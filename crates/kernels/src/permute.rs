//! Copies with strides: transposes, slices and repetitions of tensors.
//!
//! Axes of size 1 go, and neighboring axes that lie in memory like one become one. What remains is a copy of whole
//! rows, a transpose of matrices, or, rarely, single elements.

#![allow(unsafe_op_in_unsafe_fn, clippy::needless_range_loop)] // vector operations, as in `simd`

use crate::simd::{Block, BlockMut, Simd, each_vector, load, simd_versions, store};
use crate::sizes::{product, span};

/// Axes that the loops keep apart; further ones are walked one index at a time.
const MAX_AXES: usize = 8;
/// Floats up to which a row is short.
const SHORT: usize = 128;
/// Columns of a matrix that are transposed together: as many lines of the result stay in first-level cache.
const BLOCK: usize = 256;

/// An axis of the result: how many indices, and the distance of neighbors in the input and in the result.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Axis {
    size: usize,
    from: usize,
    to: usize,
}

/// `out[i₀, i₁, …] = x[i₀·strides[0] + i₁·strides[1] + …]`; `out` is row-major with the given sizes, the first of them
/// `lead` times as large.
///
/// # Panics
/// When `out` does not have as many elements as the sizes say, or `x` fewer than are read.
pub fn copy_strided(lead: usize, sizes: &[usize], strides: &[usize], x: &[f32], out: &mut [f32]) {
    let size = |a: usize| if a == 0 { product(&[lead, sizes[0]]) } else { sizes[a] };
    let n_axes = sizes.len();
    assert!(n_axes == strides.len() && (n_axes > 0 || lead == 1), "copy: {lead}, {sizes:?} by {strides:?}");
    assert!(
        out.len() == (0..n_axes).map(size).fold(1, |n, size| product(&[n, size])),
        "copy: {lead}, {sizes:?} into {}",
        out.len()
    );
    if out.is_empty() {
        return;
    }
    let last = (0..n_axes).fold(0, |end: usize, a| end.saturating_add(product(&[size(a) - 1, strides[a]])));
    assert!(x.len() > last, "copy: element {last} of {}", x.len());
    if n_axes > MAX_AXES {
        let each = out.len() / size(0);
        for (i, out) in out.chunks_exact_mut(each).enumerate() {
            copy_strided(1, &sizes[1..], &strides[1..], &x[i * strides[0]..], out);
        }
        return;
    }
    let (mut axes, mut n) = ([Axis::default(); MAX_AXES], 0);
    let mut to = out.len();
    for (size, from) in (0..n_axes).map(|a| (size(a), strides[a])).filter(|(size, _)| *size > 1) {
        to /= size;
        match axes[..n].last_mut() {
            Some(outer) if outer.from == size * from => *outer = Axis { size: outer.size * size, from, to },
            _ => {
                axes[n] = Axis { size, from, to };
                n += 1;
            }
        }
    }
    copy(&mut axes[..n], x, out);
}

/// Copies along axes in normal form.
fn copy(axes: &mut [Axis], x: &[f32], out: &mut [f32]) {
    let Some((inner, outer)) = axes.split_last_mut() else {
        out[0] = x[0];
        return;
    };
    match inner.from {
        1 => {
            let mut one = [Axis { size: 1, from: 0, to: 0 }];
            let (rows, outer) = outer.split_last_mut().unwrap_or((&mut one[0], &mut []));
            each(outer, |from, to| copy_rows(*rows, inner.size, &x[from..], &mut out[to..]));
        }
        0 => each(outer, |from, to| out[to..][..inner.size].fill(x[from])),
        stride => match outer.iter().position(|a| a.from == 1) {
            Some(unit) => {
                let rows = outer[unit];
                // the transposed axis leaves the outer ones
                outer[unit].size = 1;
                each(outer, |from, to| transpose([inner.size, stride], rows, &x[from..], &mut out[to..]));
            }
            None => each(outer, |from, to| {
                let out = &mut out[to..][..inner.size];
                out.iter_mut().zip(x[from..].iter().step_by(stride)).for_each(|(o, x)| *o = *x);
            }),
        },
    }
}

/// Calls `f(from, to)` for every index of the axes.
fn each(axes: &[Axis], mut f: impl FnMut(usize, usize)) {
    let mut index = [0; MAX_AXES];
    let (mut from, mut to) = (0, 0);
    loop {
        f(from, to);
        let mut a = axes.len();
        loop {
            let Some(outer) = a.checked_sub(1) else { return };
            a = outer;
            index[a] += 1;
            from += axes[a].from;
            to += axes[a].to;
            if index[a] < axes[a].size {
                break;
            }
            from -= index[a] * axes[a].from;
            to -= index[a] * axes[a].to;
            index[a] = 0;
        }
    }
}

/// `out[i·rows.to..][..len] = x[i·rows.from..][..len]` for `i` below `rows.size`.
fn copy_rows(rows: Axis, len: usize, x: &[f32], out: &mut [f32]) {
    assert!(x.len() >= span(rows.size, rows.from, len), "copy: a row beyond the end");
    assert!(out.len() >= span(rows.size, rows.to, len), "copy: a row beyond the end");
    // SAFETY: the last row ends within both slices, as asserted, and the slices are apart.
    unsafe { copied(rows, len, x.as_ptr(), out.as_mut_ptr()) }
}

/// `out[j·columns.to + i] = x[i·stride + j]` for `i` below `count` and `j` below `columns.size`.
fn transpose([count, stride]: [usize; 2], columns: Axis, x: &[f32], out: &mut [f32]) {
    assert!(x.len() >= span(count, stride, columns.size), "copy: a matrix beyond the end");
    assert!(out.len() >= span(columns.size, columns.to, count), "copy: a matrix beyond the end");
    let (src, dst) =
        (Block { ptr: x.as_ptr(), stride }, BlockMut { ptr: out.as_mut_ptr(), stride: columns.to });
    // SAFETY: the last elements read and written lie within the slices, as asserted.
    unsafe { transposed(src, [count, columns.size], dst) }
}

simd_versions! {
    unsafe fn copied(rows: Axis, len: usize, x: *const f32, out: *mut f32) = copied_body;
    unsafe fn transposed(src: Block, sizes: [usize; 2], dst: BlockMut) = transposed_body;
}

/// Rows too short for the library's copy are moved by vectors.
#[inline(always)]
unsafe fn copied_body<S: Simd>(rows: Axis, len: usize, x: *const f32, out: *mut f32) {
    for i in 0..rows.size {
        let (x, out) = (x.add(i * rows.from), out.add(i * rows.to));
        if len > SHORT {
            std::ptr::copy_nonoverlapping(x, out, len);
            continue;
        }
        each_vector::<S>(
            len,
            #[inline(always)]
            |c, lanes| store::<S>(out.add(c), load::<S>(x.add(c), lanes), lanes),
        );
    }
}

#[inline(always)]
unsafe fn transposed_body<S: Simd>(src: Block, [rows, columns]: [usize; 2], dst: BlockMut) {
    let mut j = 0;
    while j < columns {
        let width = BLOCK.min(columns - j);
        let mut i = 0;
        while i < rows {
            let height = S::LANES.min(rows - i);
            let from = Block { ptr: src.ptr.add(i * src.stride + j), ..src };
            let to = BlockMut { ptr: dst.ptr.add(j * dst.stride + i), ..dst };
            S::transpose(from, height, width, to, S::mask(height));
            i += height;
        }
        j += width;
    }
}
