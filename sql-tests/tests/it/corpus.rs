//! Runs the statements below `corpus/` and compares the answers with those that PostgreSQL gave.
//!
//! What differs must be listed in `corpus/differences.txt`, and what is listed must differ; each reason of that list is
//! explained in `docs/differences.md`. `CORPUS_FILTER` runs the files whose name contains it, and then no line is stale.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sql_tests::answer::Answer;
use sql_tests::compare::{Difference, compare};
use sql_tests::corpus::{CorpusFile, files, run};
use sql_tests::differences::Differences;
use sql_tests::expected;
use sql_tests::session::Address;
use sql_tests::statements::Statement;

use crate::support::server::TestServer;

/// Differences that are shown of one file; the others are counted.
const SHOWN_PER_FILE: usize = 10;

#[tokio::test]
async fn answers_are_those_of_postgresql() {
    let server = TestServer::builder().start().await;
    let address = Address::local(server.port(), "thermocline");
    let filter = std::env::var("CORPUS_FILTER").unwrap_or_default();
    let files = files(&root(), &filter).unwrap();
    assert!(!files.is_empty(), "no file to run below {}", root().display());

    let mut known = known_differences();
    let mut summary = String::new();
    let mut failures = Vec::new();
    for file in files {
        let address = address.clone();
        let run = tokio::task::spawn_blocking(move || FileRun::of(&address, file)).await.unwrap();
        let unknown = run.unknown_differences(&mut known);
        summary += &format!("{}: {} statements, {} differ\n", run.file.name, run.statements.len(), run.differing());
        if !unknown.is_empty() {
            failures.push(described(&run.file.name, &unknown));
        }
    }
    println!("{summary}");
    println!("known differences: {:#?}", known.met());
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    if filter.is_empty() {
        assert_eq!(known.stale(), [] as [usize; 0], "lines of corpus/differences.txt that no longer hold");
    }
}

#[test]
fn every_reason_is_explained() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/differences.md");
    let explanations = std::fs::read_to_string(path).unwrap();
    for reason in known_differences().reasons() {
        let heading = format!("## {reason}\n");
        assert!(explanations.contains(&heading), "docs/differences.md does not explain {reason}");
    }
}

#[test]
fn every_file_is_recorded() {
    for file in files(&root(), "").unwrap() {
        let recorded = expected::read(&std::fs::read_to_string(file.expected_path()).unwrap()).unwrap();
        let recorded: Vec<_> = recorded.into_iter().map(|recorded| recorded.title).collect();
        let titles: Vec<_> = file.statements().unwrap().iter().map(Statement::title).collect();
        assert_eq!(recorded, titles, "{} was changed after sql-tests/record-postgresql", file.name);
    }
}

/// A file, what PostgreSQL answered to it, and what the server under test does.
struct FileRun {
    file: CorpusFile,
    statements: Vec<Statement>,
    differences: Vec<Option<Difference>>,
}

impl FileRun {
    fn of(address: &Address, file: CorpusFile) -> FileRun {
        let statements = file.statements().unwrap();
        let recorded = expected::read(&std::fs::read_to_string(file.expected_path()).unwrap()).unwrap();
        let ours = run(address, &file, &statements).unwrap();
        let recorded: Vec<Answer> = recorded.into_iter().map(|recorded| recorded.answer).collect();
        let differences = differences(&statements, &recorded, &ours);
        FileRun { file, statements, differences }
    }

    fn differing(&self) -> usize {
        self.differences.iter().flatten().count()
    }

    /// Those that the list does not have. Another sentence in an error is none: its code is the same.
    fn unknown_differences(&self, known: &mut Differences) -> Vec<(&Statement, &Difference)> {
        let mut unknown = Vec::new();
        for (statement, difference) in self.statements.iter().zip(&self.differences) {
            let Some(difference) = difference else { continue };
            let is_known = known.reason(&self.file.name, &statement.title(), difference).is_some();
            if !is_known && !matches!(difference, Difference::Message(_)) {
                unknown.push((statement, difference));
            }
        }
        unknown
    }
}

fn differences(statements: &[Statement], postgres: &[Answer], ours: &[Answer]) -> Vec<Option<Difference>> {
    let answers = statements.iter().zip(postgres.iter().zip(ours));
    answers.map(|(statement, (postgres, ours))| compare(&statement.sql, postgres, ours)).collect()
}

fn described(file: &str, unknown: &[(&Statement, &Difference)]) -> String {
    let mut kinds = BTreeMap::<_, usize>::new();
    for (_, difference) in unknown {
        *kinds.entry(difference.kind()).or_default() += 1;
    }
    let mut text = format!("{file}: {kinds:?}\n");
    for (statement, difference) in unknown.iter().take(SHOWN_PER_FILE) {
        text += &format!("  line {}: {}\n    {difference}\n", statement.line, statement.title());
    }
    text
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

fn known_differences() -> Differences {
    Differences::read(&std::fs::read_to_string(root().join("differences.txt")).unwrap()).unwrap()
}
