//! Which of several functions or operators of one name a call means (PostgreSQL's `parse_func.c` and `parse_oper.c`).

use pg::types::*;

use crate::analyze::category::{Category, category, is_preferred};
use crate::analyze::coerce::{can_coerce, common_type};
use pg::function::CastContext;

/// One of several entries of a name.
#[derive(Debug, Clone)]
pub struct Candidate<T> {
    /// The entry.
    pub entry: T,
    /// What it takes in each place of this call: a variadic argument is repeated.
    pub arguments: Vec<u32>,
    /// Whether an argument was repeated.
    pub variadic: bool,
}

/// What came of the choice.
#[derive(Debug)]
pub enum Choice<T> {
    /// One is the best.
    One(Candidate<T>),
    /// None takes such arguments.
    None,
    /// Several take them equally well.
    Ambiguous,
}

/// An entry's arguments for a call with so many; `None` when it does not take so many.
pub fn expand(arguments: &[u32], variadic: bool, count: usize) -> Option<(Vec<u32>, bool)> {
    if !variadic {
        return (arguments.len() == count).then(|| (arguments.to_vec(), false));
    }
    let (last, fixed) = arguments.split_last()?;
    if count < arguments.len() {
        return None;
    }
    let mut expanded = fixed.to_vec();
    expanded.resize(count, *last);
    Some((expanded, true))
}

/// The function that a call with arguments of these types means.
pub fn choose<T: Clone>(candidates: Vec<Candidate<T>>, actual: &[u32]) -> Choice<T> {
    let exact = candidates.iter().filter(|it| it.arguments == actual).min_by_key(|it| it.variadic);
    if let Some(exact) = exact {
        return Choice::One(exact.clone());
    }
    let mut viable: Vec<_> = candidates.into_iter().filter(|it| accepts(&it.arguments, actual)).collect();
    // A variadic function loses against one that takes exactly these arguments.
    if viable.iter().any(|it| !it.variadic) && viable.len() > 1 {
        let fixed: Vec<_> = viable.iter().filter(|it| !it.variadic).cloned().collect();
        viable.retain(|it| !it.variadic || !fixed.iter().any(|fixed| fixed.arguments == it.arguments));
    }
    match viable.len() {
        0 => Choice::None,
        1 => one(viable),
        _ => best(viable, actual),
    }
}

fn one<T>(mut viable: Vec<Candidate<T>>) -> Choice<T> {
    viable.pop().map_or(Choice::None, Choice::One)
}

/// Whether arguments of these types can become what is expected without a cast being written.
pub fn accepts(expected: &[u32], actual: &[u32]) -> bool {
    expected.len() == actual.len()
        && expected.iter().zip(actual).all(|(to, from)| can_coerce(*from, *to, CastContext::Implicit))
        && polymorphic_agree(expected, actual)
}

/// Whether the polymorphic arguments can stand for one type (`check_generic_type_consistency`).
fn polymorphic_agree(expected: &[u32], actual: &[u32]) -> bool {
    let mut element: Option<u32> = None;
    let mut compatible = Vec::new();
    for (expected, actual) in expected.iter().zip(actual) {
        if *actual == UNKNOWN {
            continue;
        }
        match *expected {
            ANYELEMENT | ANYNONARRAY | ANYENUM => {
                if *expected == ANYNONARRAY && element_type(*actual).is_some() {
                    return false;
                }
                if *element.get_or_insert(*actual) != *actual {
                    return false;
                }
            }
            ANYARRAY => {
                let Some(of) = element_type(*actual) else { return false };
                if *element.get_or_insert(of) != of {
                    return false;
                }
            }
            ANYCOMPATIBLE | ANYCOMPATIBLENONARRAY => {
                if *expected == ANYCOMPATIBLENONARRAY && element_type(*actual).is_some() {
                    return false;
                }
                compatible.push(*actual);
            }
            ANYCOMPATIBLEARRAY => match element_type(*actual) {
                Some(of) => compatible.push(of),
                None => return false,
            },
            _ => {}
        }
    }
    // A constant without a type is no label of anything.
    if element.is_none() && expected.contains(&ANYENUM) {
        return false;
    }
    compatible.is_empty() || common_type(&compatible).is_some()
}

