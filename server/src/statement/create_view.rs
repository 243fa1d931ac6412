//! CREATE [OR REPLACE] VIEW.

use std::sync::Arc;

use catalog::{CatalogChange, CatalogSnapshot, NamedFiles, ObjectName, Oid, Relation, SchemaKind, SeenRelation, View};
use pg::types::describe;
use sqlparser::ast;

use crate::error::{Error, Result};
use crate::parse::statement::CreateView;
use crate::parse::{Statement, parse};
use crate::plan::relations::{NameScope, identifier};
use crate::plan::{PlanContext, files, plan_query};
use crate::session::{Action, Object, Session, authorize};
use crate::statement::Outcome;
use crate::statement::create_table::check_type_name;

/// # Errors
/// The query is wrong, two columns have one name, or the name is taken by something that is not replaced.
pub async fn execute(session: &mut Session, create: &CreateView) -> Result<Outcome> {
    let snapshot = session.snapshot()?;
    let scope = NameScope::of(session);
    // The stored text is what is planned, so that a view that was made can be read.
    let query = view_query(&create.text)?;
    let bound = match create.late_binding {
        true => Bound::late(create),
        false => Bound::planned(session, &snapshot, create, query).await?,
    };
    let temporary = create.temporary || reads_temporary(&snapshot, &bound.depends_on);
    let (name, schema) = match scope.new_relation(&snapshot, &create.name, create.temporary) {
        // A view of something temporary is temporary, whether that was said or not.
        Ok((name, _)) if temporary && !create.temporary => {
            session.notice(format!("view \"{}\" will be a temporary view", name.name));
            scope.new_relation(&snapshot, &create.name, true)?
        }
        other => other?,
    };
    authorize(&session.identity, Action::Create, Object::Schema(&name.schema))?;
    if schema != SchemaKind::Local {
        let message = format!("views cannot be made in external schema \"{}\"", name.schema);
        return Err(Error::InvalidDefinition { message });
    }
    check_type_name(&snapshot, &name)?;
    let replaced = replaced_view(&snapshot, &name, create.or_replace)?;
    let Bound { names, column_types, depends_on, relations, files } = bound;
    let view = View {
        oid: replaced.as_ref().map_or_else(|| session.server.catalog.allocate_oid(), |view| view.oid),
        columns: column_names(names, &create.columns)?,
        column_types,
        query: create.text.clone(),
        search_path: scope.kept_path(name.is_temporary()),
        depends_on,
        relations,
        files,
        late_binding: create.late_binding,
        name,
    };
    let change = match replaced {
        Some(old) => {
            check_replacement(&snapshot, &old, &view)?;
            CatalogChange::ReplaceView { old, new: Arc::new(view) }
        }
        None => CatalogChange::CreateView(view),
    };
    session.commit(vec![change]).await?;
    Ok(Outcome::command("CREATE VIEW"))
}

/// What a view knows of what it reads.
#[derive(Default)]
struct Bound {
    names: Vec<String>,
    column_types: Vec<(Oid, i32)>,
    depends_on: Vec<Oid>,
    relations: Vec<SeenRelation>,
    files: Vec<NamedFiles>,
}

impl Bound {
    /// Of a late-binding view nothing is known but the names that were given to its columns: what it reads need not be there.
    fn late(create: &CreateView) -> Self {
        let names = create.columns.iter().map(identifier).collect();
        Bound { names, ..Bound::default() }
    }

    async fn planned(
        session: &mut Session,
        snapshot: &Arc<CatalogSnapshot>,
        create: &CreateView,
        query: Box<ast::Query>,
    ) -> Result<Self> {
        let context = Arc::new(PlanContext::new(session, snapshot.clone()).keeping());
        let text = create.text.clone();
        let plan = move |context: &PlanContext| plan_query(context, &query, &text, Vec::new());
        let planned = files::planned(session, &context, plan).await?;
        if !planned.parameters.is_empty() {
            return Err(Error::InvalidDefinition { message: "views must not contain parameters".into() });
        }
        let depends_on = context.named_objects();
        let is_late =
            |oid: &Oid| matches!(snapshot.relation_by_oid(*oid), Some(Relation::View(view)) if view.late_binding);
        if depends_on.iter().any(is_late) {
            return Err(Error::not_supported("a view of a late-binding view that is not late-binding itself"));
        }
        let fields = planned.schema.fields();
        let types = fields.iter().map(|field| describe(field));
        Ok(Bound {
            names: fields.iter().map(|field| field.name().clone()).collect(),
            column_types: types.map(|ty| (Oid(ty.oid), ty.typmod)).collect(),
            depends_on,
            relations: context.seen_relations(&planned.plan)?,
            files: context.all_named_files(),
        })
    }
}

/// Whether one of the objects is temporary.
fn reads_temporary(snapshot: &CatalogSnapshot, objects: &[Oid]) -> bool {
    let relations = objects.iter().filter_map(|oid| snapshot.relation_by_oid(*oid));
    relations.map(Relation::name).any(ObjectName::is_temporary)
}

fn view_query(text: &str) -> Result<Box<ast::Query>> {
    match parse(text)?.into_iter().next().map(|parsed| parsed.statement) {
        Some(Statement::Query(query)) => Ok(query),
        _ => Err(Error::not_supported("CREATE VIEW of this form")),
    }
}

/// The view that is replaced, if there is one.
fn replaced_view(snapshot: &CatalogSnapshot, name: &ObjectName, or_replace: bool) -> Result<Option<Arc<View>>> {
    match snapshot.relation(name) {
        None => Ok(None),
        Some(Relation::View(view)) if or_replace => Ok(Some(view.clone())),
        Some(_) if or_replace => Err(Error::WrongObjectType { name: name.name.clone(), expected: "a view" }),
        Some(_) => Err(catalog::Error::RelationExists(name.clone()).into()),
    }
}

/// As in PostgreSQL, the columns that are there stay as they are; others may follow them. And a view that reads itself
/// could never be planned.
fn check_replacement(snapshot: &CatalogSnapshot, old: &View, view: &View) -> Result<()> {
    // Views of a bound view know its columns; a late-binding one has no views of it that do.
    match (old.late_binding, view.late_binding) {
        (true, _) => return Ok(()),
        (false, true) if snapshot.dependents(old.oid).is_empty() => return Ok(()),
        (false, true) => return Err(Error::not_supported("making a view that others read late-binding")),
        (false, false) => {}
    }
    if let Some((was, is)) = old.columns.iter().zip(&view.columns).find(|(was, is)| was != is) {
        let message = format!("cannot change name of view column \"{was}\" to \"{is}\"");
        return Err(Error::InvalidDefinition { message });
    }
    if view.columns.len() < old.columns.len() {
        return Err(Error::InvalidDefinition { message: "cannot drop columns from view".into() });
    }
    if snapshot.reads(&view.depends_on, old.oid) {
        let message = format!("infinite recursion detected in view \"{}\"", view.name.name);
        return Err(Error::InvalidDefinition { message });
    }
    Ok(())
}

/// The names of the view's columns: the given ones, then the query's.
fn column_names(mut names: Vec<String>, given: &[ast::Ident]) -> Result<Vec<String>> {
    if given.len() > names.len() {
        return Err(Error::InvalidDefinition {
            message: "CREATE VIEW specifies more column names than columns".into(),
        });
    }
    for (name, given) in names.iter_mut().zip(given) {
        *name = identifier(given);
    }
    for (number, name) in names.iter().enumerate() {
        if names[..number].contains(name) {
            return Err(Error::DuplicateColumn { column: name.clone() });
        }
    }
    Ok(names)
}
