//! Free text that people write: titles, reasons, names of things. What an alert says has its own, stricter rules: see
//! [`super::alert_content`].

use super::refusal::Refusal;

/// Whether a text says something, in at most `max` characters, without control characters other than line breaks.
///
/// # Errors
/// [`Refusal::BadText`].
pub(crate) fn check_text(field: &'static str, text: &str, max: usize) -> Result<(), Refusal> {
    let bad = text.trim().is_empty() || text.chars().count() > max || text.chars().any(|c| c.is_control() && c != '\n');
    if bad { Err(Refusal::BadText { field, max }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_says_something_and_is_not_too_long() {
        let is_good = |text: &str| check_text("reason", text, 4).is_ok();
        assert!(is_good("在外地") && is_good("a\nb") && is_good("四个汉字"));
        assert!(!is_good("") && !is_good(" \n ") && !is_good("五个汉字了") && !is_good("a\u{7}b") && !is_good("a\0"));
    }
}
