//! Partitions found by the names of their folders.
//!
//! Folders are listed level by level, and filters are asked as soon as the columns that they read are known, so that what
//! they exclude is never looked into.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use catalog::{Column, PartitionLayout};
use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;
use futures::stream::{self, StreamExt, TryStreamExt};
use object_store::path::Path;

use super::partition_values;
use super::provider::{LISTINGS_PARALLEL, Part};
use crate::error::{Error, Result as StorageResult};
use crate::object_stores::listings::{ListingAge, Listings};
use crate::object_stores::{Location, object_url};
use crate::scan::prune_partitions::{is_partition_filter, prune_partitions};

/// What Hive calls a folder whose partition value is NULL.
pub(super) const HIVE_NULL: &str = "__HIVE_DEFAULT_PARTITION__";
/// Folders that one statement looks at for one table.
const FOLDERS_MAX: usize = 1_000_000;

/// Where the folders of partitions are looked for.
pub(super) struct Folders<'a> {
    /// The table's location.
    pub(super) location: &'a Location,
    /// What was below locations a moment ago.
    pub(super) listings: &'a Listings,
    /// How old that may be.
    pub(super) age: ListingAge,
}

/// The partitions of a table that have been looked at.
pub(super) struct Discovered {
    /// Those that the filters let through.
    pub(super) parts: Vec<Part>,
    /// How many there were where the filters let one look.
    pub(super) seen: usize,
}

/// How the folders of one level are called.
struct Level {
    /// What stands before, between and behind the values.
    texts: Vec<String>,
    /// The places of the columns whose values stand between those.
    columns: Vec<usize>,
}

/// A folder, and the values that its name and those above it have told; not in the columns' order.
struct Folder {
    path: Path,
    values: Vec<(usize, ScalarValue)>,
}

/// Looks for partitions below a location.
///
/// # Errors
/// A folder cannot be listed, or folders are not called as they should be.
pub(super) async fn discover(
    session: &dyn Session,
    root: &Folders<'_>,
    layout: &PartitionLayout,
    columns: &[Column],
    filters: &[Expr],
) -> Result<Discovered> {
    let (levels, location) = (levels(layout, columns), root.location);
    let mut folders = vec![Folder { path: location.path.clone(), values: Vec::new() }];
    let mut seen = 0;
    for level in &levels {
        let below = below(root, level, columns, folders).await?;
        seen = below.len();
        folders = kept(session, level, columns, filters, below)?;
    }
    let parts = folders.into_iter().map(|mut folder| {
        folder.values.sort_by_key(|(place, _)| *place);
        let url = format!("{}/", object_url(&location.store_url, &folder.path));
        let location = Location { url, path: folder.path, ..location.clone() };
        Part { location, values: folder.values.into_iter().map(|(_, value)| value).collect() }
    });
    Ok(Discovered { parts: parts.collect(), seen })
}

/// The names of the folders in each other that a partition's files go into: as the layout says, or as Hive has it where
/// there is none.
///
/// # Errors
/// A value that would not be read back from the name.
pub(super) fn folder_names(
    layout: Option<&PartitionLayout>,
    columns: &[Column],
    values: &[Option<String>],
) -> StorageResult<Vec<String>> {
    let levels = levels(layout.unwrap_or(&PartitionLayout::Hive), columns);
    let name = |level: &Level| {
        let texts = level.columns.iter().map(|place| match values.get(*place) {
            Some(Some(text)) => encoded(text),
            _ => HIVE_NULL.to_owned(),
        });
        let texts: Vec<String> = texts.collect();
        let mut name = level.texts.first().cloned().unwrap_or_default();
        for (value, text) in texts.iter().zip(level.texts.iter().skip(1)) {
            name.push_str(value);
            name.push_str(text);
        }
        let is_null = |place: &usize| values.get(*place).is_none_or(Option::is_none);
        let is_mistaken = |place: &usize, text: &String| text == HIVE_NULL && !is_null(place);
        let reads_back = level.values(&name).is_some_and(|read| read.into_iter().eq(texts.iter()));
        match level
            .columns
            .iter()
            .zip(&texts)
            .find(|(place, text)| is_mistaken(place, text) || !reads_back || name.starts_with(['_', '.']))
        {
            Some((place, _)) if columns.get(*place).is_some() => {
                let text = values.get(*place).and_then(Option::as_deref).unwrap_or("NULL");
                Err(partition_values::invalid(text, &columns[*place]))
            }
            _ => Ok(name),
        }
    };
    levels.iter().map(name).collect()
}

