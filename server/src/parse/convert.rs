//! sqlparser's statements → ours.
//!
//! A field that is not looked at here must be compared with what it is when it was not written, so that nothing a user
//! wrote is lost.

use pg::PgError;
use pg::sqlstate::SqlState;
use sqlparser::ast::{
    self, CreateTableOptions, ObjectType, OnConflictAction, OnInsert, SchemaName, SetExpr, TableObject,
};
use sqlparser::tokenizer::Location;

use crate::error::{Error, Result};
use crate::parse::statement::{
    ConflictAction, ConflictTarget, CreateSchema, CreateView, Drop, DropKind, Insert, OnConflict, Statement,
};
use crate::parse::{StatementReader, create_table_as, modify};

/// Our form of a statement that sqlparser has read, beginning at `start`.
pub(super) fn statement(
    statement: ast::Statement,
    reader: &mut StatementReader<'_>,
    start: Location,
) -> Result<Statement> {
    match statement {
        ast::Statement::Query(query) => self::query(query, reader, start),
        ast::Statement::Insert(insert) => self::insert(insert),
        ast::Statement::Delete(delete) => modify::delete(delete),
        ast::Statement::Update(update) => modify::update(update),
        ast::Statement::Truncate(truncate) => modify::truncate(truncate),
        ast::Statement::CreateTable(table) => create_table(&table, reader),
        ast::Statement::CreateView(view) => create_view(view, reader, start),
        ast::Statement::CreateSchema { .. } => create_schema(statement),
        ast::Statement::Drop { .. } => drop(statement),
        ast::Statement::Savepoint { name } => Ok(Statement::Savepoint(name)),
        ast::Statement::ReleaseSavepoint { name } => Ok(Statement::Release(name)),
        other => Err(Error::not_supported(leading_keywords(&other))),
    }
}

/// A query, or what stands behind a WITH in its place.
fn query(mut query: Box<ast::Query>, reader: &mut StatementReader<'_>, start: Location) -> Result<Statement> {
    let changes = matches!(query.body.as_ref(), SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_));
    let (true, Some(_)) = (changes, &query.with) else { return create_table_as::query(query) };
    let with = query.with.take();
    let (SetExpr::Insert(changing) | SetExpr::Update(changing) | SetExpr::Delete(changing)) = *query.body else {
        return Err(Error::not_supported("WITH of this form"));
    };
    let mut statement = statement(changing, reader, start)?;
    match &mut statement {
        Statement::Insert(insert) => insert.with = with,
        Statement::Modify(modify) => modify.with = with,
        _ => return Err(Error::not_supported("WITH of this form")),
    }
    Ok(statement)
}

/// The verb of a statement we do not know: its leading words, as far as they are keywords of SQL.
fn leading_keywords(statement: &ast::Statement) -> String {
    let text = statement.to_string();
    let two_words = ["CREATE", "ALTER", "DROP", "COMMENT", "REFRESH", "RELEASE"];
    let mut words = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default().to_uppercase();
    match words.next() {
        Some(second) if two_words.contains(&first.as_str()) => format!("{first} {}", second.to_uppercase()),
        _ => first,
    }
}

fn insert(insert: ast::Insert) -> Result<Statement> {
    let ast::Insert {
        insert_token: _,
        optimizer_hints: _,
        or: None,
        ignore: false,
        into: true,
        table: TableObject::TableName(table),
        table_alias,
        columns,
        overwrite: false,
        source,
        assignments,
        partitioned: None,
        after_columns,
        has_table_keyword: false,
        on,
        returning,
        output: None,
        replace_into: false,
        priority: None,
        insert_alias: None,
        settings: None,
        format_clause: None,
        multi_table_insert_type: None,
        ..
    } = insert
    else {
        return Err(Error::not_supported("INSERT of this form"));
    };
    let on_conflict = on.map(on_conflict).transpose()?;
    if !assignments.is_empty() || !after_columns.is_empty() {
        return Err(Error::not_supported("INSERT of this form"));
    }
    let columns = columns.into_iter().map(column_name).collect::<Result<_>>()?;
    let alias = table_alias.map(|alias| alias.alias);
    Ok(Statement::Insert(Box::new(Insert {
        with: None,
        table,
        alias,
        columns,
        overriding: None,
        source,
        on_conflict,
        returning: returning.unwrap_or_default(),
    })))
}

