//! Sharing a whole number out over parts by weight, no part above what it can hold.

/// A part among which something is shared.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// How much it gets, against the others; not below 0.
    pub weight: f64,
    /// The most that it can hold.
    pub cap: usize,
}

/// Shares `total` out. The sum is `total` unless the parts cannot hold that much; `offset` (0 to 1) says where rounding starts,
/// so that small shares do not all fall to the first parts.
pub fn share_out(total: usize, parts: &[Part], offset: f64) -> Vec<usize> {
    let ideal = fill(total, parts);
    let (mut sum, mut given) = (offset, 0);
    let mut shares: Vec<usize> = ideal
        .iter()
        .zip(parts)
        .map(|(share, part)| {
            sum += share;
            let due = (floor(sum)).saturating_sub(given).min(part.cap);
            given += due;
            due
        })
        .collect();
    // What rounding and caps left over goes to the weightiest that have room.
    let mut order: Vec<_> = (0..parts.len()).filter(|i| parts[*i].weight > 0.0).collect();
    order.sort_by(|a, b| parts[*b].weight.total_cmp(&parts[*a].weight));
    let mut left = total.saturating_sub(given);
    for i in order {
        let more = left.min(parts[i].cap - shares[i]);
        shares[i] += more;
        left -= more;
    }
    shares
}

/// In fractions: by weight, and what goes over a cap again by weight to those below theirs.
fn fill(total: usize, parts: &[Part]) -> Vec<f64> {
    let mut full = vec![false; parts.len()];
    loop {
        let capped: f64 = parts.iter().zip(&full).filter(|(_, full)| **full).map(|(part, _)| part.cap as f64).sum();
        let weights: f64 = parts.iter().zip(&full).filter(|(_, full)| !**full).map(|(part, _)| part.weight).sum();
        let unit = if weights > 0.0 { (total as f64 - capped).max(0.0) / weights } else { 0.0 };
        let over: Vec<_> =
            (0..parts.len()).filter(|i| !full[*i] && parts[*i].weight * unit > parts[*i].cap as f64).collect();
        if over.is_empty() {
            let share = |(part, full): (&Part, &bool)| if *full { part.cap as f64 } else { part.weight * unit };
            return parts.iter().zip(&full).map(share).collect();
        }
        for i in over {
            full[i] = true;
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sums of shares are from 0 to the number of compounds"
)]
fn floor(sum: f64) -> usize {
    sum.floor() as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn by_weight_and_not_over_the_cap() {
        let parts = [(5.0, 100), (4.0, 10), (1.0, 100), (0.0, 100)].map(|(weight, cap)| Part { weight, cap });
        assert_eq!(share_out(20, &parts, 0.5), [10, 8, 2, 0]);
        assert_eq!(share_out(70, &parts, 0.5), [50, 10, 10, 0]);
        assert_eq!(share_out(1_000, &parts, 0.5), [100, 10, 100, 0]);
    }

    proptest! {
        #[test]
        fn all_is_given_and_caps_hold(
            total in 0usize..5_000,
            raw in proptest::collection::vec((0.0f64..10.0, 0usize..200), 1..40),
            offset in 0.0f64..1.0,
        ) {
            let parts: Vec<_> = raw.iter().map(|(weight, cap)| Part { weight: *weight, cap: *cap }).collect();
            let shares = share_out(total, &parts, offset);
            prop_assert!(shares.iter().zip(&parts).all(|(share, part)| *share <= part.cap));
            let room: usize = parts.iter().filter(|part| part.weight > 0.0).map(|part| part.cap).sum();
            prop_assert_eq!(shares.iter().sum::<usize>(), total.min(room));
        }
    }
}