/// A value as a part of a name: what Hive writes as a code (`FileUtils.escapePathName`), and Spark too.
fn encoded(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '"'
            | '#'
            | '%'
            | '\''
            | '*'
            | '/'
            | ':'
            | '='
            | '?'
            | '\\'
            | '{'
            | '['
            | ']'
            | '^'
            | '\0'..='\x1f'
            | '\x7f' => {
                encoded.push_str(&format!("%{:02X}", u32::from(character)));
            }
            other => encoded.push(other),
        }
    }
    encoded
}

fn levels(layout: &PartitionLayout, columns: &[Column]) -> Vec<Level> {
    match layout {
        PartitionLayout::Hive => {
            let level = |(place, column): (usize, &Column)| Level {
                texts: vec![format!("{}=", column.name), String::new()],
                columns: vec![place],
            };
            columns.iter().enumerate().map(level).collect()
        }
        PartitionLayout::Template(template) => template.split('/').map(|name| level(name, columns)).collect(),
    }
}

/// A level of a template: `year=${year}`.
fn level(name: &str, columns: &[Column]) -> Level {
    let mut parts = name.split("${");
    let mut level = Level { texts: vec![parts.next().unwrap_or_default().to_owned()], columns: Vec::new() };
    for part in parts {
        let (column, text) = part.split_once('}').unwrap_or((part, ""));
        let place = columns.iter().position(|known| known.name.eq_ignore_ascii_case(column));
        level.columns.push(place.unwrap_or(usize::MAX));
        level.texts.push(text.to_owned());
    }
    level
}

/// The folders right below some, with what their names tell.
async fn below(
    root: &Folders<'_>,
    level: &Level,
    columns: &[Column],
    folders: Vec<Folder>,
) -> StorageResult<Vec<Folder>> {
    let location = root.location;
    let listed = stream::iter(folders).map(|folder| async move {
        let listed = root.listings.folders(location, &folder.path, &root.age).await?;
        named(location, level, columns, &folder, listed)
    });
    let mut listed = std::pin::pin!(listed.buffered(LISTINGS_PARALLEL));
    let mut found = Vec::new();
    while let Some(folders) = listed.try_next().await? {
        found.extend(folders);
        if found.len() > FOLDERS_MAX {
            return Err(Error::TooManyFiles { location: location.url.clone(), files_max: FOLDERS_MAX });
        }
    }
    Ok(found)
}

/// Those of the folders in one that are called as the level says. Where none is, though there are some, the table has not
/// been described as it is.
fn named(
    location: &Location,
    level: &Level,
    columns: &[Column],
    above: &Folder,
    paths: Vec<Path>,
) -> StorageResult<Vec<Folder>> {
    let mut found = Vec::new();
    let mut other = None;
    for path in paths {
        let name = path.filename().unwrap_or_default().to_owned();
        if name.starts_with(['_', '.']) {
            continue;
        }
        let Some(texts) = level.values(&name) else {
            other.get_or_insert(path);
            continue;
        };
        let mut values = above.values.clone();
        for (place, text) in level.columns.iter().zip(texts) {
            let Some(column) = columns.get(*place) else { continue };
            let text = decoded(text);
            let text = (text != HIVE_NULL).then_some(text.as_str());
            values.push((*place, partition_values::parse(text, column)?));
        }
        found.push(Folder { path, values });
    }
    match other {
        Some(path) if found.is_empty() => {
            let folder = object_url(&location.store_url, &path);
            Err(Error::FolderMisnamed { folder, expected: level.shown(columns) })
        }
        _ => Ok(found),
    }
}

