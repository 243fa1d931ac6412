//! The definition of a hot table, from what CREATE TABLE says of its columns and constraints.
//!
//! In PostgreSQL's order: the columns, then what they are said to be, then keys, defaults and conditions, then foreign keys. A
//! name that was not given is made of those of the table and the columns.

mod attributes;
mod columns;
mod foreign_keys;
mod keys;
mod like;
pub mod names;

pub use attributes::add_attributes;
pub use keys::{check_index_type, check_key_type};
use like::LikeTable;

use std::sync::Arc;

use catalog::comment::Commented;
use catalog::constraint::{Check, Constraint, ConstraintKind};
use catalog::name::TEMPORARY_SCHEMA_PREFIX;
use catalog::user_type::WrittenExpression;
use catalog::{CatalogChange, Column, ColumnDefault, HotTable, ObjectName, Oid, Relation, Sequence};
use pg::PgError;
use pg::sqlstate::SqlState;
use sqlparser::ast;
use sqlparser::tokenizer::Location;

use crate::analyze::Analyzer;
use crate::analyze::kept::{KeptAs, row_namespace, with_numbers};
use crate::error::{Error, Result};
use crate::parse::definition::{
    CreateTable, Expression, KeyKind, Reference, TableConstraint, TableConstraintKind, TableElement,
};
use crate::parse::position;
use crate::plan::PlanContext;
use crate::plan::relations::identifier;
use crate::server::Server;

/// A table whose definition grows.
pub struct Definition<'a> {
    context: &'a PlanContext,
    server: &'a Server,
    /// The text of the statement, for the places of errors.
    text: &'a str,
    /// The table as far as it is known.
    pub table: HotTable,
    /// The sequences of its columns.
    pub sequences: Vec<Sequence>,
    checks: Vec<WrittenCheck>,
    keys: Vec<WrittenKey>,
    foreign_keys: Vec<WrittenForeignKey>,
    /// Tables whose conditions and keys are taken over.
    likes: Vec<LikeTable>,
    /// What is said about the table's parts.
    comments: Vec<(Commented, Arc<str>)>,
}

/// A condition as it was written.
struct WrittenCheck {
    name: Option<ast::Ident>,
    condition: Expression,
}

/// A key as it was written.
struct WrittenKey {
    name: Option<ast::Ident>,
    kind: KeyKind,
    columns: Vec<ast::Ident>,
    place: Location,
}

/// A foreign key as it was written.
struct WrittenForeignKey {
    name: Option<ast::Ident>,
    columns: Vec<ast::Ident>,
    reference: Reference,
}

impl<'a> Definition<'a> {
    /// A table that is to be changed; one without columns when it is to be made.
    pub fn new(context: &'a PlanContext, server: &'a Server, text: &'a str, table: HotTable) -> Self {
        Definition {
            context,
            server,
            text,
            table,
            sequences: Vec::new(),
            checks: Vec::new(),
            keys: Vec::new(),
            foreign_keys: Vec::new(),
            likes: Vec::new(),
            comments: Vec::new(),
        }
    }

    /// What CREATE TABLE says.
    ///
    /// # Errors
    /// Whatever is wrong with it.
    pub fn create(&mut self, create: &CreateTable) -> Result<()> {
        for element in &create.elements {
            match element {
                TableElement::Column(column) => self.add_column(column)?,
                TableElement::Like(like) => self.add_like(like)?,
            }
        }
        for constraint in &create.constraints {
            self.add_constraint(constraint);
        }
        add_attributes(&mut self.table, &create.attributes)?;
        self.settle()
    }

    /// A constraint that stands among the columns; it takes effect when the definition is settled.
    pub fn add_constraint(&mut self, constraint: &TableConstraint) {
        let (name, place) = (constraint.name.clone(), constraint.place);
        match &constraint.kind {
            TableConstraintKind::Check(condition) => {
                self.checks.push(WrittenCheck { name, condition: condition.clone() });
            }
            TableConstraintKind::Key(kind, columns) => {
                self.keys.push(WrittenKey { name, kind: *kind, columns: columns.clone(), place });
            }
            TableConstraintKind::ForeignKey(columns, reference) => {
                let (columns, reference) = (columns.clone(), reference.clone());
                self.foreign_keys.push(WrittenForeignKey { name, columns, reference });
            }
        }
    }

    /// Reads the conditions, makes the keys and looks at what foreign keys refer to.
    ///
    /// # Errors
    /// Whatever is wrong with them.
    pub fn settle(&mut self) -> Result<()> {
        self.check_keys()?;
        self.check_generated()?;
        self.make_checks()?;
        self.make_keys()?;
        self.take_over_constraints()?;
        self.make_foreign_keys()
    }

