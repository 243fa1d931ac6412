//! What texts in files mean: the values that they are as input of their columns' types, with the settings that a server
//! begins with, whatever those of the session are.

use arrow::array::ArrayRef;
use catalog::Column;
use pg::input::ColumnBuilder;
use storage::external::{ValueBuilder, ValueBuilders, ValueError};

/// Makes [`ColumnBuilder`]s.
#[derive(Debug)]
pub struct FileValues;

struct FileColumn(ColumnBuilder);

impl ValueBuilders for FileValues {
    fn builder(&self, column: &Column, capacity: usize) -> Box<dyn ValueBuilder> {
        Box::new(FileColumn(ColumnBuilder::new(column, capacity)))
    }
}

impl ValueBuilder for FileColumn {
    fn push_text(&mut self, text: &str) -> Result<(), ValueError> {
        Ok(self.0.push_text(text)?)
    }

    fn push_null(&mut self) {
        self.0.push_null();
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn finish(&mut self) -> ArrayRef {
        self.0.finish()
    }
}
