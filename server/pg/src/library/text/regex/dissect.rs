//! What the groups of an expression hold once the whole match is known.
//!
//! PostgreSQL gives each part as much as it can have, or as little, as the part prefers, and earlier parts come first. A
//! part prefers what the first of its pieces with a quantifier does, and alternatives together prefer much; pieces without
//! groups that follow one another and prefer the same count as one piece. [`tree`] makes these pieces as PostgreSQL does
//! (`parseqatom` in `regcomp.c`), because they decide which of several ways to match is the one. What a part can have is
//! asked of automata, so nothing is tried in vain.

use super::Span;
use super::automaton::{Automaton, Direction};
use super::parse::{Preference, Re};
use crate::error::Result;

/// What an expression prefers, and whether that matters within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Traits {
    long: bool,
    short: bool,
    /// Some parts of it prefer one thing, some the other.
    mixed: bool,
    /// A group that is remembered is in it.
    remembers: bool,
}

impl Traits {
    fn preferring(preference: Option<Preference>) -> Self {
        let mut traits = Traits::default();
        match preference {
            Some(Preference::Long) => traits.long = true,
            Some(Preference::Short) => traits.short = true,
            None => {}
        }
        traits
    }

    fn or(self, other: Traits) -> Self {
        Traits {
            long: self.long || other.long,
            short: self.short || other.short,
            mixed: self.mixed || other.mixed,
            remembers: self.remembers || other.remembers,
        }
    }

    fn preference(self) -> Option<Preference> {
        match (self.long, self.short) {
            (true, _) => Some(Preference::Long),
            (false, true) => Some(Preference::Short),
            (false, false) => None,
        }
    }

    /// What is passed on to an expression that this is a part of.
    fn of_part(self) -> Self {
        Traits { long: false, short: false, mixed: self.mixed || (self.long && self.short), remembers: self.remembers }
    }

    /// Of two parts, the preference of the first that has one.
    fn combined(self, other: Traits) -> Self {
        let preference = self.preference().or(other.preference());
        self.or(other).of_part().or(Traits::preferring(preference))
    }

    fn matter_within(self) -> bool {
        self.mixed || self.remembers
    }
}

/// A part of an expression.
#[derive(Debug)]
pub(super) struct Node {
    traits: Traits,
    /// The group that it is.
    group: Option<usize>,
    kind: Kind,
    /// What it matches.
    re: Re,
    forward: Automaton,
    backward: Automaton,
    /// Characters of all of its matches, when that is one number.
    length: Option<usize>,
}

#[derive(Debug)]
enum Kind {
    /// Nothing in it is asked for.
    Plain,
    Concat(Box<Node>, Box<Node>),
    Alternatives(Vec<Node>),
    /// Any number of times, zero included.
    Repeat(Box<Node>, Option<u32>),
}

impl Node {
    fn new(re: Re, traits: Traits, kind: Kind) -> Result<Self> {
        let forward = Automaton::new(&re, Direction::Forward)?;
        let backward = Automaton::new(&re, Direction::Backward)?;
        let length = length(&re);
        Ok(Node { traits, group: None, kind, re, forward, backward, length })
    }

    fn empty() -> Result<Self> {
        Node::new(Re::Empty, Traits::default(), Kind::Plain)
    }

    fn concat(left: Node, right: Node, traits: Traits) -> Result<Self> {
        let re = Re::Concat(vec![left.re.clone(), right.re.clone()]);
        Node::new(re, traits, Kind::Concat(Box::new(left), Box::new(right)))
    }

    /// Whether the whole is as short as can be, not as long.
    pub(super) fn prefers_short(&self) -> bool {
        self.traits.preference() == Some(Preference::Short)
    }

    /// Finds what the groups hold when this part matches that text.
    pub(super) fn dissect(&self, text: &str, span: Span, groups: &mut [Option<Span>]) {
        if let Some(slot) = self.group.and_then(|group| groups.get_mut(group)) {
            *slot = Some(span);
        }
        if !self.traits.remembers {
            return;
        }
        match &self.kind {
            Kind::Plain => {}
            Kind::Concat(left, right) => {
                if let Some(middle) = middle(text, span, left, right) {
                    left.dissect(text, (span.0, middle), groups);
                    right.dissect(text, (middle, span.1), groups);
                }
            }
            Kind::Alternatives(branches) => {
                let fits = |branch: &&Node| branch.forward.matches_all(text, span.0, span.1);
                if let Some(branch) = branches.iter().find(fits) {
                    branch.dissect(text, span, groups);
                }
            }
            Kind::Repeat(body, max) => {
                if let Some(last) = self.last_repetition(text, span, body, *max) {
                    body.dissect(text, last, groups);
                }
            }
        }
    }

