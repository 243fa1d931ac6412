//! The files of the corpus, and how one of them is run.

use std::io;
use std::path::{Path, PathBuf};

use crate::answer::{Answer, SqlError};
use crate::session::{Address, Session};
use crate::statements::{Statement, split};

/// A file of statements below `corpus/`.
#[derive(Clone, Debug)]
pub struct CorpusFile {
    /// Section and topic: `text/like`.
    pub name: String,
    /// The statements.
    pub path: PathBuf,
}

impl CorpusFile {
    /// Where PostgreSQL's answers are.
    pub fn expected_path(&self) -> PathBuf {
        self.path.with_extension("expected")
    }

    /// The statements, in order.
    pub fn statements(&self) -> io::Result<Vec<Statement>> {
        Ok(split(&std::fs::read_to_string(&self.path)?))
    }

    /// The schema that its statements see.
    fn schema(&self) -> String {
        format!("corpus_{}", self.name.replace(|c: char| !c.is_ascii_alphanumeric(), "_"))
    }
}

/// The files whose name contains the filter, in the order of their names.
pub fn files(root: &Path, filter: &str) -> io::Result<Vec<CorpusFile>> {
    let mut files = Vec::new();
    for section in std::fs::read_dir(root)? {
        let section = section?;
        if !section.file_type()?.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(section.path())? {
            let path = file?.path();
            if path.extension().is_none_or(|extension| extension != "sql") {
                continue;
            }
            let topic = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            files.push(CorpusFile { name: format!("{}/{topic}", section.file_name().to_string_lossy()), path });
        }
    }
    files.retain(|file| file.name.contains(filter));
    files.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(files)
}

/// Runs a file in a session and a schema of its own, and returns the answer to each of its statements.
///
/// A server that hangs up has given no answer to the statement; a new session goes on with the next one.
pub fn run(address: &Address, file: &CorpusFile, statements: &[Statement]) -> io::Result<Vec<Answer>> {
    let schema = file.schema();
    let texts: Vec<_> = statements.iter().map(|statement| statement.sql.as_str()).collect();
    let mut session = session_in_new_schema(address, &schema)?;
    let answers = match session.run_all(&texts) {
        Ok(answers) => answers,
        Err(_) => {
            session = session_in_new_schema(address, &schema)?;
            run_one_by_one(address, &schema, &mut session, &texts)?
        }
    };
    session.run("ROLLBACK")?;
    session.run(&format!("DROP SCHEMA {schema} CASCADE"))?;
    Ok(answers)
}

fn session_in_new_schema(address: &Address, schema: &str) -> io::Result<Session> {
    let mut session = Session::connect(address)?;
    session.run(&format!("DROP SCHEMA IF EXISTS {schema} CASCADE"))?;
    session.run(&format!("CREATE SCHEMA {schema}"))?;
    session.run(&format!("SET search_path TO {schema}"))?;
    Ok(session)
}

/// Finds out at which statement the server hangs up.
fn run_one_by_one(
    address: &Address,
    schema: &str,
    session: &mut Session,
    statements: &[&str],
) -> io::Result<Vec<Answer>> {
    let mut answers = Vec::with_capacity(statements.len());
    for sql in statements {
        match session.run(sql) {
            Ok(answer) => answers.push(answer),
            Err(error) => {
                answers.push(Answer::Error(SqlError::lost(&error)));
                *session = Session::connect(address)?;
                session.run(&format!("SET search_path TO {schema}"))?;
            }
        }
    }
    Ok(answers)
}
