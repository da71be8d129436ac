//! Small graphs of the kinds that random ones found wrong once; each failed before it was mended.

use engine::graph::{Built, Var};
use engine::ops::Op;
use engine::ops::conv::{ConvOptions, Padding};
use engine::ops::matmul::MatMul;
use engine::ops::max_pool::MaxPick;
use engine::ops::moments::Moments;
use engine::ops::pooling::PoolOptions;
use engine::ops::scatter::Scatter;
use engine::ops::unary::Fn1;

use crate::check::must_be_right;
use crate::draw::{Gen, by_hand};

fn check(batch: usize, shards: usize, build: impl Fn(&mut Gen) -> Built<(Var, Vec<Var>)>) {
    must_be_right(&by_hand(batch, shards, build));
}

/// Σy², so that the gradient depends on every element.
fn squares(d: &mut Gen, y: Var) -> Built {
    let square = d.g.unary(Fn1::Square, y)?;
    d.g.sum(square)
}

#[test]
fn parameters_joined_to_one_weight_get_their_own_rows() {
    check(5, 2, |d| {
        let x = d.input(&[3])?;
        let (q, k, v) = (d.param(&[2, 3])?, d.param(&[4, 3])?, d.param(&[3, 3])?);
        let weight = d.g.concat(&[q, k, v], 0)?;
        let y = d.g.linear(x, weight, None)?;
        Ok((squares(d, y)?, vec![]))
    });
}

#[test]
fn kernels_joined_to_one_convolution_get_their_own_taps() {
    check(3, 2, |d| {
        let x = d.input(&[5, 5, 2])?;
        let (p, q) = (d.param(&[1, 3, 2, 4])?, d.param(&[2, 3, 2, 4])?);
        let weight = d.g.concat(&[p, q], 0)?;
        let same = ConvOptions { padding: Padding::Same, ..ConvOptions::default() };
        let y = d.g.conv2d(x, weight, &same)?;
        Ok((squares(d, y)?, vec![]))
    });
}

#[test]
fn a_gradient_that_is_a_parameter_is_its_value_before_the_update() {
    check(2, 1, |d| {
        d.input(&[1])?;
        let (p, q, b) = (d.param(&[40])?, d.param(&[40])?, d.buffer(&[40])?);
        let (r, c) = (d.param(&[40])?, d.g.constant(0.5, [40])?);
        let (pq, pb, rc) = (d.g.mul(p, q)?, d.g.mul(p, b)?, d.g.mul(r, c)?);
        let both = d.g.add(pq, pb)?;
        let all = d.g.add(both, rc)?;
        Ok((d.g.sum(all)?, vec![p, b, c, q]))
    });
    check(2, 1, |d| {
        d.input(&[1])?;
        let (p, q) = (d.param(&[6])?, d.param(&[3])?);
        let part = d.g.slice(p, 0, 2, 3)?;
        let product = d.g.mul(part, q)?;
        Ok((d.g.sum(product)?, vec![part]))
    });
}

#[test]
fn buffers_may_swap_their_values() {
    check(3, 2, |d| {
        let x = d.input(&[2])?;
        let (a, b) = (d.buffer(&[2])?, d.buffer(&[2])?);
        let p = d.param(&[2])?;
        d.assign(0, b)?;
        d.assign(1, a)?;
        let y = d.g.mul(x, p)?;
        Ok((squares(d, y)?, vec![a, x]))
    });
}

#[test]
fn a_gradient_that_a_buffer_takes_is_made_in_the_steps() {
    check(4, 2, |d| {
        let x = d.input(&[3])?;
        let w = d.param(&[2, 3])?;
        d.buffer(&[2, 3])?;
        let y = d.g.linear(x, w, None)?;
        let total = squares(d, y)?;
        let gradient = d.g.gradients(total, &[w])?[0];
        d.assign(0, gradient)?;
        Ok((total, vec![]))
    });
}

#[test]
fn what_is_kept_for_each_sample_is_read_by_sample() {
    check(7, 3, |d| {
        let x = d.input(&[])?;
        let w = d.buffer(&[7])?;
        let p = d.param(&[7])?;
        let y = d.g.mul(x, w)?;
        let y = d.g.mul(y, p)?;
        Ok((d.g.sum(y)?, vec![y]))
    });
    check(7, 3, |d| {
        let x = d.input(&[4])?;
        let column = d.buffer(&[7, 1])?;
        let whole = d.param(&[7, 4])?;
        let y = d.g.mul(x, column)?;
        let bent = d.g.tanh(whole)?;
        let y = d.g.add(y, bent)?;
        let wide = d.g.broadcast_like(column, x)?;
        let z = d.g.concat(&[y, whole, wide], 1)?;
        Ok((squares(d, z)?, vec![z]))
    });
}

