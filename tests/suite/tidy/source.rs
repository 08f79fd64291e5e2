//! A source file as the tidy tests read it: its text, the same with comments and strings blanked out, and which lines are tests.
//!
//! Not a parser: it knows strings, comments and braces, which is enough for counting and for finding words in code.

use std::path::Path;

/// Where the repository is.
pub const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A Rust file.
pub struct Source {
    /// From the repository's root, with `/`.
    pub path: String,
    /// As it is.
    pub text: String,
    /// Its lines with comments, strings and characters blanked out.
    code: Vec<String>,
    /// Lines (from 0) that are compiled for tests alone.
    test: Vec<bool>,
}

/// A function and its length.
pub struct Function {
    pub name: String,
    pub line: usize,
    pub lines: usize,
}

/// Every Rust file below a folder of the repository, by path.
pub fn rust(folder: &str) -> Vec<Source> {
    files(folder)
        .into_iter()
        .filter(|path| Path::new(path).extension().is_some_and(|kind| kind == "rs"))
        .map(Source::read)
        .collect()
}

/// Every Rust file of the repository.
pub fn all_rust() -> Vec<Source> {
    let all: Vec<_> = ["src", "tests", "load-tests"].into_iter().flat_map(rust).collect();
    assert!(all.len() > 100, "the walk lost its way: {} files", all.len());
    all
}

/// Every file that people write as text.
pub fn texts() -> Vec<String> {
    let folders = ["src", "tests", "load-tests", "config", "maps", ".ci"].into_iter().flat_map(files);
    let top = ["Cargo.toml", "Makefile", "README.md", "README.zh-CN.md", "ARCHITECTURE.md"].map(str::to_owned);
    folders.chain(top).collect()
}

