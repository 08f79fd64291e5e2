//! On which line each entry of a JSON list begins, so that a bad one can be named as in an editor.

/// Lines (from 1) on which the objects begin that lie directly in an array at `depth`: 1 for a file that is an array itself, 2 for
/// the `features` of a collection. The text must be valid JSON.
pub(super) fn of_objects(text: &str, depth: usize) -> Vec<usize> {
    let (mut lines, mut open, mut line) = (Vec::new(), Vec::new(), 1);
    let (mut in_text, mut escaped) = (false, false);
    for byte in text.bytes() {
        if byte == b'\n' {
            line += 1;
        }
        if in_text {
            in_text = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' | b'[' => {
                if byte == b'{' && open.len() == depth && open.last() == Some(&b'[') {
                    lines.push(line);
                }
                open.push(byte);
            }
            b'}' | b']' => drop(open.pop()),
            _ => {}
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_whatever_their_texts_say() {
        let list = "[\n {\"a\": \"}{[\\\"\"},\n\n {\"b\": [{}, {}]}]";
        assert_eq!(of_objects(list, 1), [2, 4]);
        let collection = "{\"type\": \"x\",\n\"features\": [\n{\"p\": {}},\n{\"p\": [1, 2]}\n]}";
        assert_eq!(of_objects(collection, 2), [3, 4]);
    }
}
