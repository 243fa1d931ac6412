//! Partitions found by the names of their folders.
//!
//! Folders are listed level by level, and filters are asked as soon as the columns that they read are known, so that what
//! they exclude is never looked into. Where no filter is left to ask, all that is below a folder is listed at once: one request
//! instead of one for each partition.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use catalog::{Column, PartitionLayout};
use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;
use futures::stream::{self, StreamExt, TryStreamExt};
use object_store::ObjectMeta;
use object_store::path::Path;

use super::partition_values;
use super::provider::{LISTINGS_PARALLEL, Part};
use crate::error::{Error, Result as StorageResult};
use crate::object_stores::listings::{ListingAge, Listings};
use crate::object_stores::{Location, object_url};
use crate::scan::prune_partitions::{is_partition_filter, prune_partitions};

/// What Hive calls a folder whose partition value is NULL.
pub(super) const HIVE_NULL: &str = "__HIVE_DEFAULT_PARTITION__";
/// Objects that are listed at once, which is done page by page. Where there are more, folders are listed side by side.
const OBJECTS_AT_ONCE: usize = if cfg!(test) { 10 } else { 10_000 };
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
    let (mut seen, mut parts) = (0, Vec::new());
    for (depth, level) in levels.iter().enumerate() {
        let levels = &levels[depth..];
        let is_asked = |filter: &Expr| levels.iter().any(|level| level.is_read_by(filter, columns));
        if !filters.iter().any(is_asked) {
            folders = listed_at_once(root, levels, columns, folders, &mut parts).await?;
        }
        let below = below(root, level, columns, folders).await?;
        seen = below.len();
        folders = kept(session, level, columns, filters, below)?;
    }
    seen += parts.len();
    parts.extend(folders.into_iter().map(|folder| folder.part(location, None)));
    Ok(Discovered { parts, seen })
}

/// Lists all that is below folders, and finds the partitions by the paths of objects. Answers the folders that have too much.
async fn listed_at_once(
    root: &Folders<'_>,
    levels: &[Level],
    columns: &[Column],
    folders: Vec<Folder>,
    parts: &mut Vec<Part>,
) -> StorageResult<Vec<Folder>> {
    let location = root.location;
    let listed = stream::iter(folders).map(|folder| async move {
        let objects = root.listings.few_objects(location, &folder.path, OBJECTS_AT_ONCE, &root.age).await?;
        Ok::<_, Error>((folder, objects))
    });
    let mut listed = std::pin::pin!(listed.buffered(LISTINGS_PARALLEL));
    let mut large = Vec::new();
    while let Some((folder, objects)) = listed.try_next().await? {
        match objects {
            Some(objects) => parts.extend(by_folder(location, levels, columns, folder, objects)?),
            None => large.push(folder),
        }
    }
    Ok(large)
}

/// The partitions in a folder, by the paths of what is below it.
fn by_folder(
    location: &Location,
    levels: &[Level],
    columns: &[Column],
    folder: Folder,
    objects: Vec<ObjectMeta>,
) -> StorageResult<Vec<Part>> {
    let mut of_partitions: BTreeMap<Path, Vec<ObjectMeta>> = BTreeMap::new();
    let mut below: BTreeMap<Path, BTreeSet<Path>> = BTreeMap::new();
    for object in objects {
        let Some(names) = object.location.prefix_match(&folder.path) else { continue };
        let names: Vec<_> = names.collect();
        // What lies beside the folders of partitions is of none.
        if names.len() <= levels.len() {
            continue;
        }
        let mut path = folder.path.clone();
        for name in names.into_iter().take(levels.len()) {
            let child = path.clone().join(name);
            below.entry(path).or_default().insert(child.clone());
            path = child;
        }
        of_partitions.entry(path).or_default().push(object);
    }
    let mut found = vec![folder];
    for level in levels {
        let mut folders = Vec::new();
        for folder in found {
            let paths = below.remove(&folder.path).unwrap_or_default().into_iter().collect();
            folders.extend(named(location, level, columns, &folder, paths)?);
        }
        found = folders;
    }
    let part = |folder: Folder| {
        let objects = of_partitions.remove(&folder.path);
        folder.part(location, objects)
    };
    Ok(found.into_iter().map(part).collect())
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

impl Folder {
    /// The partition that it is.
    fn part(mut self, location: &Location, objects: Option<Vec<ObjectMeta>>) -> Part {
        self.values.sort_by_key(|(place, _)| *place);
        let url = format!("{}/", object_url(&location.store_url, &self.path));
        let location = Location { url, path: self.path, ..location.clone() };
        Part { location, values: self.values.into_iter().map(|(_, value)| value).collect(), objects }
    }
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
    let is_new = |filter: &Expr| level.is_read_by(filter, columns);
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

impl Level {
    /// Whether a filter reads one of the columns that folders of the level tell of.
    fn is_read_by(&self, filter: &Expr, columns: &[Column]) -> bool {
        let read = filter.column_refs();
        let is_read =
            |place: &usize| columns.get(*place).is_some_and(|it| read.iter().any(|read| read.name == it.name));
        self.columns.iter().any(is_read)
    }

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
    use crate::object_stores::{ObjectStores, ObjectStoresConfig};

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

    #[tokio::test]
    async fn a_folder_is_listed_at_once_unless_it_has_too_much() {
        let folder = tempfile::TempDir::new().unwrap();
        let few = ["year=2023/month=1/a", "year=2023/month=1/b", "year=2023/month=1-2/c/d", "year=2023/_tmp/month=3/e"];
        let many = (0..=OBJECTS_AT_ONCE).map(|number| format!("year=2024/month=4/{number}"));
        for file in few.map(str::to_owned).into_iter().chain(many).chain(["year=2023/beside".to_owned()]) {
            let path = folder.path().join("t").join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        let external_roots = vec![folder.path().to_owned()];
        let stores = ObjectStores::new(ObjectStoresConfig { external_roots, ..Default::default() }).unwrap();
        let location = stores.resolve(&format!("file://{}/t/", folder.path().display())).unwrap();
        let root = Folders { location: &location, listings: stores.listings(), age: ListingAge::default() };
        let levels = levels(&PartitionLayout::Hive, &columns());
        let start = Folder { path: location.path.clone(), values: Vec::new() };
        let mut parts = Vec::new();
        let large = listed_at_once(&root, &levels, &columns(), vec![start], &mut parts).await.unwrap();
        assert_eq!((large.len(), parts.len()), (1, 0));
        let years = below(&root, &levels[0], &columns(), large).await.unwrap();
        let large = listed_at_once(&root, &levels[1..], &columns(), years, &mut parts).await.unwrap();
        assert_eq!(large.iter().map(|folder| folder.path.filename()).collect::<Vec<_>>(), [Some("year=2024")]);
        let shown = parts.iter().map(|part| {
            let values: Vec<String> = part.values.iter().map(ToString::to_string).collect();
            (part.location.path.filename().unwrap(), values.join(" "), part.objects.as_ref().unwrap().len())
        });
        let expected = [("month=1", "2023 1".to_owned(), 2), ("month=1-2", "2023 1-2".to_owned(), 1)];
        assert_eq!(shown.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_was_written_as_a_code_is_read_back() {
        assert_eq!((decoded("a%3Ab%"), decoded("%zz%41")), ("a:b%".to_owned(), "%zzA".to_owned()));
    }
}