fn files(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(Path::new(ROOT).join(&folder)).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{folder}/{name}");
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && !["target", "node_modules", "dist"].contains(&name.as_str()) => {
                    folders.push(path);
                }
                Ok(kind) if kind.is_file() => found.push(path),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

impl Source {
    fn read(path: String) -> Self {
        let text = std::fs::read_to_string(Path::new(ROOT).join(&path)).unwrap();
        Self::of(path, text)
    }

    fn of(path: String, text: String) -> Self {
        let code: Vec<String> = blank(&text).lines().map(str::to_owned).collect();
        let name = path.rsplit('/').next().unwrap_or(&path);
        let whole =
            path.starts_with("tests/") || path.contains("/tests/") || name == "tests.rs" || name.starts_with("test_");
        let test_only = if whole { vec![true; code.len()] } else { test_lines(&code) };
        Self { path, text, code, test: test_only }
    }

    pub fn line_count(&self) -> usize {
        self.text.lines().count()
    }

    /// Whether a line (from 1) is compiled for tests alone.
    pub fn is_test_line(&self, line: usize) -> bool {
        self.test.get(line - 1).copied().unwrap_or(false)
    }

    /// Lines (from 1) with `word` in code.
    pub fn lines_with<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.code.iter().enumerate().filter(move |(_, code)| code.contains(word)).map(|(i, _)| i + 1)
    }

    /// The same, in tests.
    pub fn test_lines_with<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.lines_with(word).filter(|line| self.is_test_line(*line))
    }

    /// Whether the text says `word` at most so many lines away.
    pub fn has_near(&self, line: usize, distance: usize, word: &str) -> bool {
        let first = line.saturating_sub(distance + 1);
        self.text.lines().skip(first).take(2 * distance + 1).any(|text| text.contains(word))
    }

    /// Top modules of this crate that code outside tests names, with the line.
    pub fn imports_of_crate(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for (i, code) in self.code.iter().enumerate().filter(|(i, _)| !self.test[*i]) {
            for (at, start) in code.match_indices("crate::") {
                // `$crate::`, `some_crate::` are not this crate's root.
                if code[..at].ends_with(|c: char| c == '$' || c == '_' || c.is_alphanumeric()) {
                    continue;
                }
                let rest = &code[at + start.len()..];
                assert!(
                    !rest.starts_with('{'),
                    "{}:{}: one `use` a module, so that layers can be read",
                    self.path,
                    i + 1
                );
                found.push((i + 1, word(rest)));
            }
        }
        found
    }

    /// Crates that `use` lines outside tests name, with the line.
    pub fn imports_of_others(&self) -> Vec<(usize, String)> {
        let uses = self.code.iter().enumerate().filter(|(i, _)| !self.test[*i]);
        let names = uses.filter_map(|(i, code)| {
            // Not indented: `use` within a function names what is in scope already.
            let rest = code.strip_prefix("use ").or_else(|| code.strip_prefix("pub use "))?;
            let rest = rest.strip_prefix("::").unwrap_or(rest);
            let (name, path) = (word(rest), rest.contains("::"));
            let local = ["crate", "self", "super"].contains(&name.as_str()) || !path || self.declares(&name);
            (!local).then_some((i + 1, name))
        });
        names.collect()
    }

    fn declares(&self, module: &str) -> bool {
        let is_mod = |code: &String| code.trim_end_matches([';', ' ', '{']).ends_with(&format!("mod {module}"));
        self.code.iter().any(is_mod) || self.code.iter().any(|code| code.contains(&format!("enum {module} ")))
    }

    /// Attributes that silence a lint, with the line; each in one line.
    pub fn suppressions(&self) -> Vec<(usize, String)> {
        let text: Vec<&str> = self.text.lines().collect();
        let starts = self.code.iter().enumerate().filter(|(_, code)| {
            ["#[allow(", "#![allow(", "#[expect(", "#![expect("].iter().any(|word| code.contains(word))
        });
        let whole = |i: usize| -> String {
            let end = (i..self.code.len()).find(|j| self.code[*j].contains(")]")).unwrap_or(i);
            text[i..=end].iter().map(|line| line.trim()).collect()
        };
        starts.map(|(i, _)| (i + 1, whole(i))).collect()
    }

    /// Every function with a body, nested ones too.
    pub fn functions(&self) -> Vec<Function> {
        let mut found = Vec::new();
        for (i, code) in self.code.iter().enumerate() {
            let Some(at) = starts_function(code) else { continue };
            if let Some(end) = body_end(&self.code, i, at) {
                found.push(Function { name: word(&code[at + 3..]), line: i + 1, lines: end - i + 1 });
            }
        }
        found
    }
}

/// The identifier that a text begins with.
fn word(text: &str) -> String {
    text.chars().take_while(|c| *c == '_' || c.is_alphanumeric()).collect()
}

fn starts_function(code: &str) -> Option<usize> {
    let at = code.find("fn ")?;
    let free = !code[..at].ends_with(|c: char| c == '_' || c.is_alphanumeric());
    (free && !word(&code[at + 3..]).is_empty()).then_some(at)
}

/// The line where the braces that open after `at` in line `start` are closed; none when a `;` comes first.
fn body_end(code: &[String], start: usize, at: usize) -> Option<usize> {
    let (mut braces, mut others) = (0_i32, 0_i32);
    for (i, line) in code.iter().enumerate().skip(start) {
        for c in line[if i == start { at } else { 0 }..].chars() {
            match c {
                '{' => braces += 1,
                '}' => braces -= 1,
                '(' | '[' => others += 1,
                ')' | ']' => others -= 1,
                ';' if braces == 0 && others == 0 => return None,
                _ => {}
            }
            if c == '}' && braces == 0 {
                return Some(i);
            }
        }
    }
    None
}

/// Which lines `#[cfg(test)]` covers: the item after it.
fn test_lines(code: &[String]) -> Vec<bool> {
    let mut test = vec![false; code.len()];
    for i in 0..code.len() {
        if !code[i].trim_start().starts_with("#[cfg(test)]") {
            continue;
        }
        let item = (i + 1..code.len()).find(|j| !code[*j].trim_start().starts_with("#[")).unwrap_or(i);
        let end = body_end(code, item, 0).unwrap_or(item);
        test[i..=end].fill(true);
    }
    test
}

