//! Columns: types, NOT NULL, defaults, identity, generated columns.

use catalog::{Column, ColumnDefault, ObjectName, Oid, SqlType};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, Volatility};
use pg::function::BoundFunction;
use pg::names::is_user_number;
use pg::sqlstate::SqlState;
use pg::types::{DATE, TIMESTAMP, TIMESTAMPTZ, TIMETZ, element_type};
use pg::{PgError, Type};
use sqlparser::ast;
use sqlparser::tokenizer::Location;

use super::attributes::add_dist_key;
use super::{Definition, WrittenCheck, WrittenForeignKey, WrittenKey};
use crate::analyze::Analyzer;
use crate::analyze::kept::{KeptAs, next_value};
use crate::analyze::scope::Namespace;
use crate::error::{Error, Result};
use crate::parse::definition::{ColumnConstraint, ColumnConstraintKind, ColumnDefinition, Expression, SequenceOption};
use crate::plan::relations::{identifier, parts};
use crate::plan::types::column_type;
use crate::statement::create_table::{COLUMNS_MAX, check_type_name};
use crate::statement::sequence_options::new_sequence;

/// What has been said of a column so far.
#[derive(Default)]
struct Said {
    null: Option<bool>,
    default: bool,
    identity: bool,
    generated: bool,
}

