//! The fields of a line: words between spaces, with commas between those that belong to one field.

use std::borrow::Cow;

/// A word; one in quotes is a name, whatever it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    text: String,
    quoted: bool,
}

/// The words of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field(pub Vec<Word>);

/// The fields of a line that have not been taken.
pub struct Fields(std::vec::IntoIter<Field>);

/// The lines of a file, each with the number of its first one: a backslash at the end goes on in the next.
pub fn lines(text: &str) -> impl Iterator<Item = (usize, Cow<'_, str>)> {
    let mut lines = text.lines().enumerate();
    std::iter::from_fn(move || {
        let (number, line) = lines.next()?;
        let mut whole = Cow::Borrowed(line);
        while let Some(begin) = whole.strip_suffix('\\') {
            let next = lines.next().map_or("", |(_, line)| line);
            whole = Cow::Owned(format!("{begin}{next}"));
        }
        Some((number + 1, whole))
    })
}

impl Word {
    /// What it says, if it may be a keyword.
    pub fn keyword(&self) -> Option<&str> {
        (!self.quoted).then_some(self.text.as_str())
    }

    /// The name that it is.
    ///
    /// # Errors
    /// It names files or patterns.
    pub fn name(&self) -> Result<&str, String> {
        match self.keyword().and_then(|text| text.chars().next()) {
            Some('@') => Err(format!("a file of names, \"{}\", is not supported", self.text)),
            Some('/') => Err(format!("a regular expression, \"{}\", is not supported", self.text)),
            _ => Ok(&self.text),
        }
    }
}

impl Field {
    /// Whether one of its words is this one, not in quotes.
    pub fn has_keyword(&self, keyword: &str) -> bool {
        self.0.iter().any(|word| word.keyword() == Some(keyword))
    }

    /// Its only word.
    ///
    /// # Errors
    /// There are several.
    pub fn single(&self, what: &str) -> Result<&str, String> {
        match self.0.as_slice() {
            [word] => Ok(&word.text),
            _ => Err(format!("multiple values specified for {what}")),
        }
    }
}

impl Fields {
    /// The fields of a line, up to its comment.
    ///
    /// # Errors
    /// Quotes that do not end.
    pub fn read(line: &str) -> Result<Self, String> {
        let mut fields: Vec<Field> = Vec::new();
        let mut characters = line.chars().peekable();
        // Whether a comma says that the next word belongs to the same field.
        let mut goes_on = false;
        loop {
            while characters.next_if(|it| it.is_whitespace()).is_some() {}
            match characters.peek() {
                None | Some('#') => return Ok(Fields(fields.into_iter())),
                Some(',') => {
                    characters.next();
                    goes_on = true;
                    continue;
                }
                Some(_) => {}
            }
            let word = word(&mut characters)?;
            match fields.last_mut() {
                Some(field) if goes_on => field.0.push(word),
                _ => fields.push(Field(vec![word])),
            }
            goes_on = false;
        }
    }

    /// The next field, or that it is missing.
    ///
    /// # Errors
    /// There is none.
    pub fn must(&mut self, what: &str) -> Result<Field, String> {
        self.next().ok_or_else(|| format!("end-of-line before {what}"))
    }
}

impl Iterator for Fields {
    type Item = Field;

    fn next(&mut self) -> Option<Field> {
        self.0.next()
    }
}

fn word(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Word, String> {
    let (mut text, mut inside) = (String::new(), false);
    let quoted = characters.peek() == Some(&'"');
    while let Some(character) = characters.next_if(|it| inside || !(it.is_whitespace() || matches!(it, ',' | '#'))) {
        match character {
            // Two quotes inside of quotes are one.
            '"' if inside && characters.next_if_eq(&'"').is_some() => text.push('"'),
            '"' => inside = !inside,
            other => text.push(other),
        }
    }
    match inside {
        true => Err("quotes that do not end".to_owned()),
        false => Ok(Word { text, quoted }),
    }
}
