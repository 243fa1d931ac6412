//! Names in expressions: columns, their relations, whole rows, fields.

use datafusion::common::Column;
use datafusion::logical_expr::Expr;
use pg::Type;
use pg::error::PgError;
use pg::sqlstate::SqlState;
use pg::types::RECORD;
use sqlparser::ast::{self, Ident};
use std::sync::Arc;

use crate::analyze::domain::without_domain;
use crate::analyze::scope::{Namespace, Place, ScopeColumn, ScopeRelation};
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, folded};
use crate::error::Result;
use pg::user_types::is_record;

impl Analyzer<'_> {
    /// What an identifier in an expression means.
    ///
    /// # Errors
    /// 42703 for no column, 42702 for several.
    pub(super) fn column(&mut self, name: &Ident) -> Result<Typed> {
        let wanted = folded(name);
        // Keywords that sqlparser takes for names.
        if name.quote_style.is_none() && matches!(wanted.as_str(), "current_role" | "current_schema") {
            let function = if wanted == "current_role" { "current_user" } else { "current_schema" };
            return self.named_call(function, Vec::new(), &ast::Expr::Identifier(name.clone()));
        }
        for depth in 0..self.levels.len() {
            let level = &self.levels[self.levels.len() - 1 - depth];
            let is_wanted = |column: &&ScopeColumn| column.name == wanted;
            let columns = level.namespace.columns.iter().filter(is_wanted).collect::<Vec<_>>();
            let system_columns = || level.namespace.system_columns().filter(is_wanted).collect();
            let found = if columns.is_empty() { system_columns() } else { columns };
            if let Some(first) = found.first() {
                if found.len() > 1 {
                    let message = format!("column reference \"{wanted}\" is ambiguous");
                    return Err(self.at(PgError::new(SqlState::AMBIGUOUS_COLUMN, message), name));
                }
                let column = first.typed();
                self.note_place(&column, name);
                return Ok(self.outer(column, depth));
            }
            // Redshift: a later expression of the select list sees the output names before it.
            if depth == 0
                && matches!(level.place, Some(Place::SelectList | Place::Qualify))
                && let Some(alias) = level.aliases.get(&wanted)
            {
                return Ok(alias.clone());
            }
            if let Some(relation) = level.namespace.relations.iter().find(|it| it.name.as_deref() == Some(&wanted)) {
                let row = self.whole_row(relation.clone())?;
                return Ok(self.outer(row, depth));
            }
        }
        // Redshift's keyword, which PostgreSQL does not reserve.
        if name.quote_style.is_none() && wanted == "sysdate" {
            return self.named_call("sysdate", Vec::new(), &ast::Expr::Identifier(name.clone()));
        }
        if name.quote_style.is_none() && wanted == "default" {
            let error = PgError::new(SqlState::SYNTAX_ERROR, "DEFAULT is not allowed in this context");
            return Err(self.at(error, name));
        }
        // Redshift: WHERE sees the output names. What one stands for cannot be in terms of itself.
        if self.level()?.place == Some(Place::Plain("WHERE"))
            && let Some(written) = self.level()?.written_aliases.remove(&wanted)
        {
            let value = self.expression(&written);
            self.level()?.written_aliases.insert(wanted, written);
            return value;
        }
        let message = format!("column \"{wanted}\" does not exist");
        let error = PgError::new(SqlState::UNDEFINED_COLUMN, message);
        Err(self.at(self.with_suggestion(error, &wanted), name))
    }

    /// What a qualified name means: `t.a`, `s.t.a`, `d.s.t.a`; or fields of a column: `a.b.c`.
    ///
    /// # Errors
    /// 42P01 for no relation, 42703 for no column.
    pub(super) fn qualified_column(&mut self, parts: &[Ident]) -> Result<Typed> {
        let names: Vec<String> = parts.iter().map(folded).collect();
        for depth in 0..self.levels.len() {
            let level = &self.levels[self.levels.len() - 1 - depth];
            // The longest qualifier first: `s.t.a` before field `a` of column `t.s`.
            for length in (1..=names.len().saturating_sub(1).min(3)).rev() {
                let relation = find_relation(&level.namespace, &names[..length], self.context.database());
                let Some(relation) = relation else { continue };
                let relation = relation.clone();
                let column = relation.all_columns().find(|column| column.name == names[length]);
                let Some(column) = column else {
                    let message = format!("column {}.{} does not exist", names[length - 1], names[length]);
                    return Err(self.at(PgError::new(SqlState::UNDEFINED_COLUMN, message), &parts[0]));
                };
                let column = column.typed();
                self.note_place(&column, &parts[0]);
                let value = self.outer(column, depth);
                return self.fields(value, &parts[length + 1..]);
            }
        }
        // No relation: a column and its fields.
        let is_column = |it: &ScopeColumn| it.name == names[0] && is_record(it.ty.oid);
        if self.levels.iter().any(|level| level.namespace.columns.iter().any(is_column)) {
            let value = self.column(&parts[0])?;
            return self.fields(value, &parts[1..]);
        }
        let table = &names[names.len() - 2];
        if self.hidden_relations().any(|relation| relation.name.as_ref() == Some(table)) {
            let message = format!("invalid reference to FROM-clause entry for table \"{table}\"");
            let hint = format!(
                "There is an entry for table \"{table}\", but it cannot be referenced from this part of the query."
            );
            let error = PgError::new(SqlState::UNDEFINED_TABLE, message);
            return Err(self.at(error.with_hint(hint), &parts[0]));
        }
        let message = format!("missing FROM-clause entry for table \"{table}\"");
        Err(self.at(PgError::new(SqlState::UNDEFINED_TABLE, message), &parts[0]))
    }

    fn fields(&mut self, mut value: Typed, path: &[Ident]) -> Result<Typed> {
        for name in path {
            value = self.field(value, name)?;
        }
        Ok(value)
    }

    /// A field of a record.
    ///
    /// # Errors
    /// 42809 when it is none, 42703 when it has no such field.
    pub(super) fn field(&mut self, value: Typed, name: &Ident) -> Result<Typed> {
        let wanted = folded(name);
        let value = without_domain(value);
        let arrow::datatypes::DataType::Struct(fields) = &value.ty.arrow else {
            let message =
                format!("column notation .{wanted} applied to type {}, which is not a composite type", value.ty.name());
            return Err(self.at(PgError::new(SqlState::WRONG_OBJECT_TYPE, message), name));
        };
        let exact = fields.iter().find(|field| *field.name() == wanted);
        let found = exact.or_else(|| fields.iter().find(|field| field.name().eq_ignore_ascii_case(&wanted)));
        let Some(field) = found.cloned() else {
            let message = match value.ty.oid {
                RECORD => format!("could not identify column \"{wanted}\" in record data type"),
                _ => format!("column \"{wanted}\" not found in data type {}", value.ty.name()),
            };
            return Err(self.at(PgError::new(SqlState::UNDEFINED_COLUMN, message), name));
        };
        let expr = datafusion::functions::core::expr_fn::get_field(value.expr, field.name().as_str());
        Ok(Typed::new(expr, Type::of_field(&field)))
    }

    /// The row of a relation as one value; of a function that returns single values, the value.
    pub(super) fn whole_row(&mut self, relation: ScopeRelation) -> Result<Typed> {
        if relation.is_scalar
            && let [column] = relation.columns.as_slice()
        {
            return Ok(column.typed());
        }
        let names: Vec<_> = relation.columns.iter().map(|column| column.name.clone()).collect();
        let values = relation.columns.iter().map(ScopeColumn::typed).collect();
        let row = self.record(names, values)?;
        self.where_present(&relation, row)
    }

    /// A record of these fields.
    ///
    /// # Errors
    /// The library has no function for it.
    pub(super) fn record(&mut self, names: Vec<String>, values: Vec<Typed>) -> Result<Typed> {
        let fields: Vec<_> = names.iter().zip(&values).map(|(name, value)| value.ty.field(name)).collect();
        let ty = Type { oid: RECORD, typmod: -1, arrow: arrow::datatypes::DataType::Struct(fields.into()) };
        let function = pg::library::functions("row").first().copied();
        let function = function.ok_or_else(|| PgError::internal("there is no row constructor"))?;
        let context = pg::function::CastContext::Implicit;
        Ok(crate::analyze::call::bound_call(function, values, ty, context, &self.session)?)
    }

    /// A column that was found so many levels further out.
    pub(super) fn outer(&mut self, column: Typed, depth: usize) -> Typed {
        if depth == 0 {
            return column;
        }
        let count = self.levels.len();
        for level in &mut self.levels[count - depth..] {
            level.correlated = true;
        }
        Typed { expr: outer_references(column.expr, &column.ty), ty: column.ty }
    }

    /// The relations that must not be read.
    fn hidden_relations(&self) -> impl Iterator<Item = &ScopeRelation> {
        self.levels.iter().filter_map(|level| level.hidden.as_ref())
    }

    /// As PostgreSQL hints: the column that is hidden, or that of a similar name, if there is one.
    fn with_suggestion(&self, error: PgError, wanted: &str) -> PgError {
        let has_column = |relation: &&ScopeRelation| relation.columns.iter().any(|column| column.name == wanted);
        if let Some(relation) = self.hidden_relations().find(has_column) {
            let table = relation.name.as_deref().unwrap_or_default();
            return error.with_hint(format!(
                "There is a column named \"{wanted}\" in table \"{table}\", but it cannot be referenced from this part of \
                 the query."
            ));
        }
        let Some(level) = self.levels.last() else { return error };
        let similar = level.namespace.relations.iter().find_map(|relation| {
            let table = relation.name.as_ref()?;
            let column = relation.columns.iter().find(|column| is_similar(&column.name, wanted))?;
            Some(format!("Perhaps you meant to reference the column \"{table}.{}\".", column.name))
        });
        match similar {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

/// The expression with its columns as columns of an outer query.
fn outer_references(expr: Expr, ty: &Type) -> Expr {
    use datafusion::common::tree_node::{Transformed, TreeNode};
    let field = Arc::new(ty.field(""));
    let rewritten = expr.clone().transform(|node| {
        Ok(match node {
            Expr::Column(column) => {
                let field = Arc::new(field.as_ref().clone().with_name(column.name.clone()));
                Transformed::yes(Expr::OuterReferenceColumn(field, column))
            }
            other => Transformed::no(other),
        })
    });
    rewritten.map(|rewritten| rewritten.data).unwrap_or(expr)
}

/// The expression with those of its columns that a plan has as columns of an outer query.
///
/// # Errors
/// None of its own.
pub(super) fn as_outer(expr: Expr, outer: &datafusion::logical_expr::LogicalPlan) -> Result<Expr> {
    use datafusion::common::tree_node::{Transformed, TreeNode};
    let rewritten = expr.transform(|node| {
        Ok(match node {
            Expr::Column(column) if outer.schema().has_column(&column) => {
                let (_, field) = outer.schema().qualified_field_from_column(&column)?;
                let field = field.clone();
                Transformed::yes(Expr::OuterReferenceColumn(field, column))
            }
            other => Transformed::no(other),
        })
    })?;
    Ok(rewritten.data)
}

/// The relation that a qualifier names.
pub(super) fn find_relation<'a>(
    namespace: &'a Namespace,
    qualifier: &[String],
    database: &str,
) -> Option<&'a ScopeRelation> {
    let (schema, table) = match qualifier {
        [table] => (None, table),
        [schema, table] => (Some(schema), table),
        [first, schema, table] if first == database => (Some(schema), table),
        _ => return None,
    };
    namespace.relations.iter().find(|relation| {
        relation.name.as_ref() == Some(table) && schema.is_none_or(|schema| relation.schema.as_ref() == Some(schema))
    })
}