    /// The text of the last repetition, which is what groups in it remember.
    fn last_repetition(&self, text: &str, (start, end): Span, body: &Node, max: Option<u32>) -> Option<Span> {
        if start == end {
            // No text is one repetition rather than none, if it can be and little is not preferred.
            let once = !body.prefers_short() && body.forward.matches_all(text, start, end);
            return once.then_some((start, end));
        }
        if max == Some(1) {
            return Some((start, end));
        }
        let mut rests = self.backward.stops(text, end, start);
        let mut place = start;
        let mut count = 0;
        loop {
            if let Some(max) = max {
                let left = max.checked_sub(count + 1)?;
                rests = repetitions_before(&self.re, left, text, (place, end))?;
            }
            let next = body.chosen(text, (place, end), |stop| stop > place && contains(&rests, stop))?;
            if next == end {
                return Some((place, end));
            }
            place = next;
            count += 1;
        }
    }

    /// The longest or shortest match from the start that fits.
    fn chosen(&self, text: &str, (start, end): Span, fits: impl Fn(usize) -> bool) -> Option<usize> {
        let stops = self.forward.stops(text, start, end);
        let mut fitting = stops.into_iter().filter(|stop| fits(*stop));
        if self.prefers_short() { fitting.next() } else { fitting.next_back() }
    }
}

/// Whether a place is among these, which descend.
fn contains(places: &[usize], place: usize) -> bool {
    places.binary_search_by(|other| place.cmp(other)).is_ok()
}

/// Where at most so many repetitions can begin that reach to the end.
fn repetitions_before(re: &Re, count: u32, text: &str, (start, end): Span) -> Option<Vec<usize>> {
    let Re::Repeat { body, preference, .. } = re else { return None };
    let fewer = Re::Repeat { body: body.clone(), min: 0, max: Some(count), preference: *preference };
    let automaton = Automaton::new(&fewer, Direction::Backward).ok()?;
    Some(automaton.stops(text, end, start))
}

/// Where the left part ends and the right one begins.
fn middle(text: &str, (start, end): Span, left: &Node, right: &Node) -> Option<usize> {
    if left.length == Some(0) {
        return Some(start);
    }
    if right.length == Some(0) {
        return Some(end);
    }
    if let Some(length) = left.length {
        let rest = text.get(start..)?;
        return Some(start + super::super::character_offset(rest, length));
    }
    let rests = right.backward.stops(text, end, start);
    left.chosen(text, (start, end), |stop| contains(&rests, stop))
}

/// Characters of all matches, when that is one number.
fn length(re: &Re) -> Option<usize> {
    match re {
        Re::Empty | Re::Assertion(_) => Some(0),
        Re::Class(_) => Some(1),
        Re::Concat(parts) => parts.iter().try_fold(0_usize, |sum, part| sum.checked_add(length(part)?)),
        Re::Alternatives(branches) => {
            let (first, others) = branches.split_first()?;
            let first = length(first)?;
            others.iter().all(|branch| length(branch) == Some(first)).then_some(first)
        }
        Re::Group(_, body) => length(body),
        Re::Repeat { body, min, max, .. } => {
            let once = length(body)?;
            match max {
                _ if once == 0 => Some(0),
                Some(max) if min == max => once.checked_mul(*max as usize),
                _ => None,
            }
        }
    }
}

/// Whether all matches from one place are equally long, or only one piece, of single characters, can be repeated more or
/// less: then the first match that a search with priorities finds is the one that the expression prefers.
pub(super) fn has_one_length(re: &Re) -> bool {
    fn plain(re: &Re) -> bool {
        length(re).is_some() && is_neutral(re)
    }
    fn single(re: &Re) -> bool {
        matches!(re, Re::Repeat { body, preference: Some(_), .. } if length(body).is_some())
    }
    match re {
        re if length(re).is_some() || single(re) => true,
        Re::Group(_, body) => has_one_length(body),
        Re::Concat(parts) => {
            let mut open = parts.iter().filter(|part| !plain(part));
            match (open.next(), open.next()) {
                (Some(part), None) => single(part) || matches!(part, Re::Group(_, body) if has_one_length(body)),
                _ => false,
            }
        }
        _ => false,
    }
}

