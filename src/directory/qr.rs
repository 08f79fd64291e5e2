//! QR codes of links, as SVG: sharp on a screen and on paper, drawn here so that no link goes to anybody else's server.

use fast_qr::convert::svg::SvgBuilder;
use fast_qr::{ECL, QRBuilder};

use crate::domain::refusal::Refusal;

/// Bytes of a longest text: still coarse enough to be read off paper.
pub const QR_TEXT_BYTES_MAX: usize = 512;

/// The text as a QR code that survives being soiled by 15 % (level M).
///
/// # Errors
/// [`Refusal::BadText`] when the text is empty or too long.
pub fn qr_svg(text: &str) -> Result<String, Refusal> {
    let bad = || Refusal::BadText { field: "link", max: QR_TEXT_BYTES_MAX };
    if text.is_empty() || text.len() > QR_TEXT_BYTES_MAX {
        return Err(bad());
    }
    let code = QRBuilder::new(text).ecl(ECL::M).build().map_err(|_| bad())?;
    Ok(SvgBuilder::default().to_str(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_becomes_a_drawing_without_the_link_in_it() {
        let link = "https://muster.example/h/AYCAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC";
        let svg = qr_svg(link).unwrap();
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>"), "{svg}");
        assert!(!svg.contains("muster.example"));
        assert_ne!(svg, qr_svg(&link.replace("/h/", "/i/")).unwrap());
    }

    #[test]
    fn other_lengths_are_refused() {
        assert!(qr_svg(&"x".repeat(QR_TEXT_BYTES_MAX)).is_ok());
        for text in ["", &"x".repeat(QR_TEXT_BYTES_MAX + 1)] {
            assert_eq!(qr_svg(text), Err(Refusal::BadText { field: "link", max: QR_TEXT_BYTES_MAX }));
        }
    }
}