/// The folders that the filters let through which read nothing but what is known by now, and something of this level.
fn kept(
    session: &dyn Session,
    level: &Level,
    columns: &[Column],
    filters: &[Expr],
    mut folders: Vec<Folder>,
) -> Result<Vec<Folder>> {
    let Some(first) = folders.first() else { return Ok(folders) };
    let places: Vec<usize> = first.values.iter().map(|(place, _)| *place).collect();
    let field = |place: &usize| columns[*place].sql_type.field(&columns[*place].name, true);
    let known: SchemaRef = Arc::new(Schema::new(places.iter().map(field).collect::<Vec<_>>()));
    let is_new = |filter: &Expr| {
        let is_of_level = |place: &usize| columns.get(*place).is_some_and(|column| reads(filter, &column.name));
        level.columns.iter().any(is_of_level)
    };
    let ready: Vec<Expr> = filters.iter().filter(|it| is_partition_filter(it, &known) && is_new(it)).cloned().collect();
    if ready.is_empty() {
        return Ok(folders);
    }
    let values: Vec<Vec<ScalarValue>> =
        folders.iter().map(|folder| folder.values.iter().map(|(_, value)| value.clone()).collect()).collect();
    let kept = prune_partitions(session, &known, &values, &ready)?;
    let mut place = 0;
    folders.retain(|_| {
        place += 1;
        kept.binary_search(&(place - 1)).is_ok()
    });
    Ok(folders)
}

fn reads(filter: &Expr, column: &str) -> bool {
    filter.column_refs().iter().any(|read| read.name == column)
}

impl Level {
    /// The texts of the columns' values in a folder's name, if it is called so.
    fn values<'a>(&self, name: &'a str) -> Option<Vec<&'a str>> {
        let mut rest = without_prefix(name, self.texts.first()?)?;
        let mut values = Vec::with_capacity(self.columns.len());
        let last = self.texts.len() - 1;
        for (number, text) in self.texts.iter().enumerate().skip(1) {
            let end = match (number == last, text.is_empty()) {
                (true, true) => rest.len(),
                (true, false) => rest.len().checked_sub(text.len()).filter(|end| rest.is_char_boundary(*end))?,
                (false, _) => rest.find(text.as_str())?,
            };
            values.push(&rest[..end]);
            rest = without_prefix(&rest[end..], text)?;
        }
        (rest.is_empty() && values.iter().all(|value| !value.is_empty())).then_some(values)
    }

    fn shown(&self, columns: &[Column]) -> String {
        let mut shown = self.texts.first().cloned().unwrap_or_default();
        for (place, text) in self.columns.iter().zip(self.texts.iter().skip(1)) {
            let name = columns.get(*place).map_or("", |column| column.name.as_str());
            shown.push_str(&format!("${{{name}}}{text}"));
        }
        shown
    }
}

/// What follows a text, in whatever case that is.
fn without_prefix<'a>(name: &'a str, text: &str) -> Option<&'a str> {
    let head = name.get(..text.len())?;
    head.eq_ignore_ascii_case(text).then(|| &name[text.len()..])
}

/// A name in which Hive and Spark have written some characters as `%3A`.
pub(super) fn decoded(name: &str) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((byte, behind)) = rest.split_first() {
        let digits = behind.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = digits.filter(|_| *byte == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(code.unwrap_or(*byte));
        rest = if code.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| name.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use catalog::SqlType;

    use super::*;

    fn columns() -> Vec<Column> {
        let column = |number, name: &str| Column::new(number, name.to_owned(), SqlType::Text);
        vec![column(1, "year"), column(2, "month")]
    }

    #[test]
    fn names_tell_values_where_they_fit() {
        let hive = levels(&PartitionLayout::Hive, &columns());
        assert_eq!(hive[1].values("MONTH=07"), Some(vec!["07"]));
        assert_eq!(hive[1].values("month="), None);
        assert_eq!(hive[1].values("year=07"), None);
        let both = levels(&PartitionLayout::Template("day/${year}-${month}_x".to_owned()), &columns());
        assert_eq!((both[0].values("day"), both[0].values("days")), (Some(vec![]), None));
        assert_eq!(both[1].values("2024-07_x"), Some(vec!["2024", "07"]));
        assert_eq!((both[1].values("2024-07"), both[1].values("2024_x")), (None, None));
        assert_eq!(both[1].shown(&columns()), "${year}-${month}_x");
    }

    #[test]
    fn what_was_written_as_a_code_is_read_back() {
        assert_eq!((decoded("a%3Ab%"), decoded("%zz%41")), ("a:b%".to_owned(), "%zzA".to_owned()));
    }
}