/// `func_select_candidate`: narrows the choice down step by step.
fn best<T: Clone>(mut candidates: Vec<Candidate<T>>, actual: &[u32]) -> Choice<T> {
    let known = |position: usize| actual[position] != UNKNOWN;
    let places: Vec<usize> = (0..actual.len()).collect();

    // Those with the most exact matches.
    keep_most(&mut candidates, |candidate| {
        places.iter().filter(|p| known(**p) && candidate.arguments[**p] == actual[**p]).count()
    });
    if candidates.len() == 1 {
        return one(candidates);
    }
    // Those with the most exact matches or preferred types.
    keep_most(&mut candidates, |candidate| {
        let good = |place: &usize| {
            let (expected, actual) = (candidate.arguments[*place], actual[*place]);
            expected == actual || category(expected) == category(actual) && is_preferred(expected)
        };
        places.iter().filter(|place| known(**place) && good(place)).count()
    });
    if candidates.len() == 1 {
        return one(candidates);
    }
    if places.iter().all(|place| known(*place)) {
        return Choice::Ambiguous;
    }
    if let Some(narrowed) = by_category(&candidates, actual) {
        candidates = narrowed;
        if candidates.len() == 1 {
            return one(candidates);
        }
    }
    // If all known arguments are of one type, the others are of that type too.
    let mut known_types = actual.iter().filter(|oid| **oid != UNKNOWN);
    if let Some(first) = known_types.next()
        && known_types.all(|oid| oid == first)
    {
        let assumed = vec![*first; actual.len()];
        candidates.retain(|candidate| accepts(&candidate.arguments, &assumed));
        if candidates.len() == 1 {
            return one(candidates);
        }
    }
    Choice::Ambiguous
}

fn keep_most<T>(candidates: &mut Vec<Candidate<T>>, score: impl Fn(&Candidate<T>) -> usize) {
    let scores: Vec<_> = candidates.iter().map(&score).collect();
    let most = scores.iter().copied().max().unwrap_or(0);
    let mut scores = scores.into_iter();
    candidates.retain(|_| scores.next() == Some(most));
}

/// Chooses for each constant without a type a category: strings if any candidate takes one there, else the one that all
/// agree on; then drops what takes another, or no preferred type where one could be had.
fn by_category<T: Clone>(candidates: &[Candidate<T>], actual: &[u32]) -> Option<Vec<Candidate<T>>> {
    let mut chosen = Vec::new();
    for (place, _) in actual.iter().enumerate().filter(|(_, oid)| **oid == UNKNOWN) {
        let categories: Vec<_> = candidates.iter().map(|it| category(it.arguments[place])).collect();
        let wanted = if categories.contains(&Category::String) {
            Category::String
        } else if categories.iter().all(|it| *it == categories[0]) {
            categories[0]
        } else {
            return None;
        };
        let preferred =
            candidates.iter().any(|it| category(it.arguments[place]) == wanted && is_preferred(it.arguments[place]));
        chosen.push((place, wanted, preferred));
    }
    let fits = |candidate: &&Candidate<T>| {
        chosen.iter().all(|(place, wanted, preferred)| {
            let expected = candidate.arguments[*place];
            category(expected) == *wanted && (!preferred || is_preferred(expected))
        })
    };
    let narrowed: Vec<_> = candidates.iter().filter(fits).cloned().collect();
    (!narrowed.is_empty()).then_some(narrowed)
}

/// The operator that a call means: like a function, but a constant without a type is first taken for the type of the other
/// side (`binary_oper_exact`).
pub fn choose_operator<T: Clone>(candidates: Vec<Candidate<T>>, actual: &[u32]) -> Choice<T> {
    if let [left, right] = actual {
        let assumed = match (*left, *right) {
            (UNKNOWN, right) if right != UNKNOWN => Some([right, right]),
            (left, UNKNOWN) if left != UNKNOWN => Some([left, left]),
            _ => None,
        };
        if let Some(assumed) = assumed
            && let Some(exact) = candidates.iter().find(|it| it.arguments == assumed)
        {
            return Choice::One(exact.clone());
        }
    }
    choose(candidates, actual)
}
