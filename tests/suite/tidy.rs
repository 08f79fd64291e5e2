//! Rules of the house's style, as tests. They may only tighten: an exception is a line in a table here, with its reason, and a line
//! that is no longer needed fails too.
//!
//! What a compiler or clippy can check is not here. How a file is read is in [`source`].

mod source;

use std::path::Path;

use source::{Function, Source};

/// Files longer than this are two files.
const FILE_LINES_MAX: usize = 500;
/// Functions longer than this are two functions.
const FUNCTION_LINES_MAX: usize = 70;
/// How far from a suppression its reason may stand.
const NEAR_LINES: usize = 14;

/// The house in layer order: a file imports from modules of a lower rank only, and from its own.
const LAYERS: &[(&str, u8)] = &[
    ("domain", 0),
    ("city", 10),
    ("engine", 20),
    ("cap", 20),
    ("redis_link", 29),
    ("journal", 31),
    ("directory", 32),
    ("config", 33),
    ("runtime", 33),
    ("live", 34),
    ("demo", 34),
    ("import", 35),
    ("server", 40),
    ("cli", 50),
    ("testing", 60),
];

/// Up to this rank a module is pure: no IO, no clock, no randomness.
const PURE_RANK_MAX: u8 = 20;

/// All that the pure core may name from outside.
const CORE_CRATES: &[&str] =
    &["std", "core", "alloc", "serde", "serde_json", "geo", "rstar", "thiserror", "uuid", "utoipa"];

/// What of `std` reaches outside the process, or is different at each run.
const CORE_NEVER: &[&str] = &[
    "std::fs",
    "std::io",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "Instant::now",
    "SystemTime",
    "tokio::",
    "tracing::",
    "Uuid::now_v7",
    "Uuid::new_v4",
    "println!",
    "eprintln!",
];

fn rank(module: &str) -> Option<u8> {
    LAYERS.iter().find(|(name, _)| *name == module).map(|(_, rank)| *rank)
}

fn layer(source: &Source) -> Option<(&str, u8)> {
    let module = source.path.strip_prefix("src/")?.split('/').next()?.trim_end_matches(".rs");
    rank(module).map(|rank| (module, rank))
}

/// Fails with every offender named, not just the first.
fn nobody(offends: &str, offenders: &[String]) {
    assert!(offenders.is_empty(), "{offends}:\n  {}", offenders.join("\n  "));
}

#[test]
fn imports_go_down_only() {
    let mut offenders = Vec::new();
    for source in source::rust("src") {
        let Some((module, own)) = layer(&source) else { continue };
        for (line, import) in source.imports_of_crate() {
            match rank(&import) {
                Some(other) if import != module && other >= own => {
                    offenders.push(format!("{}:{line}: {module} imports {import}", source.path));
                }
                Some(_) => {}
                None => offenders.push(format!("{}:{line}: {import} has no layer", source.path)),
            }
        }
    }
    nobody("imports that do not go down", &offenders);
}

#[test]
fn every_module_has_its_layer() {
    let mut offenders = Vec::new();
    for source in source::rust("src") {
        let above = ["src/lib.rs", "src/main.rs"].contains(&source.path.as_str());
        if !above && layer(&source).is_none() {
            offenders.push(source.path);
        }
    }
    nobody("files in no layer", &offenders);
}

#[test]
fn the_core_is_pure() {
    let mut offenders = Vec::new();
    for source in source::rust("src") {
        if layer(&source).is_none_or(|(_, rank)| rank > PURE_RANK_MAX) {
            continue;
        }
        let extra: &[&str] = if source.path.starts_with("src/cap") { &["quick_xml"] } else { &[] };
        for (line, name) in source.imports_of_others() {
            if !CORE_CRATES.contains(&name.as_str()) && !extra.contains(&name.as_str()) {
                offenders.push(format!("{}:{line}: {name}", source.path));
            }
        }
        for word in CORE_NEVER {
            let lines = source.lines_with(word).filter(|line| !source.is_test_line(*line));
            offenders.extend(lines.map(|line| format!("{}:{line}: {word}", source.path)));
        }
    }
    nobody("the pure core reaches out", &offenders);
}

