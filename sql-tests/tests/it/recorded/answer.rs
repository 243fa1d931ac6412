//! The answer to a query, its file, and how it differs from another.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use tokio_postgres::{Client, SimpleQueryMessage};

use super::order::{Order, with_ties};
use super::value::is_same;
use crate::client::SqlError;

/// A row as text; `None` is NULL.
pub type Row = Vec<Option<String>>;

/// Columns and rows of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Names of the columns.
    pub names: Vec<String>,
    /// Names of the columns' types.
    pub types: Vec<String>,
    /// The rows, in the order in which they came.
    pub rows: Vec<Row>,
}

impl Answer {
    /// Asks a server.
    pub async fn of_server(client: &Client, query: &str) -> Result<Answer, SqlError> {
        let statement = client.prepare(query).await?;
        let columns = statement.columns();
        let names = columns.iter().map(|column| column.name().to_owned()).collect();
        let types = columns.iter().map(|column| column.type_().name().to_owned()).collect();
        let messages = client.simple_query(query).await?;
        Ok(Answer { names, types, rows: messages.iter().filter_map(row).collect() })
    }

    /// Writes a line with the columns, then one for each row. Fields are separated and escaped as in COPY's text format.
    fn to_text(&self) -> String {
        let columns = self.names.iter().zip(&self.types).map(|(name, type_name)| format!("{name} {type_name}"));
        let mut text = columns.collect::<Vec<_>>().join("\t") + "\n";
        for row in &self.rows {
            let fields: Vec<_> = row.iter().map(|value| field(value.as_deref())).collect();
            writeln!(text, "{}", fields.join("\t")).unwrap();
        }
        text
    }

    fn of_text(text: &str) -> Answer {
        let mut lines = text.lines();
        let columns = lines.next().unwrap().split('\t').map(|column| column.rsplit_once(' ').unwrap());
        let (names, types) = columns.map(|(name, type_name)| (name.to_owned(), type_name.to_owned())).unzip();
        Answer { names, types, rows: lines.map(|line| line.split('\t').map(value).collect()).collect() }
    }

    /// The first difference of `actual`, or `None` if it is this answer. This one has all rows that tie with its last.
    pub fn difference(&self, actual: &Answer, order: &Order) -> Option<String> {
        if self.names != actual.names {
            return Some(format!("columns {:?} instead of {:?}", actual.names, self.names));
        }
        if self.types != actual.types {
            return Some(format!("types {:?} instead of {:?}", actual.types, self.types));
        }
        let expected_len = order.limit.unwrap_or(usize::MAX).min(self.rows.len());
        if actual.rows.len() != expected_len {
            return Some(format!("{} rows instead of {expected_len}", actual.rows.len()));
        }
        let mut start = 0;
        while start < expected_len {
            let end = self.end_of_tie(start, order);
            let tie = &self.rows[start..end];
            if let Some(difference) = self.difference_in_tie(tie, &actual.rows[start..end.min(expected_len)]) {
                return Some(format!("row {start} or later: {difference}"));
            }
            start = end;
        }
        None
    }

    /// Where the rows end that have the keys of the row at `start`.
    fn end_of_tie(&self, start: usize, order: &Order) -> usize {
        let has_its_keys = |row: &Row| order.keys.iter().all(|key| row[*key] == self.rows[start][*key]);
        start + self.rows[start..].iter().take_while(|row| has_its_keys(row)).count()
    }

    /// Each of the actual rows must be one of the expected ones, and a different one.
    fn difference_in_tie(&self, expected: &[Row], actual: &[Row]) -> Option<String> {
        let mut left: Vec<&Row> = expected.iter().collect();
        for row in actual {
            match left.iter().position(|expected| self.is_same_row(expected, row)) {
                Some(found) => drop(left.swap_remove(found)),
                None => return Some(format!("{row:?} instead of {:?}", left.first())),
            }
        }
        None
    }

