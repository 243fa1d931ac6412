//! Records PostgreSQL's answers to the corpus, or shows how another server's differ from them.
//!
//! `record ADDRESS [FILTER]` writes the `.expected` files of the corpus files whose name contains the filter;
//! `record --compare ADDRESS [FILTER]` prints what that server answers differently, whether it is listed or not;
//! `record --list ADDRESS` brings the list up to date: what differs newly is put below the reason `unexplained`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sql_tests::answer::{Answer, LOST};
use sql_tests::command;
use sql_tests::compare::{Difference, compare};
use sql_tests::corpus::{self, CorpusFile};
use sql_tests::differences::Differences;
use sql_tests::expected;
use sql_tests::session::Address;
use sql_tests::statements::Statement;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["--list", address] => list(address),
        ["--compare", address, filter @ ..] if filter.len() < 2 => show(address, &filter.concat()),
        [address, filter @ ..] if filter.len() < 2 => record(address, &filter.concat()),
        _ => Err("usage: record [--compare] ADDRESS [FILTER], or record --list ADDRESS".into()),
    };
    command::end(done)
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn record(address: &str, filter: &str) -> Result<()> {
    let address = Address::parse(address)?;
    for file in corpus::files(&root(), filter)? {
        record_file(&address, &file).map_err(|error| format!("{}: {error}", file.name))?;
    }
    Ok(())
}

fn record_file(address: &Address, file: &CorpusFile) -> Result<()> {
    let statements = file.statements()?;
    let answers = corpus::run(address, file, &statements)?;
    if let Some((statement, _)) = statements.iter().zip(&answers).find(|(_, answer)| is_lost(answer)) {
        return Err(format!("no answer to line {}: {}", statement.line, statement.title()).into());
    }
    let errors = answers.iter().filter(|answer| matches!(answer, Answer::Error(_))).count();
    std::fs::write(file.expected_path(), expected::write(&statements, &answers))?;
    println!("{}: {} statements, of which {errors} are refused", file.name, statements.len());
    Ok(())
}

fn is_lost(answer: &Answer) -> bool {
    matches!(answer, Answer::Error(error) if error.message.starts_with(LOST))
}

fn show(address: &str, filter: &str) -> Result<()> {
    for (file, statement, difference) in differences(address, filter)? {
        let (kind, title, text) = (difference.kind(), statement.title(), difference.text());
        println!("{file}:{}\t{kind}\t{title}\t{text}", statement.line);
    }
    Ok(())
}

fn list(address: &str) -> Result<()> {
    let path = root().join("differences.txt");
    let mut known = Differences::read(&std::fs::read_to_string(&path)?)?;
    let mut unexplained = Vec::new();
    for (file, statement, difference) in differences(address, "")? {
        let title = statement.title();
        let is_known = known.reason(&file, &title, &difference).is_some();
        if !is_known && !matches!(difference, Difference::Message(_)) {
            unexplained.push((file, title));
        }
    }
    unexplained.sort();
    unexplained.dedup();
    std::fs::write(path, known.updated(&unexplained))?;
    println!("{} differences are new, and unexplained", unexplained.len());
    Ok(())
}

/// File, statement and difference of all that a server answers differently.
fn differences(address: &str, filter: &str) -> Result<Vec<(String, Statement, Difference)>> {
    let address = Address::parse(address)?;
    let mut differences = Vec::new();
    for file in corpus::files(&root(), filter)? {
        let statements = file.statements()?;
        let recorded = expected::read(&std::fs::read_to_string(file.expected_path())?)?;
        let answers = corpus::run(&address, &file, &statements)?;
        for ((statement, ours), recorded) in statements.into_iter().zip(&answers).zip(&recorded) {
            if let Some(difference) = compare(&statement.sql, &recorded.answer, ours) {
                differences.push((file.name.clone(), statement, difference));
            }
        }
    }
    Ok(differences)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}
