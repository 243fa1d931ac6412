//! Where rows are: the file and the row group, and their numbers in that.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, UInt64Array};
use arrow::datatypes::{DataType, Field};
use datafusion::physical_expr::expressions::lit;

use super::columns::ScanColumns;
use super::row_group::RowGroup;

/// What the columns are called that tell where a row is. No column of a table can be.
const ADDRESS: [&str; 2] = ["\0group", "\0row"];

/// Whether a column tells where a row is.
pub(crate) fn is_address(column: &Field) -> bool {
    ADDRESS.contains(&column.name().as_str())
}

/// The places of the columns that tell where a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address {
    /// Of the one with its file and row group.
    pub group: usize,
    /// Of the one with its number in that.
    pub row: usize,
}

impl Address {
    /// Adds the columns to those of a scan. What they stand for is told where row groups are read.
    pub fn add_to(columns: &mut ScanColumns) -> Self {
        let group = columns.add(ADDRESS.map(|name| (Field::new(name, DataType::UInt64, false), lit(0_u64))));
        Address { group, row: group + 1 }
    }

    /// A file and a row group of it, as one number.
    pub fn number(file: usize, group: usize) -> u64 {
        (file as u64) << 32 | group as u64
    }

    /// The file and the row group.
    pub fn place(number: u64) -> (usize, usize) {
        ((number >> 32) as usize, (number & u64::from(u32::MAX)) as usize)
    }
}

/// Which rows of the row group those are that are read.
#[derive(Debug, Clone, Default)]
pub(super) struct RowNumbers {
    /// The numbers of those that are selected, if not all are.
    pub selected: Option<Arc<[u64]>>,
    /// How many come before these.
    pub before: usize,
}

impl RowNumbers {
    fn of(&self, row: usize) -> u64 {
        let row = self.before + row;
        self.selected.as_ref().and_then(|numbers| numbers.get(row).copied()).unwrap_or(row as u64)
    }
}

impl RowGroup {
    /// Notes which rows are read, where their addresses are wanted.
    pub fn number_rows(&mut self) {
        let Some(selection) = self.selection.as_ref().filter(|_| self.scanned.address.is_some()) else { return };
        let (mut numbers, mut next) = (Vec::with_capacity(self.rows), 0);
        for selector in selection.iter() {
            let end = next + selector.row_count as u64;
            if !selector.skip {
                numbers.extend(next..end);
            }
            next = end;
        }
        self.numbers.selected = Some(numbers.into());
    }

    /// The addresses of rows of a range, if that is what a column is.
    pub fn addresses(&self, column: usize, range: &Range<usize>, left: Option<&BooleanArray>) -> Option<ArrayRef> {
        let address = self.scanned.address?;
        let numbers = if column == address.group {
            let count = left.map_or(range.len(), BooleanArray::true_count);
            UInt64Array::from_value(Address::number(self.open.place, self.group), count)
        } else if column == address.row {
            let number = |row: usize| self.numbers.of(range.start + row);
            match left {
                Some(left) => left.values().set_indices().map(number).collect::<Vec<_>>().into(),
                None => (0..range.len()).map(number).collect::<Vec<_>>().into(),
            }
        } else {
            return None;
        };
        Some(Arc::new(numbers))
    }
}