    /// What makes the sequences of a table, and the table.
    pub fn into_changes(self) -> Vec<CatalogChange> {
        let sequences = self.sequences.into_iter().map(CatalogChange::CreateSequence);
        let comments = self.comments.into_iter();
        let comments = comments.map(|(commented, text)| CatalogChange::SetComment { commented, text: Some(text) });
        sequences.chain([CatalogChange::CreateHotTable(self.table)]).chain(comments).collect()
    }

    /// A name for an index over these columns that keeps no constraint.
    pub fn index_name(&self, columns: &[String]) -> String {
        self.relation_name(Some(&columns.join("_")), "idx")
    }

    /// A number that nothing has.
    pub fn new_oid(&self) -> Oid {
        self.server.catalog.allocate_oid()
    }

    /// An expression that is kept under the search path of the statement.
    fn written(&self, text: String) -> Result<WrittenExpression> {
        let (text, refers_to) = with_numbers(text)?;
        let search_path = self.context.kept_path(self.table.name.is_temporary());
        self.lasting(WrittenExpression { text, search_path, refers_to })
    }

    /// An expression that depends on nothing that the table outlives.
    fn lasting(&self, mut written: WrittenExpression) -> Result<WrittenExpression> {
        if self.table.name.is_temporary() {
            return Ok(written);
        }
        let relations = written.refers_to.iter().filter_map(|oid| self.context.snapshot().relation_by_oid(*oid));
        if relations.map(Relation::name).any(ObjectName::is_temporary) {
            return Err(Error::not_supported("a permanent table that uses a temporary sequence"));
        }
        written.search_path.retain(|schema| !schema.starts_with(TEMPORARY_SCHEMA_PREFIX));
        Ok(written)
    }

    fn make_checks(&mut self) -> Result<()> {
        for check in std::mem::take(&mut self.checks) {
            let mut analyzer = Analyzer::new(self.context, self.text, Vec::new());
            let value = analyzer.kept_expression(&check.condition.expr, row_namespace(&self.table), KeptAs::Check)?;
            let read = value.expr.column_refs();
            let read: Vec<&Column> =
                self.table.columns.iter().filter(|it| read.iter().any(|found| found.name == it.name)).collect();
            let columns = read.iter().map(|column| column.attribute_number).collect();
            // A condition over one column is named after it, wherever it was written.
            let of_column = match read.as_slice() {
                [column] => Some(column.name.clone()),
                _ => None,
            };
            let name = match &check.name {
                Some(name) => {
                    let name = identifier(name);
                    if self.table.constraint(&name).is_some() {
                        let message = format!("check constraint \"{name}\" already exists");
                        return Err(PgError::new(SqlState::DUPLICATE_OBJECT, message).into());
                    }
                    name
                }
                None => self.constraint_name(of_column.as_deref(), "check"),
            };
            let condition = self.written(check.condition.text)?;
            self.push_constraint(name, ConstraintKind::Check(Check { condition, columns }));
        }
        Ok(())
    }

    fn push_constraint(&mut self, name: String, kind: ConstraintKind) -> Oid {
        let oid = self.server.catalog.allocate_oid();
        self.table.constraints.push(Constraint { oid, name, kind, is_valid: true });
        oid
    }

    /// Generated columns are computed of columns that are there.
    fn check_generated(&self) -> Result<()> {
        let is_generated =
            |name: &str| self.table.columns.iter().any(|column| column.name == name && generated(column).is_some());
        for column in &self.table.columns {
            let Some(written) = generated(column) else { continue };
            let mut analyzer = Analyzer::new(self.context, "", Vec::new());
            let value = analyzer.generation_expression(written, row_namespace(&self.table))?;
            if let Some(other) = value.expr.column_refs().iter().find(|found| is_generated(&found.name)) {
                let message = format!("cannot use generated column \"{}\" in column generation expression", other.name);
                let error = PgError::new(SqlState::INVALID_OBJECT_DEFINITION, message);
                return Err(error.with_detail("A generated column cannot reference another generated column.").into());
            }
            if !columns::is_immutable(&value.expr) {
                let message = "generation expression is not immutable";
                return Err(PgError::new(SqlState::INVALID_OBJECT_DEFINITION, message).into());
            }
            analyzer.as_column(value, column)?;
        }
        Ok(())
    }

    /// The column with a name.
    fn column_named(&self, name: &ast::Ident) -> Option<&Column> {
        let name = identifier(name);
        self.table.columns.iter().find(|column| column.name == name)
    }

    fn at(&self, error: PgError, place: Location) -> Error {
        Error::Sql { error: Box::new(error), position: position::character(self.text, place) }
    }

    fn syntax(&self, message: String, place: Location) -> Error {
        Error::Syntax { message, detail: None, position: position::character(self.text, place) }
    }
}

/// What a generated column is computed by.
pub fn generated(column: &Column) -> Option<&WrittenExpression> {
    match &column.default {
        Some(ColumnDefault::Generated(written)) => Some(written),
        _ => None,
    }
}
