//! The views of the system catalogs: queries over its tables, in the files of the folder `views`.

use std::collections::HashMap;
use std::sync::LazyLock;

use sqlparser::ast;

use crate::analyze::{Analyzed, Analyzer};
use crate::error::Result;
use crate::parse::{Statement, parse};
use crate::plan::PlanContext;
use crate::plan::relations::parts;

/// The files.
const FILES: [&str; 3] = [
    include_str!("views/pg_catalog.sql"),
    include_str!("views/information_schema.sql"),
    include_str!("views/redshift.sql"),
];

/// A view: its text and what that says.
struct SystemView {
    text: String,
    query: Box<ast::Query>,
}

type Views = HashMap<(String, String), SystemView>;

static VIEWS: LazyLock<Views> =
    LazyLock::new(|| FILES.iter().flat_map(|text| read(text).unwrap_or_default()).collect());

fn read(text: &str) -> Result<Views> {
    let mut views = HashMap::new();
    for parsed in parse(text)? {
        let Statement::CreateView(view) = parsed.statement else { continue };
        let Ok([schema, name]) = <[String; 2]>::try_from(parts(&view.name)?) else { continue };
        let Some(Statement::Query(query)) = parse(&view.text)?.into_iter().next().map(|it| it.statement) else {
            continue;
        };
        views.insert((schema, name), SystemView { text: view.text, query });
    }
    Ok(views)
}

/// The query of the view of this name, if there is one.
///
/// # Errors
/// None but bugs.
pub fn analyzed(schema: &str, name: &str, context: &PlanContext) -> Result<Option<Analyzed>> {
    let Some(view) = VIEWS.get(&(schema.to_owned(), name.to_owned())) else { return Ok(None) };
    let inside = context.under(&[]);
    Analyzer::new(&inside, &view.text, Vec::new()).settled_query(&view.query).map(Some)
}

/// The text of the query of a view of the system's.
pub fn text(schema: &str, name: &str) -> Option<&'static str> {
    VIEWS.get(&(schema.to_owned(), name.to_owned())).map(|view| view.text.as_str())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use pg::recorded;

    use super::*;

    #[test]
    fn each_view_is_one_of_the_relations() {
        for text in FILES {
            let views = read(text).unwrap();
            assert_eq!(views.len(), text.matches("CREATE VIEW").count());
            for (schema, name) in views.keys() {
                assert!(recorded::relation(schema, name).is_some(), "{schema}.{name}");
            }
        }
    }
}
