//! Lists of names between commas, as `search_path` and `DateStyle` have them.

/// Identifiers between commas; those without quotes are folded. Nothing is an empty list.
pub fn split(text: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, behind) = match rest.strip_prefix('"') {
            Some(quoted) => {
                // Two quotes inside of quotes are one.
                let mut end = quoted.find('"')?;
                while quoted[end + 1..].starts_with('"') {
                    end += 2 + quoted[end + 2..].find('"')?;
                }
                (quoted[..end].replace("\"\"", "\""), &quoted[end + 1..])
            }
            None => {
                let end = rest.find(|c: char| c == ',' || c.is_ascii_whitespace()).unwrap_or(rest.len());
                let name = catalog::name::fold_identifier(&rest[..end]);
                if name.is_empty() {
                    return None;
                }
                (name, &rest[end..])
            }
        };
        names.push(name);
        rest = match behind.trim_start().strip_prefix(',') {
            Some(next) if !next.trim().is_empty() => next.trim_start(),
            None if behind.trim().is_empty() => "",
            _ => return None,
        };
    }
    Some(names)
}

/// Whether a name is one of a setting of somebody's own: `module.name`.
pub fn is_custom(name: &str) -> bool {
    let starts = |part: &str| part.starts_with(|c: char| c.is_alphabetic() || c == '_' || !c.is_ascii());
    let goes_on = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$') || !c.is_ascii();
    name.contains('.') && name.split('.').all(|part| starts(part) && part.chars().all(goes_on))
}
