//! What functions are made of: the arguments and results of those that PostgreSQL has from the start.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::function::{Function, Oid, function};
use crate::library::text::quoted_identifier;
use crate::recorded;
use crate::types::*;

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("pg_get_function_arg_default", &[OID, INT4], TEXT, |call| call.map0(|| None::<&str>)).stable(),
    function("pg_get_function_arguments", &[OID], TEXT, |call| call.map1(|Oid(oid)| Some(routine(oid)?.arguments())))
        .stable(),
    function("pg_get_function_identity_arguments", &[OID], TEXT, |call| {
        call.map1(|Oid(oid)| Some(routine(oid)?.arguments()))
    })
    .stable(),
    function("pg_get_function_result", &[OID], TEXT, |call| call.map1(|Oid(oid)| Some(routine(oid)?.result())))
        .stable(),
    function("pg_get_function_sqlbody", &[OID], TEXT, |call| call.map0(|| None::<&str>)).stable(),
    function("pg_get_functiondef", &[OID], TEXT, |call| call.map1(|Oid(oid)| Some(routine(oid)?.definition())))
        .stable(),
];

/// A function as `pg_proc` has it.
struct Routine {
    name: &'static str,
    is_strict: bool,
    returns_set: bool,
    volatility: &'static str,
    result: u32,
    /// The types of the arguments, those that come out among them.
    types: Vec<u32>,
    modes: Vec<&'static str>,
    names: Vec<&'static str>,
    source: &'static str,
}

static ROUTINES: LazyLock<HashMap<u32, Routine>> = LazyLock::new(|| routines().unwrap_or_default());

fn routine(oid: u32) -> Option<&'static Routine> {
    ROUTINES.get(&oid)
}

fn routines() -> Option<HashMap<u32, Routine>> {
    let rows = recorded::rows("pg_proc")?;
    let columns = [
        "proname",
        "proisstrict",
        "proretset",
        "provolatile",
        "prorettype",
        "proargtypes",
        "proallargtypes",
        "proargmodes",
        "proargnames",
        "prosrc",
    ];
    let mut places = [0; 10];
    for (place, name) in places.iter_mut().zip(columns) {
        *place = rows.column(name)?;
    }
    let routine = |row: &'static Vec<Option<&'static str>>| {
        let [name, strict, set, volatility, result, types, all_types, modes, names, source] = places.map(|it| row[it]);
        let all_types = all_types.map(list);
        let types = all_types.unwrap_or_else(|| types.unwrap_or_default().split(' ').collect());
        let routine = Routine {
            name: name?,
            is_strict: strict? == "t",
            returns_set: set? == "t",
            volatility: volatility?,
            result: result?.parse().ok()?,
            types: types.iter().filter_map(|ty| ty.parse().ok()).collect(),
            modes: modes.map(list).unwrap_or_default(),
            names: names.map(list).unwrap_or_default(),
            source: source.unwrap_or_default(),
        };
        Some((row[0]?.parse().ok()?, routine))
    };
    Some(rows.rows.iter().filter_map(routine).collect())
}

/// The elements of an array without quotes.
fn list(text: &'static str) -> Vec<&'static str> {
    text.trim_start_matches('{').trim_end_matches('}').split(',').map(|it| it.trim_matches('"')).collect()
}

impl Routine {
    fn arguments(&self) -> String {
        self.listed(|mode| mode != "t").join(", ")
    }

    /// The arguments of some modes: how they come, their names and types.
    fn listed(&self, is_listed: impl Fn(&str) -> bool) -> Vec<String> {
        let argument = |(place, ty): (usize, &u32)| {
            let mode = self.modes.get(place).copied().unwrap_or("i");
            let name = self.names.get(place).copied().unwrap_or_default();
            let written = match mode {
                "o" => "OUT ",
                "b" => "INOUT ",
                "v" => "VARIADIC ",
                _ => "",
            };
            let name = if name.is_empty() { String::new() } else { quoted_identifier(name) + " " };
            is_listed(mode).then(|| format!("{written}{name}{}", type_name(*ty)))
        };
        self.types.iter().enumerate().filter_map(argument).collect()
    }

    fn result(&self) -> String {
        if self.modes.contains(&"t") {
            return format!("TABLE({})", self.listed(|mode| mode == "t").join(", "));
        }
        let set = if self.returns_set { "SETOF " } else { "" };
        format!("{set}{}", type_name(self.result))
    }

    fn definition(&self) -> String {
        let volatility = match self.volatility {
            "i" => " IMMUTABLE",
            "s" => " STABLE",
            _ => "",
        };
        let strict = if self.is_strict { " STRICT" } else { "" };
        let options = format!("{volatility}{strict}");
        let options = if options.is_empty() { options } else { options + "\n" };
        format!(
            "CREATE OR REPLACE FUNCTION pg_catalog.{}({})\n RETURNS {}\n LANGUAGE internal\n{options}AS $function${}$function$\n",
            quoted_identifier(self.name),
            self.arguments(),
            self.result(),
            self.source
        )
    }
}
