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

/// The section whose files have a statement for each form that PostgreSQL documents.
const DOCUMENTED: &str = "documented/";

/// What of it is about a PostgreSQL server's own insides, and is counted apart.
const ABOUT_THE_SYSTEM: &str = "documented/system_";

/// How many of a hundred documented forms exist and agree at least.
const DOCUMENTED_PERCENT_MIN: usize = 95;

/// How many of a hundred errors stand at the same place of the statement at least, or both at none.
const PLACED_PERCENT_MIN: usize = 95;

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
    let mut documented = Documented::default();
    let (mut errors, mut placed) = (0, 0);
    let mut failures = Vec::new();
    for file in files {
        let address = address.clone();
        let run = tokio::task::spawn_blocking(move || FileRun::of(&address, file)).await.unwrap();
        let unknown = run.unknown_differences(&mut known);
        summary += &format!("{}: {} statements, {} differ\n", run.file.name, run.statements.len(), run.differing());
        documented.count(&run);
        errors += run.places.len();
        placed += run.places.iter().filter(|is_same| **is_same).count();
        if !unknown.is_empty() {
            failures.push(described(&run.file.name, &unknown));
        }
    }
    println!("{summary}");
    println!("known differences: {:#?}", known.met());
    println!("{}", documented.described());
    println!("errors: {errors} that both have, {placed} at the same place");
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    if filter.is_empty() {
        let suffices = placed * 100 >= errors * PLACED_PERCENT_MIN;
        assert!(suffices, "fewer than {PLACED_PERCENT_MIN} % of the errors are at PostgreSQL's place");
        assert!(documented.suffices(), "fewer than {DOCUMENTED_PERCENT_MIN} % of the documented forms agree");
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
    /// Whether PostgreSQL answered with rows: what makes tables and types is no form of a function.
    answered: Vec<bool>,
    /// Of each error that both answer, whether it is at the same place.
    places: Vec<bool>,
}

impl FileRun {
    fn of(address: &Address, file: CorpusFile) -> FileRun {
        let statements = file.statements().unwrap();
        let recorded = expected::read(&std::fs::read_to_string(file.expected_path()).unwrap()).unwrap();
        let ours = run(address, &file, &statements).unwrap();
        let recorded: Vec<Answer> = recorded.into_iter().map(|recorded| recorded.answer).collect();
        let differences = differences(&statements, &recorded, &ours);
        let answered = recorded.iter().map(|answer| matches!(answer, Answer::Rows { .. })).collect();
        let places = recorded.iter().zip(&ours).filter_map(|pair| match pair {
            (Answer::Error(theirs), Answer::Error(our)) if theirs.sqlstate == our.sqlstate => {
                Some(theirs.position == our.position)
            }
            _ => None,
        });
        let places = places.collect();
        FileRun { file, statements, differences, answered, places }
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

/// How many of the forms that PostgreSQL documents exist here and agree, by file.
#[derive(Default)]
struct Documented {
    /// File, forms, and those that agree.
    files: Vec<(String, usize, usize)>,
}

impl Documented {
    fn count(&mut self, run: &FileRun) {
        if !run.file.name.starts_with(DOCUMENTED) {
            return;
        }
        let forms = run.differences.iter().zip(&run.answered).filter(|(_, answered)| **answered);
        let agreeing = forms.clone().filter(|(difference, _)| difference.is_none());
        self.files.push((run.file.name.clone(), forms.count(), agreeing.count()));
    }

    /// The sums over the files that are about the system, or over the others.
    fn sums(&self, about_the_system: bool) -> (usize, usize) {
        let files = self.files.iter().filter(|(name, ..)| name.starts_with(ABOUT_THE_SYSTEM) == about_the_system);
        files.fold((0, 0), |(forms, agreeing), file| (forms + file.1, agreeing + file.2))
    }

    fn suffices(&self) -> bool {
        let (forms, agreeing) = self.sums(false);
        agreeing * 100 >= forms * DOCUMENTED_PERCENT_MIN
    }

    fn described(&self) -> String {
        let mut text = String::new();
        let mut line = |what: &str, (forms, agreeing): (usize, usize)| {
            text += &format!("{what}: documented {forms}, exist and agree {agreeing}\n");
        };
        for (name, forms, agreeing) in &self.files {
            line(name, (*forms, *agreeing));
        }
        line("functions and operators", self.sums(false));
        line("functions about the system", self.sums(true));
        text
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
