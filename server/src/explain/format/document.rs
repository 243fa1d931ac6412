//! A plan as names with values, which have names with values.

use std::borrow::Cow;

use super::super::node::{Explained, PlanNode, Property, Relationship, Value};
use super::{Shown, number};

/// A value of a structured format.
#[derive(Debug, Clone)]
pub(super) enum Document {
    /// Names with values, in their order.
    Object(Vec<(Cow<'static, str>, Document)>),
    /// Values that each are called so where a format needs a name.
    List(&'static str, Vec<Document>),
    /// A text.
    Text(String),
    /// A number or a truth value, as it is written.
    Plain(String),
}

impl Document {
    /// What is told of a plan.
    pub fn of(explained: &Explained, shown: Shown) -> Document {
        let mut query = vec![("Plan".into(), of_node(&explained.plan, shown))];
        query.extend(explained.summary.iter().map(of_property));
        Document::List("Query", vec![Document::Object(query)])
    }
}

fn of_node(node: &PlanNode, shown: Shown) -> Document {
    let text = |text: &str| Document::Text(text.to_owned());
    let mut all: Vec<(Cow<'static, str>, Document)> = vec![("Node Type".into(), text(&node.node_type))];
    let (relationship, name) = match &node.relationship {
        Some(Relationship::Outer) => (Some("Outer"), None),
        Some(Relationship::Inner) => (Some("Inner"), None),
        Some(Relationship::Member) => (Some("Member"), None),
        Some(Relationship::InitPlan(name)) => (Some("InitPlan"), Some(name)),
        Some(Relationship::SubPlan(name)) => (Some("SubPlan"), Some(name)),
        None => (None, None),
    };
    all.extend(relationship.map(|relationship| ("Parent Relationship".into(), text(relationship))));
    all.extend(name.map(|name| ("Subplan Name".into(), text(name))));
    all.extend(["Parallel Aware", "Async Capable"].map(|name| (name.into(), Document::Plain("false".to_owned()))));
    all.extend(node.attributes.iter().map(of_property));
    let expected = node.expected;
    let mut push = |name: &'static str, value, digits| all.push((name.into(), Document::Plain(number(value, digits))));
    if shown.costs {
        push("Startup Cost", expected.startup_cost, 2);
        push("Total Cost", expected.total_cost, 2);
        push("Plan Rows", expected.rows, 0);
        push("Plan Width", expected.width as f64, 0);
    }
    if let Some(actual) = node.actual {
        if shown.timing {
            push("Actual Startup Time", actual.startup_ms, 3);
            push("Actual Total Time", actual.total_ms, 3);
        }
        push("Actual Rows", actual.rows as f64, 0);
        push("Actual Loops", actual.loops as f64, 0);
    }
    all.extend(node.properties.iter().map(of_property));
    if !node.plans.is_empty() {
        all.push((
            "Plans".into(),
            Document::List("Plan", node.plans.iter().map(|plan| of_node(plan, shown)).collect()),
        ));
    }
    Document::Object(all)
}

fn of_property(property: &Property) -> (Cow<'static, str>, Document) {
    let value = match &property.value {
        Value::Text(text) => Document::Text(text.clone()),
        Value::List(texts) => Document::List("Item", texts.iter().cloned().map(Document::Text).collect()),
        Value::Group(all) => {
            let text = |(name, text): &(String, String)| (name.clone().into(), Document::Text(text.clone()));
            Document::Object(all.iter().map(text).collect())
        }
        Value::Integer(value) => Document::Plain(value.to_string()),
        Value::Number(value, digits) => Document::Plain(number(*value, *digits)),
    };
    (property.name.into(), value)
}
