//! An expression in the syntax of the `regex` crate.

use std::fmt::Write;

use super::class::Class;
use super::parse::{Assertion, Preference, Re};

/// The expression in the crate's syntax, without groups: only where a match begins is asked.
pub(super) fn regex_syntax(re: &Re) -> String {
    let mut out = String::new();
    write_re(re, &mut out);
    out
}

fn write_re(re: &Re, out: &mut String) {
    match re {
        Re::Empty => {}
        Re::Class(class) => write_class(class, out),
        Re::Assertion(assertion) => out.push_str(match assertion {
            Assertion::TextStart => r"\A",
            Assertion::TextEnd => r"\z",
            Assertion::LineStart => "(?m:^)",
            Assertion::LineEnd => "(?m:$)",
            Assertion::WordStart => r"\b{start}",
            Assertion::WordEnd => r"\b{end}",
            Assertion::WordBoundary => r"\b",
            Assertion::NoWordBoundary => r"\B",
        }),
        Re::Concat(parts) => parts.iter().for_each(|part| write_re(part, out)),
        Re::Alternatives(branches) => {
            out.push_str("(?:");
            for (position, branch) in branches.iter().enumerate() {
                if position > 0 {
                    out.push('|');
                }
                write_re(branch, out);
            }
            out.push(')');
        }
        Re::Group(_, body) => {
            out.push_str("(?:");
            write_re(body, out);
            out.push(')');
        }
        Re::Repeat { body, min, max, preference } => {
            out.push_str("(?:");
            write_re(body, out);
            let _ = match max {
                Some(max) => write!(out, "){{{min},{max}}}"),
                None => write!(out, "){{{min},}}"),
            };
            if *preference == Some(Preference::Short) {
                out.push('?');
            }
        }
    }
}

fn write_class(class: &Class, out: &mut String) {
    match class.ranges() {
        [] => out.push_str(r"[^\x{0}-\x{10FFFF}]"),
        [(0, last)] if *last == u32::from(char::MAX) => out.push_str("(?s:.)"),
        [(first, last)] if first == last => {
            let _ = write!(out, r"\x{{{first:X}}}");
        }
        ranges => {
            out.push('[');
            for (first, last) in ranges {
                let _ = write!(out, r"\x{{{:X}}}-\x{{{:X}}}", scalar_after(*first), scalar_before(*last));
            }
            out.push(']');
        }
    }
}

/// Runs are of numbers, which include surrogates; the crate takes characters only.
fn scalar_after(code: u32) -> u32 {
    if (0xd800..0xe000).contains(&code) { 0xe000 } else { code }
}

fn scalar_before(code: u32) -> u32 {
    if (0xd800..0xe000).contains(&code) { 0xd7ff } else { code }
}
