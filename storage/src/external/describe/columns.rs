//! The columns of several files, by name.

use std::collections::HashMap;

use arrow::datatypes::Fields;
use catalog::{Column, SqlType};

use super::found_type::{FoundType, place};
use super::numbered;
use crate::error::{Error, FilesDisagreement, Result};

/// Columns that a description has: as many as a table can have in PostgreSQL.
pub(in crate::external) const COLUMNS_MAX: usize = 1600;

/// The columns of the files that have been looked at.
#[derive(Default)]
pub(super) struct Columns {
    found: Vec<FoundColumn>,
}

/// A column, and the file that was the first to have it.
struct FoundColumn {
    name: String,
    found: FoundType,
    path: String,
}

impl Columns {
    /// Adds those of a file.
    ///
    /// # Errors
    /// One has a type that no column can have, or another than in the files before.
    pub(super) fn add_fields(&mut self, fields: &Fields, path: &str) -> Result<()> {
        for field in fields {
            let found = FoundType::of_file(field.data_type()).map_err(|unknown| Error::ColumnTypeUnknown {
                column: joined(field.name(), &unknown.path),
                path: path.to_owned(),
                file_type: unknown.file_type,
            })?;
            // Of a file that has two whose names differ in case, each is for itself.
            let is_same = |name: &str| name.to_lowercase() == field.name().to_lowercase();
            let is_alone = fields.iter().filter(|other| is_same(other.name())).count() == 1;
            self.add(field.name(), found, path, is_alone)?;
        }
        Ok(())
    }

    fn add(&mut self, name: &str, found: FoundType, path: &str, in_any_case: bool) -> Result<()> {
        let names = self.found.iter().map(|column| column.name.as_str());
        let known = place(names, name).filter(|known| in_any_case || self.found[*known].name == name);
        let Some(known) = known else {
            if self.found.len() == COLUMNS_MAX {
                let reason = format!("there are more than {COLUMNS_MAX}");
                return Err(Error::ColumnsUnknown { path: path.to_owned(), reason });
            }
            self.found.push(FoundColumn { name: name.to_owned(), found, path: path.to_owned() });
            return Ok(());
        };
        let column = &mut self.found[known];
        let before = std::mem::replace(&mut column.found, FoundType::Unknown);
        column.found = before.merged(found).map_err(|disagreement| {
            Error::FilesDisagree(Box::new(FilesDisagreement {
                column: joined(name, &disagreement.path),
                first_path: column.path.clone(),
                first_type: disagreement.first,
                other_path: path.to_owned(),
                other_type: disagreement.other,
            }))
        })?;
        Ok(())
    }

    /// The columns; their names are folded as SQL's are, unless two would be the same then.
    pub(super) fn finish(self) -> Vec<Column> {
        numbered(folded(self.found.into_iter().map(|column| (column.name, column.found.sql_type())).collect()), 0)
    }
}

/// Columns with their names folded, unless two would be the same then.
pub(super) fn folded(columns: Vec<(String, SqlType)>) -> Vec<(String, SqlType)> {
    let mut spellings: HashMap<String, usize> = HashMap::new();
    for (name, _) in &columns {
        *spellings.entry(name.to_lowercase()).or_default() += 1;
    }
    let named = |(name, sql_type): (String, SqlType)| {
        let folded = name.to_lowercase();
        let is_alone = spellings.get(&folded) == Some(&1);
        (if is_alone { folded } else { name }, sql_type)
    };
    columns.into_iter().map(named).collect()
}

fn joined(name: &str, path: &[String]) -> String {
    std::iter::once(name).chain(path.iter().map(String::as_str)).collect::<Vec<_>>().join(".")
}
