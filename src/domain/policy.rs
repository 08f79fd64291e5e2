//! The limits and thresholds that the rules themselves depend on, as the city set them.
//!
//! Pure values, handed to the engine. Where they come from (`config/muster.toml`) is the business of `config`; limits of
//! queues and sockets are not rules and never stand here.

use serde::{Deserialize, Serialize};

use super::alert_content::VALIDITY_MAX_S;
use super::cap_words::Severity;

/// What the rules depend on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// A real alert that hits more compounds than this needs a second person's approval. 20 compounds.
    pub approval_over_compounds: u32,
    /// A real alert as grave as this, or graver, needs a second person's approval. `Severe`.
    pub approval_at_severity: Severity,
    /// Whether an alert of an exercise needs the approval that a real one would. No: exercises can be rehearsed alone.
    pub approval_in_exercise: bool,
    /// Seconds that a holder of the command has to acknowledge before the next in line is tried. 300, the city's 叫应 rule.
    pub ack_timeout_s: u32,
    /// Seconds from issue to expiry that an alert may have. 259,200 (72 hours); never more than [`VALIDITY_MAX_S`].
    pub validity_max_s: u32,
    /// Seconds that a called person has to answer where the activated plan does not say. An order carries it along; 300.
    pub answer_limit_s: u32,
    /// Seconds without a word after which a compound in emergency mode is silent. 600.
    pub silent_after_s: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            approval_over_compounds: 20,
            approval_at_severity: Severity::Severe,
            approval_in_exercise: false,
            ack_timeout_s: 300,
            validity_max_s: 72 * 3_600,
            answer_limit_s: super::plan::ANSWER_LIMIT_DEFAULT_S,
            silent_after_s: 600,
        }
    }
}

impl Policy {
    /// Whether sending takes a second person: by how many compounds it hits, or by how grave it is.
    pub fn needs_approval(&self, exercise: bool, compounds: usize, severity: Severity) -> bool {
        // INVARIANT: look_before_you_send
        let weighty = u32::try_from(compounds).map_or(true, |n| n > self.approval_over_compounds)
            || severity.reaches(self.approval_at_severity);
        weighty && (!exercise || self.approval_in_exercise)
    }

    /// Whether the values make sense together.
    ///
    /// # Errors
    /// The name of the field and what it may be.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let within = |field, value: u32, range: std::ops::RangeInclusive<u32>, may| {
            if range.contains(&value) { Ok(()) } else { Err((field, may)) }
        };
        within("ack_timeout_s", self.ack_timeout_s, 10..=86_400, "10 to 86,400 seconds")?;
        within("answer_limit_s", self.answer_limit_s, 10..=86_400, "10 to 86,400 seconds")?;
        within("silent_after_s", self.silent_after_s, 60..=86_400, "60 to 86,400 seconds")?;
        within("validity_max_s", self.validity_max_s, 600..=VALIDITY_MAX_S, "600 to 604,800 seconds")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_person_is_asked_by_size_or_by_severity() {
        let policy = Policy::default();
        assert!(!policy.needs_approval(false, 20, Severity::Moderate));
        assert!(policy.needs_approval(false, 21, Severity::Minor));
        assert!(policy.needs_approval(false, 1, Severity::Severe));
        assert!(policy.needs_approval(false, 1, Severity::Unknown));
    }

    #[test]
    fn an_exercise_may_be_rehearsed_alone_unless_the_city_says_otherwise() {
        let mut policy = Policy::default();
        assert!(!policy.needs_approval(true, 2_431, Severity::Extreme));
        policy.approval_in_exercise = true;
        assert!(policy.needs_approval(true, 2_431, Severity::Extreme));
    }

    #[test]
    fn the_default_is_sound_and_nonsense_is_named() {
        assert_eq!(Policy::default().check(), Ok(()));
        let policy = Policy { ack_timeout_s: 0, ..Policy::default() };
        assert_eq!(policy.check().map_err(|(field, _)| field), Err("ack_timeout_s"));
        let policy = Policy { validity_max_s: VALIDITY_MAX_S + 1, ..Policy::default() };
        assert_eq!(policy.check().map_err(|(field, _)| field), Err("validity_max_s"));
    }
}
