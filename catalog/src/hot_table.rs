//! Hot tables: local, durable, transactional.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use serde::{Deserialize, Serialize};

use crate::constraint::{Constraint, ConstraintKind, Key};
use crate::index::{Index, ShownIndex};
use crate::missing_value::MissingValue;
use crate::name::{ObjectName, Oid};
use crate::types::SqlType;
use crate::user_type::WrittenExpression;

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its number (`attnum`), from 1, never used again in this table. Stored data refers to columns by it, so that a
    /// dropped column's values cannot come back under a new column of the same name.
    pub attribute_number: i16,
    /// Its name.
    pub name: String,
    /// Its declared type.
    pub sql_type: SqlType,
    /// Whether NULL is refused.
    pub not_null: bool,
    /// Where its values come from when a statement gives none; NULL otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<ColumnDefault>,
    /// The value that rows have which were stored before the column was added; NULL otherwise. Whoever reads rows must ask
    /// for it where a unit has no such column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<MissingValue>,
}

/// Where the values of a column come from when a statement gives none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ColumnDefault {
    /// `DEFAULT expression`
    Expression(WrittenExpression),
    /// `GENERATED { ALWAYS | BY DEFAULT } AS IDENTITY`
    Identity {
        /// Whether a value that a statement gives is refused.
        always: bool,
        /// The sequence that the values are taken from.
        sequence: Oid,
    },
    /// `GENERATED ALWAYS AS (expression) STORED`, over the other columns
    Generated(WrittenExpression),
}

impl Column {
    /// A column without a default.
    pub fn new(attribute_number: i16, name: impl Into<String>, sql_type: SqlType) -> Self {
        Column { attribute_number, name: name.into(), sql_type, not_null: false, default: None, missing: None }
    }

    /// The name of the column in stored data.
    pub fn stored_name(&self) -> String {
        format!("c{}", self.attribute_number)
    }
}

/// The definition of a hot table. Its rows are in the snapshot beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HotTable {
    /// Its number.
    pub oid: Oid,
    /// Its name.
    pub name: ObjectName,
    /// Its columns, in the order of `SELECT *`.
    pub columns: Vec<Column>,
    /// What is to be done with its rows, beside keeping them: `(keyword, value)`. Columns in it are called as in stored data,
    /// so that they may be renamed.
    pub options: Vec<(String, String)>,
    /// `SORTKEY`: the numbers of the columns by which its rows are to be sorted, in their order.
    #[serde(default)]
    pub sort_key: Vec<i16>,
    /// Its constraints, in the order in which they were made.
    #[serde(default)]
    pub constraints: Vec<Constraint>,
    /// Its indexes that keep no key, in the order in which they were made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plain_indexes: Vec<Index>,
    /// The highest number that a column has ever had: a number is never used again.
    #[serde(default)]
    pub last_attribute_number: i16,
    /// `ON COMMIT`, of a temporary table, which is never stored.
    #[serde(skip)]
    pub on_commit: OnCommit,
}

/// What becomes of a temporary table at the end of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnCommit {
    /// `PRESERVE ROWS`
    #[default]
    PreserveRows,
    /// `DELETE ROWS`
    DeleteRows,
    /// `DROP`
    Drop,
}

impl HotTable {
    /// A table that has nothing but columns.
    pub fn new(oid: Oid, name: ObjectName, columns: Vec<Column>) -> Self {
        let last_attribute_number = columns.iter().map(|column| column.attribute_number).max().unwrap_or(0);
        HotTable {
            oid,
            name,
            columns,
            options: Vec::new(),
            sort_key: Vec::new(),
            constraints: Vec::new(),
            plain_indexes: Vec::new(),
            last_attribute_number,
            on_commit: OnCommit::PreserveRows,
        }
    }

    /// The column with this number.
    pub fn column(&self, attribute_number: i16) -> Option<&Column> {
        self.columns.iter().find(|column| column.attribute_number == attribute_number)
    }

    /// The constraint of this name, or the key of an index of this name.
    pub fn constraint(&self, name: &str) -> Option<&Constraint> {
        self.constraints.iter().find(|constraint| constraint.name == name)
    }

    /// The constraint of this name, which is no index that was made by itself.
    pub fn declared_constraint(&self, name: &str) -> Option<&Constraint> {
        self.constraint(name).filter(|constraint| !constraint.is_index_only())
    }

    /// Its indexes: those of its keys, then the others.
    pub fn indexes(&self) -> impl Iterator<Item = ShownIndex<'_>> {
        let keys = self.keys().map(|(constraint, key)| ShownIndex::of_key(constraint, key));
        keys.chain(self.plain_indexes.iter().map(ShownIndex::plain))
    }

    /// The index of this name.
    pub fn index(&self, name: &str) -> Option<ShownIndex<'_>> {
        self.indexes().find(|index| index.name == name)
    }

    /// The constraints that a column is in.
    pub fn constraints_over(&self, attribute_number: i16) -> impl Iterator<Item = &Constraint> {
        let is_over = move |constraint: &&Constraint| match &constraint.kind {
            ConstraintKind::Check(check) => check.columns.contains(&attribute_number),
            ConstraintKind::Key(key) => key.columns.contains(&attribute_number),
            ConstraintKind::ForeignKey(foreign) => {
                let refers_to_itself = foreign.referenced == self.oid;
                foreign.columns.contains(&attribute_number)
                    || refers_to_itself && foreign.referenced_columns.contains(&attribute_number)
            }
        };
        self.constraints.iter().filter(is_over)
    }

    /// The table without a column, the constraints and indexes that it is in, and its place in the sort key.
    #[must_use]
    pub fn without_column(&self, attribute_number: i16) -> HotTable {
        let over: Vec<_> = self.constraints_over(attribute_number).map(|constraint| constraint.oid).collect();
        let mut rest = self.clone();
        rest.columns.retain(|column| column.attribute_number != attribute_number);
        rest.constraints.retain(|constraint| !over.contains(&constraint.oid));
        rest.plain_indexes.retain(|index| !index.columns.contains(&attribute_number));
        rest.sort_key.retain(|number| *number != attribute_number);
        rest
    }

    /// Its primary key and unique constraints.
    pub fn keys(&self) -> impl Iterator<Item = (&Constraint, &Key)> {
        self.constraints.iter().filter_map(|constraint| match &constraint.kind {
            ConstraintKind::Key(key) => Some((constraint, key)),
            _ => None,
        })
    }

    /// The objects that its defaults and conditions refer to by number, with the column that has the default.
    pub fn referred(&self) -> impl Iterator<Item = (&Column, Oid)> {
        self.columns.iter().flat_map(|column| {
            let expression = match &column.default {
                Some(ColumnDefault::Expression(expression) | ColumnDefault::Generated(expression)) => Some(expression),
                Some(ColumnDefault::Identity { .. }) | None => None,
            };
            expression.into_iter().flat_map(move |it| it.refers_to.iter().map(move |oid| (column, *oid)))
        })
    }

    /// The Arrow schema of a scan.
    pub fn arrow_schema(&self) -> SchemaRef {
        arrow_schema(&self.columns)
    }
}

/// The Arrow schema of rows with these columns, in flight.
pub fn arrow_schema(columns: &[Column]) -> SchemaRef {
    let fields: Vec<_> = columns.iter().map(|column| column.sql_type.field(&column.name, !column.not_null)).collect();
    Arc::new(arrow::datatypes::Schema::new(fields))
}
