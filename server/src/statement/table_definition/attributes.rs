//! What Redshift lets one say about a table: how its rows are sorted and distributed.

use catalog::HotTable;

use crate::error::{Error, Result};
use crate::parse::definition::TableAttributes;
use crate::plan::relations::identifier;

/// `SORTKEY`, `DISTKEY` and the like, for a table that has its columns.
///
/// # Errors
/// 42703 for a column that is not there, 42701 for one that is named twice, 42601 for a second key.
pub fn add_attributes(table: &mut HotTable, attributes: &TableAttributes) -> Result<()> {
    if !attributes.sort_key.is_empty() && !table.sort_key.is_empty() {
        let message = "multiple SORTKEYs are not allowed".to_owned();
        return Err(Error::Syntax { message, detail: None, position: None });
    }
    table.options.extend(attributes.options.iter().cloned());
    if let Some(column) = &attributes.dist_key {
        add_dist_key(table, identifier(column))?;
    }
    for name in attributes.sort_key.iter().map(identifier) {
        let column = table.columns.iter().find(|column| column.name == name);
        let column = column.map(|column| column.attribute_number).ok_or_else(|| no_column(table, &name))?;
        if table.sort_key.contains(&column) {
            return Err(Error::DuplicateColumn { column: name });
        }
        table.sort_key.push(column);
    }
    Ok(())
}

/// `DISTKEY`
pub(super) fn add_dist_key(table: &mut HotTable, column: String) -> Result<()> {
    const DISTKEY: &str = "DISTKEY";
    if !table.columns.iter().any(|known| known.name == column) {
        return Err(no_column(table, &column));
    }
    if table.options.iter().any(|(keyword, _)| keyword == DISTKEY) {
        let message = "multiple DISTKEYs are not allowed".to_owned();
        return Err(Error::Syntax { message, detail: None, position: None });
    }
    table.options.push((DISTKEY.to_owned(), column));
    Ok(())
}

fn no_column(table: &HotTable, column: &str) -> Error {
    Error::UndefinedColumn { column: column.to_owned(), relation: table.name.name.clone() }
}