    fn is_same_row(&self, expected: &Row, actual: &Row) -> bool {
        let mut values = self.types.iter().zip(expected.iter().zip(actual));
        expected.len() == actual.len()
            && values.all(|(type_name, (expected, actual))| is_same(type_name, expected.as_deref(), actual.as_deref()))
    }
}

fn row(message: &SimpleQueryMessage) -> Option<Row> {
    let SimpleQueryMessage::Row(row) = message else { return None };
    Some((0..row.len()).map(|index| row.get(index).map(str::to_owned)).collect())
}

fn field(value: Option<&str>) -> String {
    match value {
        Some(text) => text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n"),
        None => "\\N".to_owned(),
    }
}

fn value(field: &str) -> Option<String> {
    if field == "\\N" {
        return None;
    }
    let mut text = String::new();
    let mut characters = field.chars();
    while let Some(character) = characters.next() {
        text.push(match (character, character == '\\') {
            (_, true) => match characters.next().unwrap() {
                't' => '\t',
                'n' => '\n',
                escaped => escaped,
            },
            (plain, false) => plain,
        });
    }
    Some(text)
}

/// A query in a file, beside which PostgreSQL's answer is recorded.
pub struct RecordedQuery {
    /// Its name, such as `q01`.
    pub name: String,
    /// Its text.
    pub sql: String,
    folder: PathBuf,
}

impl RecordedQuery {
    /// All queries of a folder of this package, by name.
    pub fn of_folder(folder: &str) -> Vec<RecordedQuery> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let mut queries: Vec<_> = files.filter_map(|file| RecordedQuery::of_file(&folder, &file)).collect();
        queries.sort_unstable_by(|left, right| left.name.cmp(&right.name));
        queries
    }

    fn of_file(folder: &Path, file: &Path) -> Option<RecordedQuery> {
        let name = file.file_name()?.to_str()?.strip_suffix(".sql")?.to_owned();
        Some(RecordedQuery { name, sql: std::fs::read_to_string(file).unwrap(), folder: folder.to_owned() })
    }

    /// Where something is recorded of it.
    pub(super) fn file(&self, kind: &str) -> PathBuf {
        self.folder.join(kind).join(format!("{}.txt", self.name))
    }

    /// Asks PostgreSQL and writes down what it answers.
    pub async fn record(&self, postgresql: &Client) {
        let answer = Answer::of_server(postgresql, &with_ties(&self.sql)).await;
        let answer = answer.unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let file = self.file("answers");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, answer.to_text()).unwrap();
    }

    /// What PostgreSQL answered, with all rows that tie with the last one.
    pub fn recorded(&self) -> Answer {
        let file = self.file("answers");
        let text = std::fs::read_to_string(&file);
        Answer::of_text(&text.unwrap_or_else(|error| panic!("{}: {error}", file.display())))
    }

    /// The order that the query asks for.
    pub fn order(&self) -> Order {
        Order::of_query(&self.sql, &self.recorded().names)
    }

    /// How the answer of a server differs from the recorded one.
    pub async fn difference(&self, client: &Client) -> Option<String> {
        let difference = match Answer::of_server(client, &self.sql).await {
            Ok(actual) => self.recorded().difference(&actual, &self.order()),
            Err(error) => Some(error.to_string()),
        };
        difference.map(|difference| format!("{}: {difference}", self.name))
    }
}

#[test]
fn an_answer_is_read_as_it_was_written() {
    let row = ["a\tb\nc\\N", "", "\\"].map(|text| Some(text.to_owned()));
    let answer = Answer {
        names: ["sum", "a name", "?column?"].map(str::to_owned).to_vec(),
        types: ["text", "text", "text"].map(str::to_owned).to_vec(),
        rows: vec![row.to_vec(), vec![None, None, Some("\\N".to_owned())]],
    };
    assert_eq!(Answer::of_text(&answer.to_text()), answer);
}
