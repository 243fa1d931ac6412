//! LIKE: the columns of another relation, and of a table what else it is asked for.
//!
//! Columns come at their place among the others. Conditions and keys come after those that the statement writes itself, as
//! in PostgreSQL: conditions keep their names, keys get new ones.

use std::sync::Arc;

use catalog::comment::{Commented, ObjectClass};
use catalog::constraint::{Check, ConstraintKind, Key};
use catalog::{Column, ColumnDefault, HotTable, Index, Oid, Relation, Sequence, UserTypeKind};
use pg::PgError;
use pg::sqlstate::SqlState;
use sqlparser::ast::Ident;
use sqlparser::tokenizer::Location;

use super::{Definition, WrittenKey};
use crate::error::{Error, Result};
use crate::parse::definition::{KeyKind, LikeClause, LikeOption, SequenceOption};
use crate::parse::position;
use crate::plan::FoundRelation;
use crate::plan::relations::parts;
use crate::plan::types::type_of_result;

/// A table that the definition is to be like.
pub(super) struct LikeTable {
    table: Arc<HotTable>,
    like: LikeClause,
}

/// What LIKE finds.
struct Source {
    oid: Oid,
    columns: Vec<Column>,
    table: Option<Arc<HotTable>>,
}

impl Definition<'_> {
    /// The columns of another relation; its conditions and keys are left until the definition is settled.
    ///
    /// # Errors
    /// It is not there, is a sequence, or has a column whose name is taken.
    pub(super) fn add_like(&mut self, like: &LikeClause) -> Result<()> {
        let source = self.like_source(like)?;
        for (number, column) in (1..).zip(&source.columns) {
            self.check_room(&column.name)?;
            let mut copy = self.next_column(column.name.clone(), column.sql_type.clone())?;
            copy.not_null = column.not_null;
            copy.default = self.like_default(like, column, &copy)?;
            // A view's columns have no numbers but their places.
            let number = if source.table.is_some() { column.attribute_number } else { number };
            let commented = Commented::column(source.oid, number);
            self.like_comment(like, commented, Commented::column(self.table.oid, copy.attribute_number));
            self.table.columns.push(copy);
        }
        if let Some(table) = source.table {
            self.like_options(&table);
            self.likes.push(LikeTable { table, like: like.clone() });
        }
        Ok(())
    }

    fn like_source(&self, like: &LikeClause) -> Result<Source> {
        let parts = parts(&like.relation)?;
        let position = position::character(self.text, like.place);
        let names = self.context.names();
        Ok(match names.relation_named(&parts) {
            Some(Relation::Hot(table)) => {
                Source { oid: table.oid, columns: table.columns.clone(), table: Some(table.clone()) }
            }
            Some(Relation::External(table)) => {
                let columns = table.columns.iter().chain(&table.partition_columns).cloned().collect();
                Source { oid: table.oid, columns, table: None }
            }
            Some(Relation::View(view)) => Source { oid: view.oid, columns: self.view_columns(&parts)?, table: None },
            Some(Relation::Sequence(sequence)) => {
                let message = format!("relation \"{}\" is invalid in LIKE clause", sequence.name.name);
                let error = PgError::new(SqlState::WRONG_OBJECT_TYPE, message);
                let error = error.with_detail("This operation is not supported for sequences.");
                return Err(Error::Sql { error: Box::new(error), position });
            }
            None => match (self.composite_type(&parts), names.missing_schema(&parts)) {
                (Some(source), _) => source,
                (None, Some(schema)) => {
                    let error =
                        PgError::new(SqlState::INVALID_SCHEMA_NAME, format!("schema \"{schema}\" does not exist"));
                    return Err(Error::Sql { error: Box::new(error), position });
                }
                (None, None) => return Err(Error::UndefinedTable { name: parts.join("."), position }),
            },
        })
    }

    fn view_columns(&self, parts: &[String]) -> Result<Vec<Column>> {
        let FoundRelation::View { analyzed, .. } = self.context.find_relation(parts)? else { return Ok(Vec::new()) };
        let column = |(number, column): (i16, &crate::analyze::OutputColumn)| {
            Ok(Column::new(number, column.name.as_str(), type_of_result(&column.name, &column.ty)?))
        };
        (1..).zip(&analyzed.columns).map(column).collect()
    }

    fn composite_type(&self, parts: &[String]) -> Option<Source> {
        let number = self.context.names().type_named(parts)?;
        let ty = self.context.snapshot().user_type_by_oid(Oid(number)).filter(|ty| ty.oid.0 == number)?;
        let UserTypeKind::Composite(fields) = &ty.kind else { return None };
        let columns =
            (1..).zip(fields).map(|(number, field)| Column::new(number, field.name.as_str(), field.sql_type.clone()));
        Some(Source { oid: ty.oid, columns: columns.collect(), table: None })
    }

    /// Where the values of a column come from that is like another.
    fn like_default(&mut self, like: &LikeClause, column: &Column, copy: &Column) -> Result<Option<ColumnDefault>> {
        let including = |option| like.including.contains(&option);
        Ok(match &column.default {
            Some(ColumnDefault::Expression(written)) if including(LikeOption::Defaults) => {
                Some(ColumnDefault::Expression(self.lasting(written.clone())?))
            }
            Some(ColumnDefault::Generated(written)) if including(LikeOption::Generated) => {
                Some(ColumnDefault::Generated(self.lasting(written.clone())?))
            }
            Some(ColumnDefault::Identity { always, sequence }) if including(LikeOption::Identity) => {
                let options = match self.context.snapshot().relation_by_oid(*sequence) {
                    Some(Relation::Sequence(sequence)) => sequence_options(sequence),
                    _ => Vec::new(),
                };
                let sequence = self.column_sequence(copy, &options, true)?;
                Some(ColumnDefault::Identity { always: *always, sequence })
            }
            _ => None,
        })
    }

    fn like_comment(&mut self, like: &LikeClause, source: Commented, copy: Commented) {
        if let (true, Some(text)) =
            (like.including.contains(&LikeOption::Comments), self.context.snapshot().comment(source))
        {
            self.comments.push((copy, text.into()));
        }
    }

    /// Redshift's tables that are like others are sorted and distributed like them.
    fn like_options(&mut self, table: &HotTable) {
        if self.table.sort_key.is_empty() {
            self.table.sort_key = self.like_columns(table, &table.sort_key);
        }
        let said = |table: &HotTable, keyword: &str| table.options.iter().any(|(known, _)| known == keyword);
        let options = table.options.iter().filter(|(keyword, _)| keyword == "ENCODE" || !said(&self.table, keyword));
        let options: Vec<_> = options.cloned().collect();
        self.table.options.extend(options);
    }

    /// The numbers of the columns that are like those with these numbers in another table.
    fn like_columns(&self, table: &HotTable, numbers: &[i16]) -> Vec<i16> {
        let columns = numbers.iter().filter_map(|number| table.column(*number));
        let own = |column: &Column| self.table.columns.iter().find(|own| own.name == column.name);
        columns.filter_map(own).map(|column| column.attribute_number).collect()
    }

    /// Adds the conditions and keys of the tables that this one is like, as far as they were asked for.
    pub(super) fn take_over_constraints(&mut self) -> Result<()> {
        for LikeTable { table, like } in std::mem::take(&mut self.likes) {
            for constraint in &table.constraints {
                match &constraint.kind {
                    ConstraintKind::Check(check) if like.including.contains(&LikeOption::Constraints) => {
                        self.check_constraint_name(&constraint.name)?;
                        let columns = self.like_columns(&table, &check.columns);
                        let check = Check { condition: self.lasting(check.condition.clone())?, columns };
                        let oid = self.push_constraint(constraint.name.clone(), ConstraintKind::Check(check));
                        let commented = |oid| Commented::object(ObjectClass::Constraint, oid);
                        self.like_comment(&like, commented(constraint.oid), commented(oid));
                    }
                    ConstraintKind::Key(key) if like.including.contains(&LikeOption::Indexes) && !key.index_only => {
                        self.keys.push(like_key(&table, key));
                    }
                    _ => {}
                }
            }
            self.check_keys()?;
            self.make_keys()?;
            if like.including.contains(&LikeOption::Indexes) {
                self.take_over_indexes(&table);
            }
        }
        Ok(())
    }

    /// Adds indexes like those that another table has beside its constraints.
    fn take_over_indexes(&mut self, table: &HotTable) {
        for index in table.indexes().filter(|index| index.key.is_none_or(|key| key.index_only)) {
            let columns = self.like_columns(table, index.columns);
            let names: Vec<_> =
                columns.iter().filter_map(|number| self.table.column(*number)).map(|it| it.name.clone()).collect();
            let (name, oid) = (self.index_name(&names), self.new_oid());
            match index.key {
                Some(key) => {
                    let kind = ConstraintKind::Key(Key { index: oid, columns, ..key.clone() });
                    self.push_constraint(name, kind);
                }
                None => {
                    let (order, method) = (index.orders(), index.method);
                    self.table.plain_indexes.push(Index { oid, name, columns, order, method });
                }
            }
        }
    }
}

/// The key over the same columns, which has no name yet.
fn like_key(table: &HotTable, key: &Key) -> WrittenKey {
    let kind = KeyKind { primary: key.primary, nulls_not_distinct: key.nulls_not_distinct };
    let columns = key.columns.iter().filter_map(|number| table.column(*number));
    let columns = columns.map(|column| Ident::with_quote('"', column.name.as_str())).collect();
    WrittenKey { name: None, kind, columns, place: Location::empty() }
}

/// What a sequence has to be told to be like this one.
fn sequence_options(sequence: &Sequence) -> Vec<SequenceOption> {
    vec![
        SequenceOption::Start(sequence.start),
        SequenceOption::Increment(sequence.increment),
        SequenceOption::MinValue(Some(sequence.min)),
        SequenceOption::MaxValue(Some(sequence.max)),
        SequenceOption::Cache(sequence.cache),
        SequenceOption::Cycle(sequence.cycle),
    ]
}