fn on_conflict(on: OnInsert) -> Result<OnConflict> {
    let OnInsert::OnConflict(on) = on else { return Err(Error::not_supported("ON DUPLICATE KEY UPDATE")) };
    let target = match on.conflict_target {
        None => None,
        Some(ast::ConflictTarget::Columns(columns)) => Some(ConflictTarget::Columns(columns)),
        Some(ast::ConflictTarget::OnConstraint(name)) => Some(ConflictTarget::Constraint(column_name(name)?)),
    };
    let action = match on.action {
        OnConflictAction::DoNothing => ConflictAction::Nothing,
        OnConflictAction::DoUpdate(_) if target.is_none() => {
            let message = "ON CONFLICT DO UPDATE requires inference specification or constraint name";
            let error = PgError::new(SqlState::SYNTAX_ERROR, message);
            return Err(error.with_hint("For example, ON CONFLICT (column_name).").into());
        }
        OnConflictAction::DoUpdate(update) => ConflictAction::Update {
            assignments: modify::assignments(update.assignments)?,
            selection: update.selection.map(Box::new),
        },
    };
    Ok(OnConflict { target, action })
}

/// The target column of an INSERT: one identifier.
fn column_name(name: ast::ObjectName) -> Result<ast::Ident> {
    match name.0.as_slice() {
        [part] => part.as_ident().cloned().ok_or_else(|| Error::not_supported("INSERT into a function's result")),
        _ => Err(Error::not_supported("INSERT into a part of a column")),
    }
}

/// What CREATE TABLE can be besides columns in parentheses, which [`StatementReader::create_table`] reads.
fn create_table(table: &ast::CreateTable, reader: &StatementReader<'_>) -> Result<Statement> {
    // `CREATE TABLE t` is not finished.
    if table.columns.is_empty() && table.query.is_none() && table.like.is_none() && table.partition_of.is_none() {
        return Err(reader.unexpected(reader.parser.peek_token_ref()));
    }
    let feature = [
        (table.temporary, "CREATE TEMPORARY TABLE"),
        (table.query.is_some(), "CREATE TABLE AS"),
        (table.like.is_some(), "CREATE TABLE LIKE"),
    ];
    let feature = feature.iter().find(|(written, _)| *written).map(|(_, feature)| *feature);
    Err(Error::not_supported(feature.unwrap_or("CREATE TABLE of this form")))
}

fn create_view(view: ast::CreateView, reader: &mut StatementReader<'_>, start: Location) -> Result<Statement> {
    let features = [
        (view.materialized, "CREATE MATERIALIZED VIEW"),
        (view.if_not_exists, "CREATE VIEW IF NOT EXISTS"),
        (view.options != CreateTableOptions::None, "CREATE VIEW WITH"),
        (
            view.or_alter
                || view.secure
                || view.copy_grants
                || view.to.is_some()
                || view.params.is_some()
                || view.comment.is_some()
                || !view.cluster_by.is_empty()
                || view.columns.iter().any(|column| column.data_type.is_some() || column.options.is_some()),
            "CREATE VIEW of this form",
        ),
    ];
    if let Some((_, feature)) = features.iter().find(|(written, _)| *written) {
        return Err(Error::not_supported(*feature));
    }
    let text = reader.text_after_as(start).ok_or_else(|| Error::not_supported("CREATE VIEW of this form"))?;
    let text = text.to_owned();
    let late_binding = reader.words(&["WITH", "NO", "SCHEMA", "BINDING"]);
    Ok(Statement::CreateView(CreateView {
        name: view.name,
        temporary: view.temporary,
        or_replace: view.or_replace,
        columns: view.columns.into_iter().map(|column| column.name).collect(),
        text,
        late_binding,
    }))
}

fn create_schema(statement: ast::Statement) -> Result<Statement> {
    match statement {
        ast::Statement::CreateSchema {
            schema_name: SchemaName::Simple(name),
            if_not_exists,
            with: None,
            options: None,
            default_collate_spec: None,
            clone: None,
        } => Ok(Statement::CreateSchema(CreateSchema { name, if_not_exists })),
        _ => Err(Error::not_supported("CREATE SCHEMA of this form")),
    }
}

fn drop(statement: ast::Statement) -> Result<Statement> {
    let ast::Statement::Drop {
        object_type,
        if_exists,
        names,
        cascade,
        restrict: _,
        purge: false,
        temporary: false,
        table: None,
    } = statement
    else {
        return Err(Error::not_supported("DROP of this form"));
    };
    let kind = match object_type {
        ObjectType::Schema => DropKind::Schema,
        ObjectType::Table => DropKind::Table,
        ObjectType::View => DropKind::View,
        other => return Err(Error::not_supported(format!("DROP {other}"))),
    };
    Ok(Statement::Drop(Drop { kind, names, if_exists, cascade }))
}
