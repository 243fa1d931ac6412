//! What was counted, and examples of what differs.

use std::collections::BTreeMap;
use std::fmt;

use super::run::Outcome;
use crate::compare::Difference;
use crate::differences::{Differences, GENERATED};

/// Examples that are kept of each thing that differs.
const EXAMPLES_MAX: usize = 3;

/// After so many examples there is no need to make another one small.
const ENOUGH: usize = 40;

/// Of a hundred thousand statements that PostgreSQL answers, so many may be answered differently.
const DIFFERING_PER_100_000_MAX: u64 = 100;

/// Kinds of differences by which an answer is silently wrong, or has shown a mistake of ours.
const WRONG: [&str; 3] = ["value", "rows", "internal error"];

/// Kinds of differences between two answers.
const ANSWERED: [&str; 3] = ["value", "rows", "columns"];

/// Kinds of differences from a statement that PostgreSQL answers.
const DIFFERING: [&str; 5] = ["value", "rows", "columns", "refused", "internal error"];

/// The counts of a run.
#[derive(Debug, Default)]
pub struct Report {
    same: u64,
    both_refuse: u64,
    digits: u64,
    no_answer: u64,
    by_kind: BTreeMap<&'static str, u64>,
    /// By kind of difference and by what differs.
    groups: BTreeMap<(&'static str, String), Group>,
}

#[derive(Debug, Default)]
struct Group {
    count: u64,
    examples: Vec<(String, Difference)>,
}

impl Report {
    /// Counts what came of a statement.
    pub fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Same => self.same += 1,
            Outcome::BothRefuse => self.both_refuse += 1,
            Outcome::Digits => self.digits += 1,
            Outcome::NoAnswer => self.no_answer += 1,
            Outcome::Differs(difference) => *self.by_kind.entry(difference.kind()).or_default() += 1,
        }
    }

    /// Keeps a difference as an example of what differs.
    pub fn add(&mut self, label: &str, sql: &str, difference: &Difference) {
        let group = self.groups.entry((difference.kind(), label.to_owned())).or_default();
        group.count += 1;
        group.examples.push((sql.to_owned(), difference.clone()));
        // The shortest ones say most.
        group.examples.sort_by_key(|(sql, _)| sql.len());
        group.examples.truncate(EXAMPLES_MAX);
    }

    /// Whether one more example of this would say nothing new.
    pub fn knows_enough_of(&self, difference: &Difference, label: &str) -> bool {
        self.groups.get(&(difference.kind(), label.to_owned())).is_some_and(|group| group.count as usize >= ENOUGH)
    }

    /// Adds what another worker has counted.
    pub fn merge(&mut self, other: Report) {
        self.same += other.same;
        self.both_refuse += other.both_refuse;
        self.digits += other.digits;
        self.no_answer += other.no_answer;
        for (kind, count) in other.by_kind {
            *self.by_kind.entry(kind).or_default() += count;
        }
        for ((kind, label), group) in other.groups {
            let mine = self.groups.entry((kind, label)).or_default();
            mine.count += group.count;
            mine.examples.extend(group.examples);
            mine.examples.sort_by_key(|(sql, _)| sql.len());
            mine.examples.truncate(EXAMPLES_MAX);
        }
    }

    /// Statements that PostgreSQL answers, without those that are not supported here.
    pub fn accepted(&self) -> u64 {
        self.same + self.digits + self.differing()
    }

    /// Those of them that are answered differently, or refused.
    pub fn differing(&self) -> u64 {
        DIFFERING.iter().filter_map(|kind| self.by_kind.get(kind)).sum()
    }

    /// What is wrong with the counts, if the known differences are set aside.
    pub fn verdict(&self, known: &mut Differences) -> Result<(), String> {
        let mut unknown = BTreeMap::<_, u64>::new();
        let mut examples = String::new();
        for ((kind, label), group) in &self.groups {
            let Some((sql, difference)) = group.examples.first() else { continue };
            if known.reason(GENERATED, label, difference).is_none() {
                *unknown.entry(*kind).or_default() += group.count;
                if WRONG.contains(kind) {
                    examples += &format!("\n  {sql}\n    {difference}");
                }
            }
        }
        let count = |kinds: &[&str]| kinds.iter().filter_map(|kind| unknown.get(kind)).sum::<u64>();
        let (wrong, differing) = (count(&WRONG), count(&ANSWERED));
        if wrong > 0 {
            return Err(format!("{wrong} wrong answers without a known reason:{examples}"));
        }
        if differing * 100_000 > self.accepted() * DIFFERING_PER_100_000_MAX {
            return Err(format!("{differing} of the {} that PostgreSQL answers differ", self.accepted()));
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut groups: Vec<_> = self.groups.iter().collect();
        groups.sort_by_key(|(key, group)| (key.0, std::cmp::Reverse(group.count)));
        for ((kind, label), group) in groups {
            writeln!(f, "{:7} {kind}: {label}", group.count)?;
            for (sql, difference) in &group.examples {
                writeln!(f, "        {sql}\n          {}", difference.text())?;
            }
        }
        writeln!(f, "\n{:9} answered alike by both", self.same)?;
        writeln!(f, "{:9} alike but for the last digits of a number", self.digits)?;
        writeln!(f, "{:9} refused by both, for the same reason", self.both_refuse)?;
        writeln!(f, "{:9} without an answer from PostgreSQL in time", self.no_answer)?;
        for (kind, count) in &self.by_kind {
            writeln!(f, "{count:9} differ: {kind}")?;
        }
        let accepted = self.accepted();
        let percent = self.differing() as f64 * 100.0 / accepted.max(1) as f64;
        writeln!(
            f,
            "{:9} of the {accepted} that PostgreSQL answers are answered differently or refused ({percent:.3} %)",
            self.differing()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_value_fails_the_run_unless_it_is_known() {
        let difference = Difference::Value("1 / 2".to_owned());
        let mut report = Report::default();
        report.count(&Outcome::Differs(difference.clone()));
        report.add("integer + integer", "SELECT 1 + 0", &difference);
        assert!(report.verdict(&mut Differences::default()).is_err());
        let mut known = Differences::read("[reason]\ngenerated: integer + integer").expect("well formed");
        assert!(report.verdict(&mut known).is_ok());
    }
}