/// Blanks out what is not code: comments, strings, characters. Line breaks stay.
fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut i = 0;
    while i < chars.len() {
        let end = skip(&chars, i);
        if end == i {
            out.push(chars[i]);
            i += 1;
        } else {
            out.extend(chars[i..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            i = end;
        }
    }
    out
}

/// Where the comment, string or character that begins at `i` ends; `i` when none does.
fn skip(chars: &[char], i: usize) -> usize {
    let at = |n: usize| chars.get(n).copied().unwrap_or('\0');
    match at(i) {
        '/' if at(i + 1) == '/' => (i..chars.len()).find(|n| chars[*n] == '\n').unwrap_or(chars.len()),
        '/' if at(i + 1) == '*' => {
            (i + 3..chars.len()).find(|n| chars[n - 1] == '*' && chars[*n] == '/').map_or(chars.len(), |n| n + 1)
        }
        '"' => closing_quote(chars, i + 1),
        'r' if !at(i.wrapping_sub(1)).is_alphanumeric() && at(i.wrapping_sub(1)) != '_' => raw_string(chars, i),
        '\'' if at(i + 1) == '\\' => (i + 3..chars.len()).find(|n| chars[*n] == '\'').map_or(chars.len(), |n| n + 1),
        '\'' if at(i + 2) == '\'' => i + 3,
        _ => i,
    }
}

fn closing_quote(chars: &[char], from: usize) -> usize {
    let mut n = from;
    while n < chars.len() && chars[n] != '"' {
        n += if chars[n] == '\\' { 2 } else { 1 };
    }
    (n + 1).min(chars.len())
}

/// The end of `r"…"` or `r#"…"#` at `i`; `i` when there is none.
fn raw_string(chars: &[char], i: usize) -> usize {
    let hashes = chars[i + 1..].iter().take_while(|c| **c == '#').count();
    if chars.get(i + 1 + hashes) != Some(&'"') {
        return i;
    }
    let close =
        |n: &usize| chars[*n] == '"' && chars[n + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes;
    (i + 2 + hashes..chars.len()).find(close).map_or(chars.len(), |n| n + 1 + hashes)
}

#[test]
fn strings_and_comments_are_blanked_out() {
    let text = "let a = \"{ todo!\"; // }\nlet b = r#\"\"{\"#; let c = '{'; let d: &'a str; /* { */ '\\''";
    let blanked = blank(text);
    assert!(!blanked.contains(['{', '}', '!']), "{blanked}");
    assert_eq!(blanked.lines().count(), 2);
    assert!(blanked.contains("let b = ") && blanked.contains("&'a str;"));
}

#[test]
fn a_file_is_read_as_code_and_tests() {
    let text = "//! x\nuse geo::Area;\n#[cfg(test)]\nmod tests;\nfn long(\n    a: [u8; 2],\n) {\n    crate::city::f();\n}\n\
                #[cfg(test)]\nmod inner {\n    use crate::cli;\n    fn t() { todo!() }\n}\ntrait T {\n    fn none(&self);\n}\n";
    let source = Source::of("src/domain/x.rs".into(), text.into());
    assert_eq!(source.imports_of_crate(), [(8, "city".to_owned())]);
    assert_eq!(source.imports_of_others(), [(2, "geo".to_owned())]);
    let functions: Vec<_> = source.functions().into_iter().map(|f| (f.name, f.line, f.lines)).collect();
    assert_eq!(functions, [("long".to_owned(), 5, 5), ("t".to_owned(), 13, 1)]);
    assert_eq!(source.test_lines_with("todo!").collect::<Vec<_>>(), [13]);
    assert!(source.is_test_line(4) && !source.is_test_line(5));
}
