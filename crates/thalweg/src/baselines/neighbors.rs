//! Nearest neighbors: the training samples that are closest answer.

use super::columns::Columns;

/// Neighbors that answer; scikit-learn's default.
pub(super) const NEIGHBORS: usize = 5;
/// Training samples that are looked at together.
const BLOCK: usize = 512;

/// For each row of `queries` the nearest training samples, the nearest first; of equal ones the first. Cover and Hart,
/// Nearest neighbor pattern classification, 1967.
///
/// Cost: n·m·d multiply-adds.
pub(super) fn nearest(train: &Columns, queries: &Columns) -> Vec<Vec<usize>> {
    let mut distances = [0.0; BLOCK];
    let of_query = |query: usize| {
        let mut best: Vec<(f64, usize)> = Vec::new();
        for start in (0..train.n()).step_by(BLOCK) {
            let rows = BLOCK.min(train.n() - start);
            distances.fill(0.0);
            for j in 0..train.d() {
                let own = queries.column(j)[query];
                let column = &train.column(j)[start..start + rows];
                distances.iter_mut().zip(column).for_each(|(sum, x)| *sum += (x - own) * (x - own));
            }
            for (i, distance) in distances[..rows].iter().enumerate() {
                if best.len() < NEIGHBORS || *distance < best[NEIGHBORS - 1].0 {
                    let place = best.partition_point(|other| other.0 <= *distance);
                    best.insert(place, (*distance, start + i));
                    best.truncate(NEIGHBORS);
                }
            }
        }
        best.into_iter().map(|(_, sample)| sample).collect()
    };
    (0..queries.n()).map(of_query).collect()
}
