//! How an alert got on over time: its counts at even steps after it was sent.
//!
//! Nothing is kept for it: it is added up from the times at which each person came to each stage ([`Reach`]), so it is right after a
//! restart, and its last point is the funnel. That costs one look at each recipient, as many as the alert has.

use super::alert_content::VALIDITY_MAX_S;
use super::receipt::{FunnelCounts, Reach, Stage};

/// Steps of a curve at most.
pub const STEPS_MAX: u32 = 120;
/// The shortest time that a curve spans, s.
pub const SPAN_MIN_S: u32 = 60;
/// Seconds that a step may have, so that its points fall on times that people read off easily.
const STEPS_S: [u32; 13] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200];

/// Counts at even steps after an alert was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Curve {
    /// Seconds of a step.
    pub step_s: u32,
    /// The time that it may span.
    span_s: u32,
    /// The last point: the end of the span, or now.
    end_s: u32,
    /// What came with each step; the compounds and people it was sent to stand in the first.
    gained: Vec<FunnelCounts>,
}

impl Curve {
    /// A curve of the first `span_s` seconds (60 s to 7 days), as far as they are over after `elapsed_ms`.
    pub fn new(span_s: u32, elapsed_ms: u32) -> Self {
        let span_s = span_s.clamp(SPAN_MIN_S, VALIDITY_MAX_S);
        let step_s = STEPS_S.into_iter().find(|step| span_s.div_ceil(*step) <= STEPS_MAX).unwrap_or(7_200);
        // Rounded up, so that all that happened so far is before the last point.
        let end_s = elapsed_ms.div_ceil(1_000).min(span_s);
        let points = end_s.div_ceil(step_s) as usize + 1;
        Self { step_s, span_s, end_s, gained: vec![FunnelCounts::default(); points] }
    }

    /// Adds a compound.
    pub fn add(&mut self, reach: &Reach) {
        self.gained[0].compounds += 1;
        self.gained[0].funnel.sent += reach.funnel.sent;
        for progress in reach.people.values() {
            for stage in Stage::ALL {
                if let Some(gained) = progress.after_ms(stage).and_then(|ms| self.step(ms)) {
                    *gained.funnel.at_mut(stage) += 1;
                }
            }
        }
        let acknowledged = reach.acknowledged.map(|(_, at)| reach.after_ms(at));
        if let Some(gained) = acknowledged.and_then(|ms| self.step(ms)) {
            gained.compounds_acknowledged += 1;
        }
    }

    /// The step in which something falls; `None` after the span.
    fn step(&mut self, after_ms: u32) -> Option<&mut FunnelCounts> {
        let last = self.gained.len() - 1;
        let step = after_ms.div_ceil(self.step_s.saturating_mul(1_000)) as usize;
        let within = after_ms <= self.span_s.saturating_mul(1_000);
        within.then(|| &mut self.gained[step.min(last)])
    }

    /// The points: seconds after it was sent, and the counts by then.
    pub fn points(&self) -> impl Iterator<Item = (u32, FunnelCounts)> + '_ {
        let mut sum = FunnelCounts::default();
        (0_u32..).zip(&self.gained).map(move |(step, gained)| {
            sum += *gained;
            (step.saturating_mul(self.step_s).min(self.end_s), sum)
        })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::ids::PersonId;
    use super::super::receipt::Funnel;
    use super::super::time::Timestamp;
    use super::*;

    const SENT: Timestamp = Timestamp(7_000_000);

    fn person(n: u128) -> PersonId {
        PersonId(Uuid::from_u128(n))
    }

    /// Three people: one after 1.5 s and 40 s, one at once after 100 s, one never.
    fn reach() -> Reach {
        let mut reach = Reach { sent_at: SENT, ..Reach::default() };
        reach.funnel.sent = 3;
        reach.mark(person(1), Stage::Shown, Timestamp(SENT.0 + 1_500_000));
        reach.mark(person(1), Stage::Acknowledged, SENT.plus_s(40));
        reach.mark(person(2), Stage::Acknowledged, SENT.plus_s(100));
        reach.acknowledged = Some((person(1), SENT.plus_s(40)));
        reach
    }

    fn at(curve: &Curve, second: u32) -> FunnelCounts {
        curve.points().find(|(after_s, _)| *after_s == second).unwrap().1
    }

    #[test]
    fn each_point_has_all_that_happened_by_then_and_the_last_is_the_funnel() {
        let mut curve = Curve::new(120, 110_200);
        curve.add(&reach());
        let funnel = |delivered, shown, acknowledged| Funnel { sent: 3, delivered, shown, acknowledged };
        assert_eq!((curve.step_s, curve.points().count()), (1, 112));
        assert_eq!(at(&curve, 1).funnel, funnel(0, 0, 0));
        assert_eq!(at(&curve, 2).funnel, funnel(1, 1, 0));
        assert_eq!((at(&curve, 39).compounds_acknowledged, at(&curve, 40).compounds_acknowledged), (0, 1));
        assert_eq!(at(&curve, 99).funnel, funnel(1, 1, 1));
        let mut whole = FunnelCounts::default();
        whole.add(&reach());
        assert_eq!(curve.points().last(), Some((111, whole)));
    }

    #[test]
    fn a_span_that_is_over_leaves_out_what_came_later() {
        let mut curve = Curve::new(60, 500_000);
        curve.add(&reach());
        let (after_s, last) = curve.points().last().unwrap();
        assert_eq!((after_s, last.funnel.delivered, last.compounds_acknowledged), (60, 1, 1));
    }

    #[test]
    fn points_are_few_whatever_the_span() {
        for span_s in [0, 1, 60, 61, 599, 3_600, 21_600, 259_200, VALIDITY_MAX_S, u32::MAX] {
            let curve = Curve::new(span_s, u32::MAX);
            let points: Vec<u32> = curve.points().map(|(after_s, _)| after_s).collect();
            assert!(points.len() <= STEPS_MAX as usize + 1, "{span_s}: {}", points.len());
            assert!(points.is_sorted_by(|a, b| a < b), "{span_s}");
            assert_eq!(points.last(), Some(&span_s.clamp(SPAN_MIN_S, VALIDITY_MAX_S)));
        }
        assert_eq!(Curve::new(3_600, 0).points().count(), 1, "nothing is over yet");
    }
}
