//! Queries that come as text again and again, with other constants: SELECT of the row with a key, SELECT of constants.

use std::sync::Arc;

use datafusion::common::ScalarValue;

use crate::error::Result;
use crate::parse::parse;
use crate::plan::short::{ShortQuery, ShortRows};
use crate::session::short_queries::{Shape, may_be_short, shape};
use crate::session::{Prepared, Session};
use crate::statement::prepare;
use crate::wire::parameters;
use crate::wire::rows::Format;

/// The query with this text, if one like it is remembered, and the values of its parameters.
pub fn find(session: &mut Session, text: &str) -> Option<(Arc<ShortQuery>, Vec<ScalarValue>)> {
    if !may_be_short(text) {
        return None;
    }
    session.short_queries.under(&session.settings.known().values);
    if let Some(query) = session.short_queries.with_text(text) {
        return Some((query, Vec::new()));
    }
    if !session.short_queries.has_shapes() {
        return None;
    }
    let shape = shape(text)?;
    let query = session.short_queries.with_shape(&shape)??;
    let values = session.values(Vec::new());
    let _entered = values.enter();
    let constants = shape.constants.iter().zip(&query.parameter_types);
    let parameters =
        constants.map(|(text, oid)| parameters::decode(*oid, Format::Text, Some(text.as_bytes()), &values));
    // What cannot be read is an error with a position, or a constant of another type.
    let parameters = parameters.collect::<Result<Vec<_>, _>>().ok()?;
    Some((query, parameters))
}

/// Remembers a query that has just been planned, if it is short.
pub async fn remember(session: &mut Session, text: &str, prepared: &Prepared) {
    let Some(short) = prepared.planned.as_ref().and_then(|planned| planned.short.clone()) else { return };
    if !may_be_short(text) {
        return;
    }
    session.short_queries.under(&session.settings.known().values);
    if matches!(short.rows, ShortRows::Constants(_)) {
        session.short_queries.remember_text(text, short);
    } else if let Some(shape) = shape(text)
        && session.short_queries.with_shape(&shape).is_none()
    {
        let query = with_parameters(session, &shape).await.ok().flatten();
        session.short_queries.remember_shape(shape, query);
    }
}

/// The query of this shape, if it asks for the row whose key its parameters are. It means what the query with constants does:
/// those compared their constants with the columns of the key as values of the columns' types, which is what the
/// parameters have.
async fn with_parameters(session: &mut Session, shape: &Shape) -> Result<Option<Arc<ShortQuery>>> {
    let prepared = prepare(session, parse(&shape.text)?.pop(), &[]).await?;
    let short = prepared.planned.and_then(|planned| planned.short);
    let takes_all = |query: &Arc<ShortQuery>| {
        matches!(query.rows, ShortRows::Point(_)) && query.parameter_types.len() == shape.constants.len()
    };
    Ok(short.filter(takes_all))
}
