//! Where in a query string something stands: sqlparser counts lines and columns, PostgreSQL counts characters.

use sqlparser::tokenizer::Location;

/// The position of a location, counted in characters from 1, as PostgreSQL reports it; `None` when it is unknown.
pub fn character(text: &str, location: Location) -> Option<usize> {
    let offset = byte_offset(text, location)?;
    Some(text.get(..offset)?.chars().count() + 1)
}

/// The byte at which a location stands; `None` when it is unknown.
pub fn byte_offset(text: &str, location: Location) -> Option<usize> {
    if location.line == 0 {
        return None;
    }
    let line_start = match location.line - 1 {
        0 => 0,
        breaks => text.match_indices('\n').nth(breaks as usize - 1)?.0 + 1,
    };
    let line = text.get(line_start..)?;
    let column = (location.column as usize).saturating_sub(1);
    let within = line.char_indices().nth(column).map(|(offset, _)| offset).unwrap_or(line.len());
    Some(line_start + within)
}

/// Takes ` at Line: 1, Column: 8` off the end of a message of sqlparser.
pub fn split_location(message: &str) -> (String, Option<Location>) {
    let split = message.rsplit_once(" at Line: ").and_then(|(before, place)| {
        let (line, column) = place.split_once(", Column: ")?;
        Some((before, Location { line: line.trim().parse().ok()?, column: column.trim().parse().ok()? }))
    });
    match split {
        Some((before, location)) => (before.to_owned(), Some(location)),
        None => (message.to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_over_lines() {
        let text = "select 1,\n  ähm, x";
        assert_eq!(character(text, Location { line: 1, column: 8 }), Some(8));
        assert_eq!(character(text, Location { line: 2, column: 3 }), Some(13));
        assert_eq!(character(text, Location { line: 2, column: 8 }), Some(18));
        assert_eq!(byte_offset(text, Location { line: 2, column: 8 }), Some(18));
        assert_eq!(character(text, Location { line: 0, column: 0 }), None);
        assert_eq!(character(text, Location { line: 9, column: 1 }), None);
    }

    #[test]
    fn the_location_is_split_off() {
        let (message, location) = split_location("Expected: x, found: y at Line: 3, Column: 14");
        assert_eq!(message, "Expected: x, found: y");
        assert_eq!(location, Some(Location { line: 3, column: 14 }));
        assert_eq!(split_location("plain").1, None);
    }
}