/// One character more, less or other.
fn is_similar(name: &str, wanted: &str) -> bool {
    let (name, wanted): (Vec<char>, Vec<char>) = (name.chars().collect(), wanted.chars().collect());
    if wanted.len() < 3 || name.len().abs_diff(wanted.len()) > 1 {
        return false;
    }
    let prefix = name.iter().zip(&wanted).take_while(|(a, b)| a == b).count();
    let suffix = name.iter().rev().zip(wanted.iter().rev()).take_while(|(a, b)| a == b).count();
    prefix + suffix + 1 >= name.len().max(wanted.len())
}

impl Analyzer<'_> {
    /// What the statement calls a column of the plan, with its relation.
    pub(super) fn visible_name(&self, column: &Column) -> Option<String> {
        let relations = self.levels.iter().rev().flat_map(|level| &level.namespace.relations);
        relations.into_iter().find_map(|relation| {
            let is_it = |known: &&ScopeColumn| matches!(&known.expr, Expr::Column(known) if known == column);
            let known = relation.columns.iter().find(is_it)?;
            Some(relation.name.as_ref().map_or_else(|| known.name.clone(), |name| format!("{name}.{}", known.name)))
        })
    }
}

/// A column of the plan by its relation's alias and its name.
pub(super) fn plan_column(alias: &str, name: &str) -> Column {
    Column::new(Some(datafusion::common::TableReference::bare(alias)), name)
}
