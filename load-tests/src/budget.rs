//! What a scenario may cost at most and must reach at least: `config/load/<scenario>.toml`, a line a figure.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::Value;

/// The bounds of a scenario's figures, by the names that its JSON line has.
#[derive(Debug, Deserialize)]
pub struct Budget(BTreeMap<String, Bound>);

/// The bounds of one figure.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bound {
    /// It must not be higher.
    max: Option<f64>,
    /// It must not be lower.
    min: Option<f64>,
}

impl Budget {
    /// Reads one.
    ///
    /// # Errors
    /// When the file cannot be read, or says something else.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        toml::from_str(&text).with_context(|| path.display().to_string())
    }

    /// What is missed, in words.
    ///
    /// # Errors
    /// When it bounds a figure that the run did not find: that would be a check that cannot fail.
    pub fn missed(&self, figures: &Value) -> anyhow::Result<Vec<String>> {
        let mut missed = Vec::new();
        for (name, bound) in &self.0 {
            let found = figures[name]
                .as_f64()
                .with_context(|| format!("the budget bounds {name}, which this run did not find"))?;
            if let Some(max) = bound.max.filter(|max| found > *max) {
                missed.push(format!("{name} is {found:.2}, at most {max} is allowed"));
            }
            if let Some(min) = bound.min.filter(|min| found < *min) {
                missed.push(format!("{name} is {found:.2}, at least {min} is asked"));
            }
        }
        Ok(missed)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_figure_out_of_its_bounds_is_missed_and_one_that_is_not_there_is_an_error() {
        let budget: Budget = toml::from_str("lost = { max = 0 }\nper_s = { min = 10.5 }").unwrap();
        let missed = |figures: Value| budget.missed(&figures).map(|missed| missed.len());
        assert_eq!(missed(json!({ "lost": 0, "per_s": 10.5 })).unwrap(), 0);
        assert_eq!(missed(json!({ "lost": 1, "per_s": 10.4 })).unwrap(), 2);
        assert!(missed(json!({ "lost": 0 })).is_err());
        assert!(toml::from_str::<Budget>("lost = { most = 0 }").is_err());
    }

    #[test]
    fn every_budget_of_the_repository_can_be_read() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/load");
        let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(!files.is_empty());
        for file in files {
            assert!(!Budget::read(&file).unwrap().0.is_empty(), "{}", file.display());
        }
    }
}