impl Definition<'_> {
    /// A column, and what is written behind its type; keys and conditions are left until the definition is settled.
    ///
    /// # Errors
    /// 42701 when the name is taken, and whatever is wrong with what is said of it.
    pub fn add_column(&mut self, definition: &ColumnDefinition) -> Result<()> {
        let name = identifier(&definition.name);
        self.check_room(&name)?;
        let serial = serial_type(&definition.data_type);
        let sql_type = match &serial {
            Some(sql_type) => sql_type.clone(),
            None => column_type(&definition.data_type)?,
        };
        let mut column = self.next_column(name, sql_type)?;
        let mut said = Said::default();
        if serial.is_some() {
            let sequence = self.column_sequence(&column, &[], false)?;
            let search_path = self.context.kept_path(self.table.name.is_temporary());
            let written = catalog::user_type::WrittenExpression {
                text: next_value(sequence),
                search_path,
                refers_to: vec![sequence],
            };
            column.default = Some(ColumnDefault::Expression(written));
            (said.null, said.default) = (Some(false), true);
        }
        for constraint in &definition.constraints {
            self.say(&mut column, &mut said, constraint, definition)?;
        }
        column.not_null = said.null == Some(false);
        if let Some(encoding) = &definition.encoding {
            self.table.options.push(("ENCODE".to_owned(), format!("{} {encoding}", column.name)));
        }
        let (number, name) = (column.attribute_number, column.name.clone());
        self.table.columns.push(column);
        for constraint in &definition.constraints {
            match constraint.kind {
                ColumnConstraintKind::SortKey if self.table.sort_key.is_empty() => self.table.sort_key.push(number),
                ColumnConstraintKind::SortKey => {
                    return Err(self.syntax("multiple SORTKEYs are not allowed".into(), constraint.place));
                }
                ColumnConstraintKind::DistKey => add_dist_key(&mut self.table, name.clone())?,
                _ => {}
            }
        }
        Ok(())
    }

    /// There may be another column, and this is its name.
    pub(super) fn check_room(&self, name: &str) -> Result<()> {
        if self.table.columns.len() >= COLUMNS_MAX {
            let message = format!("tables can have at most {COLUMNS_MAX} columns");
            return Err(Error::InvalidDefinition { message });
        }
        match self.table.columns.iter().any(|column| column.name == name) {
            true => Err(Error::DuplicateColumn { column: name.to_owned() }),
            false => Ok(()),
        }
    }

    /// A column with the number that follows.
    pub(super) fn next_column(&mut self, name: String, sql_type: SqlType) -> Result<Column> {
        if sql_type.is_nested() {
            return Err(Error::not_supported(format!("a column of type {sql_type} in a hot table")));
        }
        self.table.last_attribute_number += 1;
        Ok(Column::new(self.table.last_attribute_number, name, sql_type))
    }

    fn say(
        &mut self,
        column: &mut Column,
        said: &mut Said,
        constraint: &ColumnConstraint,
        definition: &ColumnDefinition,
    ) -> Result<()> {
        use ColumnConstraintKind as Kind;
        let (name, place) = (constraint.name.clone(), constraint.place);
        match &constraint.kind {
            Kind::NotNull => self.say_null(said, false, column, place)?,
            Kind::Null => self.say_null(said, true, column, place)?,
            Kind::Default(default) => {
                if std::mem::replace(&mut said.default, true) {
                    return Err(self.of_column("multiple default values specified", column, place));
                }
                column.default = Some(self.column_default(default, column)?);
            }
            Kind::Generated(expression) => {
                if std::mem::replace(&mut said.generated, true) {
                    return Err(self.of_column("multiple generation clauses specified", column, place));
                }
                column.default = Some(ColumnDefault::Generated(self.written(expression.text.clone())?));
            }
            Kind::Identity { always, options } => {
                if std::mem::replace(&mut said.identity, true) {
                    return Err(self.of_column("multiple identity specifications", column, place));
                }
                self.say_null(said, false, column, place)?;
                let sequence = self.column_sequence(column, options, true)?;
                column.default = Some(ColumnDefault::Identity { always: *always, sequence });
            }
            Kind::Check(condition) => self.checks.push(WrittenCheck { name, condition: condition.clone() }),
            Kind::Key(kind) => {
                let columns = vec![definition.name.clone()];
                self.keys.push(WrittenKey { name, kind: *kind, columns, place });
            }
            Kind::References(reference) => {
                let (columns, reference) = (vec![definition.name.clone()], reference.clone());
                self.foreign_keys.push(WrittenForeignKey { name, columns, reference });
            }
            Kind::DistKey | Kind::SortKey => {}
        }
        let both = match said {
            Said { default: true, identity: true, .. } => "both default and identity specified",
            Said { default: true, generated: true, .. } => "both default and generation expression specified",
            Said { identity: true, generated: true, .. } => "both identity and generation expression specified",
            _ => return Ok(()),
        };
        Err(self.of_column(both, column, place))
    }

    fn say_null(&self, said: &mut Said, null: bool, column: &Column, place: Location) -> Result<()> {
        match said.null.replace(null) {
            Some(before) if before != null => {
                Err(self.of_column("conflicting NULL/NOT NULL declarations", column, place))
            }
            _ => Ok(()),
        }
    }

    fn of_column(&self, what: &str, column: &Column, place: Location) -> Error {
        let message = format!("{what} for column \"{}\" of table \"{}\"", column.name, self.table.name.name);
        self.syntax(message, place)
    }

    /// A default, once it is known that it can become a value of the column.
    ///
    /// # Errors
    /// It cannot.
    pub fn column_default(&self, default: &Expression, column: &Column) -> Result<ColumnDefault> {
        let mut analyzer = Analyzer::new(self.context, self.text, Vec::new());
        let value = analyzer.kept_expression(&default.expr, Namespace::default(), KeptAs::Default)?;
        analyzer.as_column(value, column)?;
        Ok(ColumnDefault::Expression(self.written(default.text.clone())?))
    }

    /// The sequence of a serial or identity column, which goes with it.
    ///
    /// # Errors
    /// 22023 when the column's values are not whole numbers, or an option does not fit.
    pub fn column_sequence(&mut self, column: &Column, options: &[SequenceOption], identity: bool) -> Result<Oid> {
        let is_whole = matches!(column.sql_type, SqlType::SmallInt | SqlType::Integer | SqlType::BigInt);
        if !is_whole {
            let message = "identity column type must be smallint, integer, or bigint";
            return Err(PgError::invalid_parameter(message).into());
        }
        let oid = self.server.catalog.allocate_oid();
        let named = options.iter().find_map(|option| match option {
            SequenceOption::Name(name, _) => Some(name),
            _ => None,
        });
        let schema = self.table.name.schema.as_str();
        let name = match named {
            Some(name) => self.given_sequence_name(name)?,
            None => ObjectName::new(schema, self.relation_name(Some(&column.name), "seq")),
        };
        let mut sequence = new_sequence(oid, name, column.sql_type.clone(), options)?;
        sequence.owner = Some((self.table.oid, column.attribute_number));
        sequence.identity = identity;
        self.sequences.push(sequence);
        Ok(oid)
    }

    /// What SEQUENCE NAME says: the table's schema is that of a name without one, and the only one there is.
    ///
    /// # Errors
    /// 3F000 when there is no such schema, 55000 when it is not the table's, 42P07 when the name is taken.
    fn given_sequence_name(&self, written: &ast::ObjectName) -> Result<ObjectName> {
        let snapshot = self.context.snapshot();
        let schema = self.table.name.schema.as_str();
        let parts = parts(written)?;
        let name = match parts.as_slice() {
            [name] => ObjectName::new(schema, name.as_str()),
            _ => self.context.scope().new_relation(snapshot, written, false)?.0,
        };
        if name.schema != schema {
            let message = "sequence must be in same schema as table it is linked to";
            return Err(PgError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message).into());
        }
        if self.is_relation(&name.name) {
            return Err(catalog::Error::RelationExists(name).into());
        }
        check_type_name(snapshot, &name)?;
        Ok(name)
    }
}

