//! What the folders on the way to a file are called in Hive's manner, `year=2024/month=7`, as columns.

use catalog::{Column, SqlType};
use datafusion::scalar::ScalarValue;
use object_store::path::Path;

use super::discovery::{HIVE_NULL, decoded};
use super::partition_values;
use crate::error::{Error, Result};

/// The columns that the folders of all of the files tell of, with the types that all of their values have: `bigint`, `date`
/// or `text`. None when some tell of others, or of none.
pub(super) fn columns<'a>(mut files: impl Iterator<Item = &'a Path>) -> Option<Vec<(String, SqlType)>> {
    let mut columns: Vec<_> = pairs(files.next()?).into_iter().map(|(name, value)| (name, type_of(&value))).collect();
    for file in files {
        let pairs = pairs(file);
        if pairs.len() != columns.len() {
            return None;
        }
        for ((name, known), (other, value)) in columns.iter_mut().zip(pairs) {
            if *name != other {
                return None;
            }
            *known = match (known.take(), type_of(&value)) {
                (Some(known), Some(found)) if known != found => Some(SqlType::Text),
                (known, found) => known.or(found),
            };
        }
    }
    let columns = columns.into_iter().map(|(name, known)| (name, known.unwrap_or(SqlType::Text)));
    Some(columns.collect()).filter(|columns: &Vec<_>| !columns.is_empty())
}

/// The values of columns that were found so.
///
/// # Errors
/// The folders of the file tell of others, or a value is none of its column's type.
pub(super) fn values(file: &Path, url: &str, columns: &[Column]) -> Result<Vec<ScalarValue>> {
    let pairs = pairs(file);
    let value = |column: &Column| {
        let (_, value) = pairs.iter().find(|(name, _)| *name == column.name).ok_or_else(|| {
            let expected = format!("{}=value", column.name);
            Error::FolderMisnamed { folder: url.to_owned(), expected }
        })?;
        partition_values::parse(value.as_deref(), column)
    };
    columns.iter().map(value).collect()
}

/// Names, folded, and values of the folders; of two of one name the last.
fn pairs(file: &Path) -> Vec<(String, Option<String>)> {
    let mut names: Vec<String> = file.parts().map(|name| name.as_ref().to_owned()).collect();
    names.pop();
    let mut pairs: Vec<(String, Option<String>)> = Vec::new();
    for name in &names {
        let Some((key, value)) = name.split_once('=').filter(|(key, value)| !key.is_empty() && !value.is_empty())
        else {
            continue;
        };
        let (key, value) = (decoded(key).to_lowercase(), decoded(value));
        pairs.retain(|(known, _)| *known != key);
        pairs.push((key, (value != HIVE_NULL).then_some(value)));
    }
    pairs
}

/// The type of a value; none for NULL.
fn type_of(value: &Option<String>) -> Option<SqlType> {
    let value = value.as_deref()?;
    let digits = value.strip_prefix('-').unwrap_or(value);
    let is_integer = digits.bytes().all(|byte| byte.is_ascii_digit()) && value.parse::<i64>().is_ok();
    let is_like_date = value.len() == 10 && value.as_bytes()[4] == b'-' && value.as_bytes()[7] == b'-';
    let as_date = || partition_values::parse(Some(value), &Column::new(1, "date", SqlType::Date));
    Some(match () {
        () if is_integer => SqlType::BigInt,
        () if is_like_date && as_date().is_ok() => SqlType::Date,
        () => SqlType::Text,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn check(files: &[&str], expected: Option<&[(&str, SqlType)]>) {
        let paths: Vec<_> = files.iter().map(|file| Path::parse(file).unwrap()).collect();
        let expected =
            expected.map(|it| it.iter().map(|(name, ty)| ((*name).to_owned(), ty.clone())).collect::<Vec<_>>());
        assert_eq!(columns(paths.iter()), expected, "{files:?}");
    }

    #[test]
    fn columns_are_those_that_all_files_have() {
        check(&["t/Year=2024/a", "t/year=2025/x/b"], Some(&[("year", SqlType::BigInt)]));
        check(&["d=2024-01-31/c=007/a", "d=2024-02-28/c=x/a"], Some(&[("d", SqlType::Date), ("c", SqlType::Text)]));
        check(&["d=__HIVE_DEFAULT_PARTITION__/a", "d=1/a"], Some(&[("d", SqlType::BigInt)]));
        check(&["d=2024-02-30/a"], Some(&[("d", SqlType::Text)]));
        check(&["y=1/a", "z=1/a"], None);
        check(&["y=1/a", "a"], None);
        check(&["a=1"], None);
        check(&[], None);
    }

    #[test]
    fn a_file_elsewhere_has_no_values() {
        let year = [Column::new(1, "year", SqlType::BigInt)];
        let values = |file: &str| values(&Path::parse(file).unwrap(), file, &year);
        assert_eq!(values("year=07/a").unwrap(), [ScalarValue::Int64(Some(7))]);
        assert!(matches!(values("a"), Err(Error::FolderMisnamed { .. })));
        assert!(matches!(values("year=x/a"), Err(Error::PartitionValueInvalid { .. })));
    }
}
