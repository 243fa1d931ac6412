//! An expression as an automaton that is in several states at once: it answers in linear time where matches can end, or
//! run backwards, where they can begin.

use std::sync::Arc;

use super::class::{Class, is_word};
use super::parse::{Assertion, Re};
use super::too_complex;
use crate::error::Result;

/// States that an automaton may have.
const STATES_MAX: usize = 100_000;

/// Which way text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    Backward,
}

#[derive(Debug, Clone)]
enum State {
    /// Reads a character.
    Class(Arc<Class>, u32),
    /// Is in both.
    Split(u32, u32),
    Assertion(Assertion, u32),
    Match,
}

/// An expression as an automaton.
#[derive(Debug, Clone)]
pub(super) struct Automaton {
    states: Vec<State>,
    start: u32,
    direction: Direction,
}

impl Automaton {
    /// For text that is read in this direction.
    pub(super) fn new(re: &Re, direction: Direction) -> Result<Self> {
        let mut automaton = Automaton { states: vec![State::Match], start: 0, direction };
        automaton.start = automaton.add(re, 0)?;
        Ok(automaton)
    }

    fn push(&mut self, state: State) -> Result<u32> {
        if self.states.len() >= STATES_MAX {
            return Err(too_complex());
        }
        self.states.push(state);
        Ok(self.states.len() as u32 - 1)
    }

    /// Adds the states of an expression that goes on to `next`; answers the first of them.
    fn add(&mut self, re: &Re, next: u32) -> Result<u32> {
        match re {
            Re::Empty => Ok(next),
            Re::Class(class) => self.push(State::Class(class.clone(), next)),
            Re::Assertion(assertion) => self.push(State::Assertion(*assertion, next)),
            Re::Group(_, body) => self.add(body, next),
            Re::Concat(parts) => match self.direction {
                Direction::Forward => parts.iter().rev().try_fold(next, |next, part| self.add(part, next)),
                Direction::Backward => parts.iter().try_fold(next, |next, part| self.add(part, next)),
            },
            Re::Alternatives(branches) => {
                let mut all = None;
                for branch in branches {
                    let first = self.add(branch, next)?;
                    all = Some(match all {
                        Some(others) => self.push(State::Split(others, first))?,
                        None => first,
                    });
                }
                Ok(all.unwrap_or(next))
            }
            Re::Repeat { body, min, max, .. } => {
                let mut first = match max {
                    None => {
                        let again = self.push(State::Split(next, next))?;
                        let body = self.add(body, again)?;
                        self.states[again as usize] = State::Split(body, next);
                        again
                    }
                    Some(max) => {
                        let mut first = next;
                        for _ in *min..*max {
                            let body = self.add(body, first)?;
                            first = self.push(State::Split(body, next))?;
                        }
                        first
                    }
                };
                for _ in 0..*min {
                    first = self.add(body, first)?;
                }
                Ok(first)
            }
        }
    }

    /// The end of the longest match that begins there.
    pub(super) fn longest(&self, text: &str, start: usize) -> Option<usize> {
        let mut longest = None;
        self.run(text, start, text.len(), |end| {
            longest = Some(end);
            true
        });
        longest
    }

    /// The end of the shortest match that begins there.
    pub(super) fn shortest(&self, text: &str, start: usize) -> Option<usize> {
        let mut shortest = None;
        self.run(text, start, text.len(), |end| {
            shortest = Some(end);
            false
        });
        shortest
    }

    /// All places between the two where a match that begins at the first can stop, in the order of reading.
    pub(super) fn stops(&self, text: &str, from: usize, to: usize) -> Vec<usize> {
        let mut stops = Vec::new();
        self.run(text, from, to, |stop| {
            stops.push(stop);
            true
        });
        stops
    }

    /// Whether it matches all of this part of the text.
    pub(super) fn matches_all(&self, text: &str, from: usize, to: usize) -> bool {
        self.stops(text, from, to).last() == Some(&to)
    }

    /// Reads the text from one place to the other and tells each place where a match stops, while the answer is to go on.
    fn run(&self, text: &str, from: usize, to: usize, mut stop: impl FnMut(usize) -> bool) {
        let mut current = Active::new(self.states.len());
        let mut next = Active::new(self.states.len());
        current.enter(self, self.start, text, from);
        let mut place = from;
        loop {
            if current.matched && !stop(place) || place == to || current.states.is_empty() {
                return;
            }
            let c = match self.direction {
                Direction::Forward => text.get(place..).and_then(|rest| rest.chars().next()),
                Direction::Backward => text.get(..place).and_then(|rest| rest.chars().next_back()),
            };
            let Some(c) = c else { return };
            place = match self.direction {
                Direction::Forward => place + c.len_utf8(),
                Direction::Backward => place - c.len_utf8(),
            };
            next.clear();
            for state in &current.states {
                if let State::Class(class, target) = &self.states[*state as usize]
                    && class.contains(c)
                {
                    next.enter(self, *target, text, place);
                }
            }
            std::mem::swap(&mut current, &mut next);
        }
    }
}

/// The states that an automaton is in.
struct Active {
    /// Those that read a character.
    states: Vec<u32>,
    matched: bool,
    entered: Vec<bool>,
    trail: Vec<u32>,
    pending: Vec<u32>,
}

impl Active {
    fn new(states: usize) -> Self {
        let (trail, pending) = (Vec::new(), Vec::new());
        Active { states: Vec::new(), matched: false, entered: vec![false; states], trail, pending }
    }

    fn clear(&mut self) {
        for state in self.trail.drain(..) {
            self.entered[state as usize] = false;
        }
        self.states.clear();
        self.matched = false;
    }

    /// Enters a state, and those that are reached from it without reading.
    fn enter(&mut self, automaton: &Automaton, state: u32, text: &str, place: usize) {
        self.pending.push(state);
        while let Some(state) = self.pending.pop() {
            if std::mem::replace(&mut self.entered[state as usize], true) {
                continue;
            }
            self.trail.push(state);
            match &automaton.states[state as usize] {
                State::Class(..) => self.states.push(state),
                State::Match => self.matched = true,
                State::Split(left, right) => self.pending.extend([*left, *right]),
                State::Assertion(assertion, next) => {
                    if holds(*assertion, text, place) {
                        self.pending.push(*next);
                    }
                }
            }
        }
    }
}

/// Whether the assertion holds in this place of the text.
fn holds(assertion: Assertion, text: &str, place: usize) -> bool {
    let before = || text.get(..place).and_then(|rest| rest.chars().next_back());
    let after = || text.get(place..).and_then(|rest| rest.chars().next());
    let words = || (before().is_some_and(is_word), after().is_some_and(is_word));
    match assertion {
        Assertion::TextStart => place == 0,
        Assertion::TextEnd => place == text.len(),
        Assertion::LineStart => before().is_none_or(|c| c == '\n'),
        Assertion::LineEnd => after().is_none_or(|c| c == '\n'),
        Assertion::WordStart => words() == (false, true),
        Assertion::WordEnd => words() == (true, false),
        Assertion::WordBoundary => words().0 != words().1,
        Assertion::NoWordBoundary => words().0 == words().1,
    }
}
