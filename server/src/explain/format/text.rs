//! Lines for people.

use super::super::node::{Explained, PlanNode, Property, Relationship, Value};
use super::{Shown, number};

/// The plan, a line for each node and for each of its properties.
pub(super) fn lines(explained: &Explained, shown: Shown) -> Vec<String> {
    let mut lines = Vec::new();
    push_node(&mut lines, &explained.plan, shown, "", 2);
    for property in &explained.summary {
        lines.push(line(property));
    }
    lines
}

/// The node behind `begin`; what belongs to it stands `indent` blanks from the left.
fn push_node(lines: &mut Vec<String>, node: &PlanNode, shown: Shown, begin: &str, indent: usize) {
    let mut title = format!("{begin}{}", node.title);
    let expected = node.expected;
    if shown.costs {
        let (startup, total) = (number(expected.startup_cost, 2), number(expected.total_cost, 2));
        title.push_str(&format!("  (cost={startup}..{total} rows={:.0} width={})", expected.rows, expected.width));
    }
    match node.actual {
        Some(actual) if actual.loops == 0 => title.push_str(" (never executed)"),
        Some(actual) => {
            let (startup, total) = (number(actual.startup_ms, 3), number(actual.total_ms, 3));
            let time = if shown.timing { format!("time={startup}..{total} ") } else { String::new() };
            title.push_str(&format!(" (actual {time}rows={} loops={})", actual.rows, actual.loops));
        }
        None => {}
    }
    lines.push(title);
    let blanks = " ".repeat(indent);
    lines.extend(node.properties.iter().map(|property| format!("{blanks}{}", line(property))));
    for plan in &node.plans {
        let mut blanks = blanks.clone();
        if let Some(Relationship::InitPlan(name) | Relationship::SubPlan(name)) = &plan.relationship {
            lines.push(format!("{blanks}{name}"));
            blanks.push_str("  ");
        }
        push_node(lines, plan, shown, &format!("{blanks}->  "), blanks.len() + 6);
    }
}

/// A property as it stands below its node.
pub(super) fn line(property: &Property) -> String {
    let value = match &property.value {
        Value::Text(text) => text.clone(),
        Value::List(texts) => texts.join(", "),
        Value::Group(all) => {
            let one = |(name, text): &(String, String)| format!("{name} = '{text}'");
            all.iter().map(one).collect::<Vec<_>>().join(", ")
        }
        Value::Integer(value) => value.to_string(),
        Value::Number(value, digits) => number(*value, *digits),
    };
    let unit = if property.name.ends_with("Time") { " ms" } else { "" };
    format!("{}: {value}{unit}", property.name)
}