/// Whether nothing in it prefers anything.
fn is_neutral(re: &Re) -> bool {
    match re {
        Re::Empty | Re::Class(_) | Re::Assertion(_) => true,
        Re::Concat(parts) => parts.iter().all(is_neutral),
        Re::Alternatives(_) => false,
        Re::Group(_, body) => is_neutral(body),
        Re::Repeat { body, preference, .. } => preference.is_none() && is_neutral(body),
    }
}

/// An expression as its parts.
pub(super) fn tree(re: &Re) -> Result<Node> {
    match re {
        Re::Alternatives(branches) => alternatives(re, branches),
        Re::Concat(parts) => branch(parts),
        part => branch(std::slice::from_ref(part)),
    }
}

fn alternatives(re: &Re, branches: &[Re]) -> Result<Node> {
    let branches: Result<Vec<_>> = branches.iter().map(tree).collect();
    let branches = branches?;
    let long = Traits::preferring(Some(Preference::Long));
    let traits = branches.iter().fold(long, |all, branch| all.or(all.or(branch.traits).of_part()));
    let kind = if traits.matter_within() { Kind::Alternatives(branches) } else { Kind::Plain };
    Node::new(re.clone(), traits, kind)
}

/// Pieces that follow one another: those up to the first that matters are one, then that, then the rest.
fn branch(parts: &[Re]) -> Result<Node> {
    let mut prefix = Traits::default();
    for (position, part) in parts.iter().enumerate() {
        if matches!(part, Re::Repeat { max: Some(0), .. }) {
            continue;
        }
        let (atom, quantifier) = match part {
            Re::Repeat { body, preference, .. } => (body.as_ref(), *preference),
            atom => (atom, None),
        };
        let inner = match atom {
            Re::Group(_, body) => Some(tree(body)?),
            _ => None,
        };
        let inner_traits = inner.as_ref().map_or(Traits::default(), |inner| inner.traits);
        let remembered = match atom {
            Re::Group(number, _) => *number,
            _ => None,
        };
        let together = prefix.or(Traits::preferring(quantifier)).or(inner_traits);
        if remembered.is_none() && !together.of_part().matter_within() {
            prefix = together;
            continue;
        }
        let atom = match inner {
            Some(inner) => remember(inner, remembered)?,
            None => Node::new(atom.clone(), Traits::default(), Kind::Plain)?,
        };
        let piece = quantified(part, atom)?;
        let rest = match parts.get(position + 1..) {
            Some([]) | None => Node::empty()?,
            Some(rest) => branch(rest)?,
        };
        let before = Node::new(Re::Concat(parts[..position].to_vec()), prefix, Kind::Plain)?;
        // A quantifier that changes nothing prefers for what follows the atom, if something does.
        let own = match position + 1 < parts.len() {
            true => Traits::preferring(quantifier).combined(piece.traits),
            false => piece.traits,
        };
        let traits = own.or(own.combined(rest.traits));
        let tail = Node::concat(piece, rest, traits)?;
        let traits = prefix.or(prefix.combined(tail.traits));
        return Node::concat(before, tail, traits);
    }
    Node::new(Re::Concat(parts.to_vec()), prefix, Kind::Plain)
}

/// The part as a group that is remembered; a group within has its own number.
fn remember(inner: Node, number: Option<usize>) -> Result<Node> {
    let Some(number) = number else { return Ok(inner) };
    let traits = Traits { remembers: true, ..inner.traits };
    if inner.group.is_none() {
        return Ok(Node { traits, group: Some(number), ..inner });
    }
    let node = Node::concat(inner, Node::empty()?, traits)?;
    Ok(Node { group: Some(number), ..node })
}

/// An atom with its quantifier.
fn quantified(part: &Re, atom: Node) -> Result<Node> {
    let Re::Repeat { body, min, max, preference } = part else { return Ok(atom) };
    let own = atom.traits.preference();
    let vacuous = preference.is_none() || own.is_none() || *preference == own && !atom.traits.mixed;
    if (*min, *max) == (1, Some(1)) && vacuous {
        return Ok(atom);
    }
    let traits = Traits::preferring(*preference).combined(atom.traits);
    if !atom.traits.remembers {
        return Node::new(part.clone(), traits, Kind::Plain);
    }
    if *min > 0 {
        // Only the last repetition is remembered: as many as can be before it are one piece.
        let re = Re::Repeat {
            body: body.clone(),
            min: min - 1,
            max: max.map(|max| max.saturating_sub(1)),
            preference: *preference,
        };
        let before = Node::new(re, Traits::preferring(traits.preference()), Kind::Plain)?;
        return Node::concat(before, atom, traits);
    }
    Node::new(part.clone(), traits, Kind::Repeat(Box::new(atom), *max))
}
