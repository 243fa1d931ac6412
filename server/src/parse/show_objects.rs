//! Redshift's statements that show objects: SHOW DATABASES, SCHEMAS, TABLES, COLUMNS, and the definitions of relations.

use super::statement::{ObjectList, ShowObjects, ShownDefinition};
use super::{Statement, StatementReader};
use crate::error::{Error, Result};

impl StatementReader<'_> {
    /// What follows SHOW, if that is about objects.
    pub(super) fn shown_objects(&mut self) -> Result<Option<Statement>> {
        let shown = match self.listed_objects()? {
            Some(list) => {
                let pattern = if self.words(&["LIKE"]) { Some(self.string()?) } else { None };
                let limit = if self.words(&["LIMIT"]) { Some(self.whole_number()?) } else { None };
                ShowObjects::List { list, pattern, limit }
            }
            None => match self.shown_definition() {
                Some(what) => ShowObjects::Definition {
                    name: self.object_name()?,
                    with_partitions: what == ShownDefinition::ExternalTable && self.words(&["PARTITION"]),
                    what,
                },
                None => return Ok(None),
            },
        };
        Ok(Some(Statement::ShowObjects(shown)))
    }

    fn listed_objects(&mut self) -> Result<Option<ObjectList>> {
        let list = if self.words(&["DATABASES"]) {
            if self.words(&["FROM", "DATA", "CATALOG"]) {
                return Err(Error::not_supported("SHOW DATABASES FROM DATA CATALOG"));
            }
            ObjectList::Databases
        } else if self.words(&["SCHEMAS", "FROM", "DATABASE"]) {
            ObjectList::Schemas { database: self.identifier()? }
        } else if self.words(&["TABLES", "FROM", "SCHEMA"]) {
            ObjectList::Tables { schema: self.object_name()? }
        } else if self.words(&["COLUMNS", "FROM", "TABLE"]) {
            ObjectList::Columns { table: self.object_name()? }
        } else {
            return Ok(None);
        };
        Ok(Some(list))
    }

    fn shown_definition(&mut self) -> Option<ShownDefinition> {
        if self.words(&["EXTERNAL", "TABLE"]) {
            Some(ShownDefinition::ExternalTable)
        } else if self.words(&["TABLE"]) {
            Some(ShownDefinition::Table)
        } else if self.words(&["VIEW"]) {
            Some(ShownDefinition::View)
        } else {
            None
        }
    }
}