/// The type of columns that are declared with `serial` and its kin.
fn serial_type(data_type: &ast::DataType) -> Option<SqlType> {
    let ast::DataType::Custom(name, modifiers) = data_type else { return None };
    let [part] = name.0.as_slice() else { return None };
    let word = part.as_ident().filter(|_| modifiers.is_empty()).map(identifier)?;
    match word.as_str() {
        "smallserial" | "serial2" => Some(SqlType::SmallInt),
        "serial" | "serial4" => Some(SqlType::Integer),
        "bigserial" | "serial8" => Some(SqlType::BigInt),
        _ => None,
    }
}

/// Functions that print values, or read them.
const BY_TEXT: &[&str] = &["cast", "||"];
/// Types whose text depends on the settings of a session, or on the time.
const PRINTED_BY_SETTINGS: &[u32] = &[DATE, TIMESTAMP, TIMESTAMPTZ, TIMETZ];

/// Whether a call depends on a session only as far as values are printed or read, of types whose text is always the same.
fn prints_alike(call: &ScalarFunction) -> bool {
    let by_settings = |ty: &Type| {
        let element = element_type(ty.oid).unwrap_or(ty.oid);
        PRINTED_BY_SETTINGS.contains(&element) || is_user_number(element)
    };
    let implementation: &dyn std::any::Any = call.func.inner().as_ref();
    implementation.downcast_ref::<BoundFunction>().is_some_and(|bound| {
        BY_TEXT.contains(&bound.function().name) && !bound.types().iter().chain([bound.result()]).any(by_settings)
    })
}

/// Whether an expression gives the same for the same row at any time and in any session.
pub fn is_immutable(expr: &Expr) -> bool {
    let mut immutable = true;
    let visited = expr.apply(|part| {
        if let Expr::ScalarFunction(call) = part {
            immutable &= match call.func.signature().volatility {
                Volatility::Immutable => true,
                Volatility::Stable => prints_alike(call),
                Volatility::Volatile => false,
            };
        }
        Ok(match immutable {
            true => TreeNodeRecursion::Continue,
            false => TreeNodeRecursion::Stop,
        })
    });
    immutable && visited.is_ok()
}
