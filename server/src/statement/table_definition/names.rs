//! Names that were not given (PostgreSQL's `makeObjectName`, `ChooseRelationName`, `ChooseConstraintName`).

use catalog::ObjectName;
use catalog::name::IDENTIFIER_BYTES_MAX;

use super::Definition;

impl Definition<'_> {
    /// A name for a constraint that is no relation: `table_column_label`, with a number if that is taken.
    pub(super) fn constraint_name(&self, columns: Option<&str>, label: &str) -> String {
        self.first_free(columns, label, |name| self.is_constraint(name))
    }

    /// A name for an index or a sequence, which is a relation.
    pub(super) fn relation_name(&self, columns: Option<&str>, label: &str) -> String {
        self.first_free(columns, label, |name| self.is_relation(name) || self.is_constraint(name))
    }

    fn first_free(&self, columns: Option<&str>, label: &str, taken: impl Fn(&str) -> bool) -> String {
        let labels = std::iter::once(label.to_owned()).chain((1..).map(|number| format!("{label}{number}")));
        let mut names = labels.map(|label| object_name(&self.table.name.name, columns, &label));
        names.find(|name| !taken(name)).unwrap_or_default()
    }

    /// Whether a constraint of the schema has the name.
    fn is_constraint(&self, name: &str) -> bool {
        self.context.snapshot().has_constraint(&self.table.name.schema, name) || self.table.constraint(name).is_some()
    }

    /// Whether a relation of the schema has the name, or one that is about to be made.
    pub(super) fn is_relation(&self, name: &str) -> bool {
        let full = ObjectName::new(self.table.name.schema.as_str(), name);
        let snapshot = self.context.snapshot();
        self.table.name.name == name
            || snapshot.relation(&full).is_some()
            || snapshot.table_of_index(&full).is_some()
            || self.table.index(name).is_some()
            || self.sequences.iter().any(|sequence| sequence.name == full)
    }
}

/// `first_second_label`, where the longer of the first two is cut until all of it fits.
fn object_name(first: &str, second: Option<&str>, label: &str) -> String {
    let second = second.unwrap_or_default();
    let between = usize::from(!second.is_empty()) + 1 + label.len();
    let room = IDENTIFIER_BYTES_MAX - between;
    let (mut first_length, mut second_length) = (first.len(), second.len());
    while first_length + second_length > room {
        match first_length > second_length {
            true => first_length -= 1,
            false => second_length -= 1,
        }
    }
    let (first, second) = (cut(first, first_length), cut(second, second_length));
    match second.is_empty() {
        true => format!("{first}_{label}"),
        false => format!("{first}_{second}_{label}"),
    }
}

fn cut(name: &str, mut length: usize) -> &str {
    while !name.is_char_boundary(length) {
        length -= 1;
    }
    &name[..length]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(first: &str, second: Option<&str>, label: &str, expected: &str) {
        assert_eq!(object_name(first, second, label), expected);
    }

    #[test]
    fn long_names_are_cut_as_postgresql_cuts_them() {
        check("t", None, "pkey", "t_pkey");
        check("t", Some("a_b"), "key1", "t_a_b_key1");
        let (a, b) = ("a".repeat(56), "b".repeat(53));
        check(&a, Some(&b), "key", &format!("{}_{}_key", "a".repeat(29), "b".repeat(29)));
        check(&a, Some(&b), "check", &format!("{}_{}_check", "a".repeat(28), "b".repeat(28)));
        check(&a, Some("c"), "fkey", &format!("{a}_c_fkey"));
        check(&"ä".repeat(40), None, "pkey", &format!("{}_pkey", "ä".repeat(29)));
    }
}
