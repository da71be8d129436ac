//! Floating-point operations of the cases: 2·multiply-adds·3 for a training step, less what nobody needs.

/// Operations of one training step, or of one evaluation of a batch; `None` for a case that is not a step.
///
/// A layer's product is done three times: forward, for the gradient of the weights, for the gradient of the input.
/// The first layer's input has no gradient. Everything else (normalization, pooling, update) is not counted.
pub(super) fn flops(case: &str) -> Option<f64> {
    if let Some(rest) = case.strip_prefix("mlp-") {
        return mlp(rest);
    }
    let (name, batch) = case.rsplit_once("-b")?;
    let batch: f64 = batch.parse().ok()?;
    if let Some(name) = name.strip_suffix("-forward") {
        return Some(2.0 * batch * layers(name)?.iter().sum::<f64>());
    }
    Some(training(&layers(name)?, batch))
}

/// `products`: multiply-adds of each layer for one sample.
fn training(products: &[f64], batch: f64) -> f64 {
    2.0 * batch * (3.0 * products.iter().sum::<f64>() - products.first().unwrap_or(&0.0))
}

fn mlp(text: &str) -> Option<f64> {
    let (mut widths, mut batch) = (Vec::new(), 0.0);
    for token in text.split('-').filter(|t| *t != "bn") {
        if let Some(n) = token.strip_prefix('b') {
            batch = n.parse().ok()?;
        } else if let Some((count, width)) = token.split_once('x') {
            widths.extend(vec![width.parse::<f64>().ok()?; count.parse().ok()?]);
        } else {
            widths.push(token.parse().ok()?);
        }
    }
    let products: Vec<f64> = widths.windows(2).map(|w| w[0] * w[1]).collect();
    (!products.is_empty()).then(|| training(&products, batch))
}

fn layers(network: &str) -> Option<Vec<f64>> {
    Some(match network {
        "resnet20" => resnet20(),
        "vgg16bn" => vgg16(),
        "2c2d" => vec![conv(28, 5, 1, 32), conv(14, 5, 32, 64), 3136.0 * 1024.0, 10240.0],
        "cnn-1-32-64" => vec![conv(26, 3, 1, 32), conv(24, 3, 32, 64), 9216.0 * 128.0, 1280.0],
        _ => return None,
    })
}

/// Multiply-adds of a convolution whose result is `side` by `side`.
fn conv(side: u32, kernel: u32, n_in: u32, n_out: u32) -> f64 {
    f64::from(side).powi(2) * f64::from(kernel).powi(2) * f64::from(n_in) * f64::from(n_out)
}

fn resnet20() -> Vec<f64> {
    let mut products = vec![conv(32, 3, 3, 16)];
    let mut n_in = 16;
    for (side, n_out) in [(32, 16), (16, 32), (8, 64)] {
        for _ in 0..3 {
            products.extend([conv(side, 3, n_in, n_out), conv(side, 3, n_out, n_out)]);
            n_in = n_out;
        }
    }
    products.push(640.0);
    products
}

fn vgg16() -> Vec<f64> {
    let (mut products, mut n_in) = (Vec::new(), 3);
    for (side, n_out, times) in [(32, 64, 2), (16, 128, 2), (8, 256, 3), (4, 512, 3), (2, 512, 3)] {
        for _ in 0..times {
            products.push(conv(side, 3, n_in, n_out));
            n_in = n_out;
        }
    }
    products.push(5120.0);
    products
}

#[cfg(test)]
mod tests {
    use super::flops;

    #[test]
    fn operations_of_a_step() {
        // 2 · batch · (three products a layer, less the gradient for the input, which nobody needs)
        assert_eq!(flops("mlp-784-128-10-b64"), Some(128.0 * (2.0 * 784.0 * 128.0 + 3.0 * 1280.0)));
        assert_eq!(flops("mlp-4-2x3-b8-bn"), Some(16.0 * (2.0 * 12.0 + 3.0 * 9.0)));
        assert_eq!(flops("mnist"), None);
    }

    #[test]
    fn operations_of_networks_on_images() {
        // 40.55 million multiply-adds, as in He et al.'s table for 32 by 32; 313 million for VGG-16
        assert_eq!(flops("resnet20-forward-b1"), Some(2.0 * 40_551_040.0));
        assert_eq!(flops("resnet20-b128"), Some(256.0 * (3.0 * 40_551_040.0 - 442_368.0)));
        assert_eq!(flops("vgg16bn-forward-b1"), Some(2.0 * 313_201_664.0));
        assert_eq!(flops("2c2d-forward-b1"), Some(2.0 * 13_883_904.0));
        assert_eq!(flops("cnn-1-32-64-forward-b1"), Some(2.0 * 11_992_448.0));
        assert_eq!(flops("cifar10-resnet20-b128"), None);
    }
}