#[test]
fn files_and_functions_are_short() {
    let mut offenders = Vec::new();
    for source in source::all_rust() {
        if source.line_count() > FILE_LINES_MAX {
            offenders.push(format!("{}: {} lines", source.path, source.line_count()));
        }
        for Function { name, line, lines } in source.functions() {
            if lines > FUNCTION_LINES_MAX {
                offenders.push(format!("{}:{line}: fn {name}: {lines} lines", source.path));
            }
        }
    }
    nobody("too long", &offenders);
}

#[test]
fn every_module_says_what_lives_here() {
    let mut offenders = Vec::new();
    for source in source::all_rust() {
        if !source.text.starts_with("//!") {
            offenders.push(source.path);
        }
    }
    nobody("modules that do not begin with `//!`", &offenders);
}

#[test]
fn nothing_is_left_undone() {
    let mut offenders = Vec::new();
    for source in source::all_rust() {
        for word in ["todo!", "unimplemented!", "dbg!", "#[ignore]"] {
            offenders.extend(source.lines_with(word).map(|line| format!("{}:{line}: {word}", source.path)));
        }
    }
    nobody("left undone", &offenders);
}

#[test]
fn tests_do_not_sleep() {
    let mut offenders = Vec::new();
    for source in source::all_rust() {
        let sleeps = ["thread::sleep", "time::sleep"].into_iter().flat_map(|word| source.test_lines_with(word));
        offenders.extend(sleeps.map(|line| format!("{}:{line}", source.path)));
    }
    nobody("tests that sleep", &offenders);
}

/// Clippy finds the calls; here each says which invariant makes them impossible to fail.
#[test]
fn who_unwraps_names_the_invariant() {
    let mut offenders = Vec::new();
    for source in source::rust("src") {
        for line in source.lines_with("clippy::unwrap_used").chain(source.lines_with("clippy::expect_used")) {
            if !source.is_test_line(line) && !source.has_near(line, NEAR_LINES, "INVARIANT") {
                offenders.push(format!("{}:{line}", source.path));
            }
        }
    }
    nobody("no `// INVARIANT:` beside the suppression", &offenders);
}

#[test]
fn a_suppression_gives_its_reason() {
    let mut offenders = Vec::new();
    for source in source::rust("src") {
        for (line, attribute) in source.suppressions() {
            if !source.is_test_line(line) && !attribute.contains("reason") {
                offenders.push(format!("{}:{line}: {attribute}", source.path));
            }
        }
    }
    nobody("a lint is silenced and nobody says why", &offenders);
}

/// A path of one machine is a fact about somebody's desk.
#[test]
fn no_file_names_a_machine() {
    // Written in two halves, or this file would be the first offender.
    let paths = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];
    let mut offenders = Vec::new();
    for path in source::texts() {
        let Ok(text) = std::fs::read_to_string(Path::new(source::ROOT).join(&path)) else { continue };
        for (i, line) in text.lines().enumerate() {
            offenders.extend(paths.iter().filter(|p| line.contains(*p)).map(|p| format!("{path}:{}: {p}", i + 1)));
        }
    }
    nobody("paths of one machine", &offenders);
}

/// Data of others is handed on with its source and licence, or not at all.
#[test]
fn every_map_file_has_its_licence_note() {
    let folder = Path::new(source::ROOT).join("maps/data");
    let note = std::fs::read_to_string(folder.join("LICENCES.md")).unwrap();
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let unnamed: Vec<_> = names.filter(|name| name != "LICENCES.md" && !note.contains(&format!("`{name}`"))).collect();
    nobody("files of maps/data without a note", &unnamed);
}
