//! A plan as it is shown.

/// A node of a plan, with what is below it.
#[derive(Debug, Clone, Default)]
pub struct PlanNode {
    /// Its kind, by PostgreSQL's name where that has one: `Hash Join`.
    pub node_type: String,
    /// The line of a text: `Hash Left Join`, `Seq Scan on t`.
    pub title: String,
    /// What it is to the node above it.
    pub relationship: Option<Relationship>,
    /// What the line of a text says in one, each for itself.
    pub attributes: Vec<Property>,
    /// What is expected of it.
    pub expected: Expected,
    /// What came of it.
    pub actual: Option<Actual>,
    /// What there is to say of it beside.
    pub properties: Vec<Property>,
    /// What is below it.
    pub plans: Vec<PlanNode>,
}

/// What a node is to the one above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relationship {
    /// Its first input.
    Outer,
    /// Its second input, which the first is joined with.
    Inner,
    /// One of several.
    Member,
    /// What is run once, before.
    InitPlan(String),
    /// What is run for each row.
    SubPlan(String),
}

/// What is expected of a node.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Expected {
    /// The cost until its first row comes, in pages read.
    pub startup_cost: f64,
    /// The cost until its last row has come.
    pub total_cost: f64,
    /// Its rows.
    pub rows: f64,
    /// Bytes of a row.
    pub width: usize,
}

/// What came of a node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Actual {
    /// Milliseconds until its first row may have come.
    pub startup_ms: f64,
    /// Milliseconds until its last row had come.
    pub total_ms: f64,
    /// Its rows.
    pub rows: u64,
    /// How often it ran: once, or not at all.
    pub loops: u64,
}

/// What there is to say of a node.
#[derive(Debug, Clone, PartialEq)]
pub struct Property {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: Value,
}

/// The value of a property.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A text.
    Text(String),
    /// Texts.
    List(Vec<String>),
    /// Names with texts.
    Group(Vec<(String, String)>),
    /// A whole number.
    Integer(u64),
    /// A number with so many digits behind the point.
    Number(f64, usize),
}

/// A plan with what is told of it as a whole.
#[derive(Debug, Clone, Default)]
pub struct Explained {
    /// The plan.
    pub plan: PlanNode,
    /// What is told behind it.
    pub summary: Vec<Property>,
}

impl Property {
    /// A text.
    pub fn text(name: &'static str, value: impl Into<String>) -> Self {
        Property { name, value: Value::Text(value.into()) }
    }

    /// Texts.
    pub fn list(name: &'static str, value: Vec<String>) -> Self {
        Property { name, value: Value::List(value) }
    }

    /// A whole number.
    pub fn integer(name: &'static str, value: u64) -> Self {
        Property { name, value: Value::Integer(value) }
    }

    /// Milliseconds, or what else has three digits behind the point.
    pub fn number(name: &'static str, value: f64) -> Self {
        Property { name, value: Value::Number(value, 3) }
    }
}

impl PlanNode {
    /// A node whose kind is all that its line says.
    pub fn new(node_type: &str) -> Self {
        PlanNode { node_type: node_type.to_owned(), title: node_type.to_owned(), ..PlanNode::default() }
    }

    /// The node as something of another.
    #[must_use]
    pub fn related(self, relationship: Relationship) -> Self {
        PlanNode { relationship: Some(relationship), ..self }
    }

    /// Whether something is said of it.
    pub fn has(&self, name: &str) -> bool {
        self.properties.iter().any(|property| property.name == name)
    }

    /// Puts a text to another of its name, or behind the filter where there is none.
    pub fn merge(&mut self, name: &'static str, text: String, both: impl FnOnce(String, String) -> String) {
        for property in &mut self.properties {
            if let (true, Value::Text(value)) = (property.name == name, &mut property.value) {
                *value = both(std::mem::take(value), text);
                return;
            }
        }
        let place = self.properties.iter().position(|property| property.name == "Filter").map_or(0, |place| place + 1);
        self.properties.insert(place, Property::text(name, text));
    }

    /// Adds to a number.
    pub fn add(&mut self, name: &'static str, more: u64) {
        for property in &mut self.properties {
            if let (true, Value::Integer(value)) = (property.name == name, &mut property.value) {
                *value += more;
                return;
            }
        }
        self.properties.push(Property::integer(name, more));
    }

    /// Adds a list, if there is anything in it.
    pub fn push_list(&mut self, name: &'static str, values: Vec<String>) {
        if !values.is_empty() {
            self.properties.push(Property::list(name, values));
        }
    }

    /// Adds a condition, if there is one: several have all to hold.
    pub fn push_conditions(&mut self, name: &'static str, mut conditions: Vec<String>) {
        match conditions.len() {
            0 => {}
            1 => self.properties.push(Property::text(name, conditions.remove(0))),
            _ => self.properties.push(Property::text(name, format!("({})", conditions.join(" AND ")))),
        }
    }
}
