//! A city's own base map, drawn below the compounds: where its tiles come from and how they are drawn. From `[map]` of the
//! configuration; its file of layers is read once, at the start.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;
use thiserror::Error;
use utoipa::ToSchema;

use super::sections::MapConfig;

/// Bytes of a file of layers.
const LAYERS_MAX_BYTES: u64 = 1 << 20;
/// Where a file of tiles is served.
pub const FILE_ROUTE: &str = "/map-data/base.pmtiles";

/// Why a base map was not taken. The start stops with it.
#[derive(Debug, Error)]
pub enum BaseMapError {
    /// A file cannot be read.
    #[error("{key}: {path}: {error}")]
    Read {
        /// Section and key that name the file.
        key: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file of layers holds something else.
    #[error("map.base_layers: {path}: {why}")]
    Layers {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

/// The base map as the pages are told of it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct BaseMap {
    /// Address of the tiles: `https://host/{z}/{x}/{y}.png`, or a file of them on this server, `/map-data/base.pmtiles`.
    pub tiles: String,
    /// Whether `tiles` is one `PMTiles` file, read in ranges.
    pub is_file: bool,
    /// Deepest zoom of the tiles.
    pub max_zoom: u8,
    /// Whose it is, shown on the map.
    pub attribution: String,
    /// How vector tiles are drawn: layers of a `MapLibre` style over the source `base`. Empty: the tiles are pictures.
    #[schema(value_type = Vec<Object>)]
    pub layers: Vec<Value>,
}

impl BaseMap {
    /// The base map that the city configured; `None` where it has none.
    ///
    /// # Errors
    /// When a file is not there, or the layers are not such over the source `base`.
    pub fn load(config: &MapConfig) -> Result<Option<Self>, BaseMapError> {
        if config.base.is_empty() {
            return Ok(None);
        }
        let file = config.base_file();
        if let Some(path) = &file {
            std::fs::File::open(path).map_err(|error| BaseMapError::Read {
                key: "map.base",
                path: path.clone(),
                error,
            })?;
        }
        let layers = if config.base_layers.is_empty() { Vec::new() } else { layers(Path::new(&config.base_layers))? };
        Ok(Some(Self {
            tiles: file.as_ref().map_or_else(|| config.base.clone(), |_| FILE_ROUTE.to_owned()),
            is_file: file.is_some(),
            max_zoom: config.base_max_zoom,
            attribution: config.base_attribution.clone(),
            layers,
        }))
    }
}

impl MapConfig {
    /// The file of tiles on this machine; `None` where tiles come from an address, or there are none.
    pub fn base_file(&self) -> Option<PathBuf> {
        let is_file = Path::new(&self.base).extension().is_some_and(|ending| ending == "pmtiles");
        (is_file && !self.base.contains("://")).then(|| PathBuf::from(&self.base))
    }

    /// Where the pages fetch tiles from beside this server: scheme, host and port. `None` where they do not.
    pub fn base_origin(&self) -> Option<&str> {
        let host = self.base.find("://")? + 3;
        let end = self.base[host..].find('/').map_or(self.base.len(), |slash| host + slash);
        Some(&self.base[..end])
    }
}

fn layers(path: &Path) -> Result<Vec<Value>, BaseMapError> {
    let unread = |error| BaseMapError::Read { key: "map.base_layers", path: path.into(), error };
    let wrong = |why: String| BaseMapError::Layers { path: path.into(), why };
    if std::fs::metadata(path).map_err(unread)?.len() > LAYERS_MAX_BYTES {
        return Err(wrong("文件过大 larger than 1 MiB".into()));
    }
    let text = std::fs::read_to_string(path).map_err(unread)?;
    let layers: Vec<Value> = serde_json::from_str(&text)
        .map_err(|error| wrong(format!("应为图层数组 must be an array of MapLibre layers: {error}")))?;
    for layer in &layers {
        let id = layer["id"].as_str().unwrap_or_default();
        if !id.starts_with("base-") || layer["source"] != "base" {
            let why =
                "图层 id 须以 base- 开头，source 须为 base; a layer's id begins with base- and its source is base";
            return Err(wrong(format!("{why}: {id}")));
        }
    }
    Ok(layers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(base: &str) -> MapConfig {
        MapConfig { base: base.into(), ..MapConfig::default() }
    }

    #[test]
    fn tiles_come_from_an_address_or_from_a_file_here() {
        assert_eq!(BaseMap::load(&config("")).unwrap(), None);
        let address = config("https://tiles.example:8443/v/{z}/{x}/{y}.png");
        let base = BaseMap::load(&address).unwrap().unwrap();
        assert_eq!((base.tiles.as_str(), base.is_file), ("https://tiles.example:8443/v/{z}/{x}/{y}.png", false));
        assert_eq!(address.base_origin(), Some("https://tiles.example:8443"));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("city.pmtiles");
        let here = config(path.to_str().unwrap());
        assert!(BaseMap::load(&here).unwrap_err().to_string().contains("map.base: "));
        std::fs::write(&path, b"PMTiles").unwrap();
        let base = BaseMap::load(&here).unwrap().unwrap();
        assert_eq!((base.tiles.as_str(), base.is_file, here.base_origin()), (FILE_ROUTE, true, None));
    }

    #[test]
    fn layers_draw_the_base_and_nothing_of_ours() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("layers.json");
        let load = |text: &str| {
            std::fs::write(&path, text).unwrap();
            let base_layers = path.to_str().unwrap().to_owned();
            BaseMap::load(&MapConfig { base_layers, ..config("https://t/{z}/{x}/{y}.mvt") })
        };
        let good = r#"[{"id": "base-roads", "type": "line", "source": "base", "source-layer": "roads"}]"#;
        assert_eq!(load(good).unwrap().unwrap().layers.len(), 1);
        for (bad, why) in [
            (r#"[{"id": "roads", "source": "base"}]"#, "begins with base-"),
            (r#"[{"id": "base-x", "source": "compounds"}]"#, "its source is base"),
            ("{}", "must be an array"),
        ] {
            let error = load(bad).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
