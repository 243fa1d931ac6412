//! A `jsonpath` as PostgreSQL prints it.

use super::tree::*;
use crate::library::json::lexer::quote;

/// The text of a path.
pub fn print(path: &JsonPath) -> String {
    let mut out = String::new();
    if path.strict {
        out.push_str("strict ");
    }
    write_node(&path.root, true, &mut out);
    out
}

/// How tightly what a node starts with holds together.
fn priority(node: &Node) -> u8 {
    match &node.start {
        Start::Predicate(Predicate::Or(..)) => 0,
        Start::Predicate(Predicate::And(..)) => 1,
        Start::Predicate(Predicate::Compare(..) | Predicate::StartsWith(..)) => 2,
        Start::Arithmetic(Arithmetic::Add | Arithmetic::Subtract, ..) => 3,
        Start::Arithmetic(..) => 4,
        Start::Sign(..) => 5,
        _ => 6,
    }
}

fn write_node(node: &Node, brackets: bool, out: &mut String) {
    write_start(node, brackets, out);
    for step in &node.steps {
        write_step(step, out);
    }
}

/// Writes an operand, in brackets if it holds together no tighter than the operator.
fn write_operand(operand: &Node, operator: u8, out: &mut String) {
    write_node(operand, priority(operand) <= operator, out);
}

fn write_start(node: &Node, brackets: bool, out: &mut String) {
    let own = priority(node);
    match &node.start {
        Start::Root => out.push('$'),
        Start::Current => out.push('@'),
        Start::Last => out.push_str("last"),
        Start::Variable(name) => {
            out.push('$');
            quote(name, out);
        }
        Start::Null => out.push_str("null"),
        Start::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Start::Number(digits) if node.steps.is_empty() => out.push_str(digits),
        Start::Number(digits) => out.push_str(&format!("({digits})")),
        Start::String(text) => quote(text, out),
        Start::Sign(sign, operand) => in_brackets(brackets, out, |out| {
            out.push(sign.symbol());
            write_operand(operand, own, out);
        }),
        Start::Arithmetic(operator, left, right) => {
            write_binary(operator.symbol(), own, (left, right), brackets, out);
        }
        Start::Predicate(predicate) => write_predicate(predicate, own, brackets, out),
    }
}

fn in_brackets(brackets: bool, out: &mut String, write: impl FnOnce(&mut String)) {
    if brackets {
        out.push('(');
    }
    write(out);
    if brackets {
        out.push(')');
    }
}

fn write_binary(symbol: &str, own: u8, operands: (&Node, &Node), brackets: bool, out: &mut String) {
    in_brackets(brackets, out, |out| {
        write_operand(operands.0, own, out);
        out.push(' ');
        out.push_str(symbol);
        out.push(' ');
        write_operand(operands.1, own, out);
    });
}

/// Each operator takes all that is left of it, which stands in brackets.
fn write_chain(symbol: &str, own: u8, operands: &[Node], brackets: bool, out: &mut String) {
    let inner = operands.len().saturating_sub(2);
    in_brackets(brackets, out, |out| {
        out.extend(std::iter::repeat_n('(', inner));
        for (position, operand) in operands.iter().enumerate() {
            if position > 0 {
                out.push_str(&format!(" {symbol} "));
            }
            write_operand(operand, own, out);
            if (1..=inner).contains(&position) {
                out.push(')');
            }
        }
    });
}

fn write_predicate(predicate: &Predicate, own: u8, brackets: bool, out: &mut String) {
    match predicate {
        Predicate::And(operands) => write_chain("&&", own, operands, brackets, out),
        Predicate::Or(operands) => write_chain("||", own, operands, brackets, out),
        Predicate::Compare(operator, left, right) => {
            write_binary(operator.symbol(), own, (left, right), brackets, out);
        }
        Predicate::StartsWith(left, right) => write_binary("starts with", own, (left, right), brackets, out),
        Predicate::LikeRegex(operand, pattern) => in_brackets(brackets, out, |out| {
            write_operand(operand, own, out);
            out.push_str(" like_regex ");
            quote(&pattern.text, out);
            if !pattern.flags.is_empty() {
                out.push_str(&format!(" flag \"{}\"", pattern.flags));
            }
        }),
        Predicate::Not(operand) => {
            out.push_str("!(");
            write_node(operand, false, out);
            out.push(')');
        }
        Predicate::IsUnknown(operand) => {
            out.push('(');
            write_node(operand, false, out);
            out.push_str(") is unknown");
        }
        Predicate::Exists(operand) => {
            out.push_str("exists (");
            write_node(operand, false, out);
            out.push(')');
        }
    }
}

fn write_step(step: &Step, out: &mut String) {
    match step {
        Step::Member(key) => {
            out.push('.');
            quote(key, out);
        }
        Step::AnyMember => out.push_str(".*"),
        Step::AnyElement => out.push_str("[*]"),
        Step::Elements(ranges) => {
            out.push('[');
            for (position, (from, to)) in ranges.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write_node(from, false, out);
                if let Some(to) = to {
                    out.push_str(" to ");
                    write_node(to, false, out);
                }
            }
            out.push(']');
        }
        Step::Descend { first: 0, last: LAST_LEVEL } => out.push_str(".**"),
        Step::Descend { first, last } if first == last => out.push_str(&format!(".**{{{}}}", level(*first))),
        Step::Descend { first, last } => out.push_str(&format!(".**{{{} to {}}}", level(*first), level(*last))),
        Step::Method(method) => out.push_str(&format!(".{}()", method.name())),
        Step::Datetime(template) => {
            out.push_str(".datetime(");
            if let Some(template) = template {
                quote(template, out);
            }
            out.push(')');
        }
        Step::Filter(condition) => {
            out.push_str("?(");
            write_node(condition, false, out);
            out.push(')');
        }
    }
}

fn level(level: u32) -> String {
    if level == LAST_LEVEL { "last".to_owned() } else { level.to_string() }
}