#[test]
fn products_and_pools_take_samples_that_are_kept() {
    check(5, 2, |d| {
        let (x, kept) = (d.input(&[2])?, d.buffer(&[5, 3])?);
        let (w, p) = (d.param(&[2, 3])?, d.param(&[5, 2])?);
        let y = d.g.linear(kept, w, None)?;
        let y = d.g.mul(y, x)?;
        let inner = d.g.push(MatMul { ta: true, tb: false }.into(), &[p, x])?;
        let (a, b) = (squares(d, y)?, squares(d, inner)?);
        Ok((d.g.add(a, b)?, vec![inner]))
    });
    check(4, 3, |d| {
        let (x, kept) = (d.input(&[4, 4, 2])?, d.param(&[4, 4, 4, 2])?);
        let w = d.param(&[3, 3, 2, 2])?;
        let same = ConvOptions { padding: Padding::Same, ..ConvOptions::default() };
        let y = d.g.conv2d(kept, w, &same)?;
        let y = d.g.mul(y, x)?;
        let shape = d.shape(x);
        let window = PoolOptions::square(2).window(&shape).unwrap_or_else(|e| panic!("{e}"));
        let z = d.g.push(MaxPick { window }.into(), &[x, kept])?;
        let (a, b) = (squares(d, y)?, squares(d, z)?);
        Ok((d.g.add(a, b)?, vec![z]))
    });
}

#[test]
fn statistics_of_parameters_need_no_rows() {
    check(3, 2, |d| {
        let x = d.input(&[])?;
        let (p, q) = (d.param(&[6, 4])?, d.param(&[2, 3, 3, 2])?);
        let moments = d.g.push(Op::Moments(Moments), &[p])?;
        let index = d.g.constant(1.0, [6])?;
        let table = d.g.push(Scatter { rows: 3 }.into(), &[index, p])?;
        let w = d.param(&[2, 2, 2, 3])?;
        let y = d.g.conv2d(q, w, &ConvOptions::default())?;
        let mut total = d.g.sum(x)?;
        for v in [moments, table, y] {
            let part = squares(d, v)?;
            total = d.g.add(total, part)?;
        }
        Ok((total, vec![moments, table]))
    });
}

#[test]
fn a_gradient_may_be_moments() {
    check(6, 2, |d| {
        let x = d.input(&[3])?;
        let p = d.param(&[2, 3])?;
        let moments = d.g.push(Op::Moments(Moments), &[x])?;
        let product = d.g.mul(moments, p)?;
        Ok((d.g.sum(product)?, vec![]))
    });
}

#[test]
fn a_row_of_the_batch_may_hold_several_images() {
    check(2, 2, |d| {
        let x = d.input(&[3 * 5 * 5 * 2])?;
        let images = d.g.reshape(x, [6, 5, 5, 2])?;
        let w = d.param(&[3, 3, 2, 4])?;
        let y = d.g.conv2d(images, w, &ConvOptions::default())?;
        Ok((squares(d, y)?, vec![y]))
    });
}

#[test]
fn what_goes_down_columns_is_read_by_another_program() {
    check(2, 1, |d| {
        d.input(&[1])?;
        let p = d.param(&[1, 4])?;
        let column = d.g.sum_axes(p, 0, 1)?;
        let both = d.g.mul(column, p)?;
        Ok((squares(d, both)?, vec![column]))
    });
}

#[test]
fn maxima_of_shards_without_rows_do_not_count() {
    check(2, 5, |d| {
        let x = d.input(&[40])?;
        let p = d.param(&[40])?;
        let y = d.g.mul(x, p)?;
        let low = d.g.shift(y, -9.0)?;
        let top = d.g.max_axes(low, 0, 1)?;
        Ok((squares(d, top)?, vec![top]))
    });
}

#[test]
fn factors_may_have_their_rows_in_several_axes() {
    check(3, 2, |d| {
        let (x, z) = (d.input(&[2, 2])?, d.input(&[2])?);
        let p = d.param(&[2])?;
        let x = d.g.mul(x, p)?;
        let z = d.g.reshape(z, [6, 1])?;
        let y = d.g.push(MatMul { ta: true, tb: false }.into(), &[x, z])?;
        Ok((squares(d, y)?, vec![y]))
    });
}
