//! The query that a statement of another kind stands for: COPY of a table, SHOW TABLES.

use std::sync::Arc;

use pg::Type;
use sqlparser::ast;

use crate::error::{Error, Result};
use crate::parse;
use crate::plan::{PlanContext, Planned, plan_query};

/// A query, and its text.
pub struct StatedQuery {
    query: Box<ast::Query>,
    /// What positions of errors refer to.
    text: Arc<str>,
}

impl StatedQuery {
    /// A query of the client's, which is in this text.
    pub fn written(query: Box<ast::Query>, text: Arc<str>) -> Self {
        StatedQuery { query, text }
    }

    /// A query that we have written.
    ///
    /// # Errors
    /// The text is none.
    pub fn ours(text: String) -> Result<Self> {
        Ok(StatedQuery { query: parse::query(&text)?, text: text.into() })
    }

    /// Plans it.
    ///
    /// # Errors
    /// Whatever is wrong with it; 42P02 for a parameter, which such statements have none of.
    pub fn plan(&self, context: &PlanContext, parameters: Vec<Option<Type>>) -> Result<Planned> {
        let planned = plan_query(context, &self.query, &self.text, parameters)?;
        match planned.parameters.is_empty() {
            true => Ok(planned),
            false => Err(Error::UndefinedParameter { number: 1 }),
        }
    }
}
