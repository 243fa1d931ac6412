use super::*;

fn set(settings: &mut SessionSettings, name: &str, value: Option<&str>, local: bool) -> Result<()> {
    let known = settings.find_or_new(name)?;
    settings.set(&known, value, local)
}

fn show(settings: &SessionSettings, name: &str) -> String {
    settings.find(name).map_or_else(|error| error.sqlstate.code().to_owned(), |known| settings.shown(&known))
}

fn check(name: &str, value: &str, expected: &str) {
    let mut settings = SessionSettings::default();
    let shown = match set(&mut settings, name, Some(value), false) {
        Ok(()) => show(&settings, name),
        Err(error) => error.sqlstate.code().to_owned(),
    };
    assert_eq!(shown, expected, "{name} = {value}");
}

#[test]
fn values_are_canonical_or_refused() {
    check("STATEMENT_TIMEOUT", "2000", "2s");
    check("statement_timeout", "1500", "1500ms");
    check("statement_timeout", "soon", "22023");
    check("datestyle", "iso, mdy", "ISO, MDY");
    check("DateStyle", "German", "German, DMY");
    check("DateStyle", "us, german", "German, MDY");
    check("DateStyle", "iso, sql", "22023");
    check("DateStyle", "", "ISO, MDY");
    check("TimeZone", "utc", "UTC");
    check("TimeZone", "europe/berlin", "Europe/Berlin");
    check("TimeZone", "-5", "<-05>+05");
    check("TimeZone", "5.5", "<+05:30>-05:30");
    check("TimeZone", "interval '-03:00'", "<-03>+03");
    check("TimeZone", "interval '1 day'", "22023");
    check("TimeZone", "foo5", "FOO5");
    check("TimeZone", "200", "22023");
    check("TimeZone", "Nowhere", "22023");
    check("TimeZone", "posix/europe/berlin", "posix/Europe/Berlin");
    check("extra_float_digits", "3", "3");
    check("extra_float_digits", "4", "22023");
    check("server_version", "9.6", "55P02");
    check("max_connections", "9", "55P02");
    check("no_such_thing", "1", "42704");
    check("no.such.thing", "1", "1");
    check("no.such.", "1", "42602");
    check("search_path", "a,,b", "22023");
    check("search_path", "", "");
    check("enable_seqscan", "of", "off");
    check("enable_seqscan", "o", "22023");
    check("synchronous_commit", "false", "off");
    check("standard_conforming_strings", "off", "0A000");
    check("application_name", "é\n", "???");
}

#[test]
fn what_statements_know_follows_each_change() {
    let mut settings = SessionSettings::default();
    let shown = |settings: &SessionSettings| (settings.known().time_zone.clone(), show(settings, "TimeZone"));
    let expected = |name: &str| (Zone::named(name).unwrap(), name.to_owned());
    assert_eq!(shown(&settings), expected("UTC"));
    set(&mut settings, "timezone", Some("europe/berlin"), false).unwrap();
    assert_eq!(shown(&settings), expected("Europe/Berlin"));
    let saved = settings.clone();
    set(&mut settings, "timezone", Some("Asia/Tokyo"), true).unwrap();
    assert_eq!(shown(&settings), expected("Asia/Tokyo"));
    settings.end_local();
    assert_eq!(shown(&settings), expected("Europe/Berlin"));
    set(&mut settings, "timezone", None, false).unwrap();
    assert_eq!(shown(&settings), expected("UTC"));
    assert_eq!(shown(&saved), expected("Europe/Berlin"));
    assert!(set(&mut settings, "timezone", Some("Nowhere"), false).is_err());
    settings.begin_with("timezone", "Asia/Tokyo", Source::Client).unwrap();
    assert_eq!(shown(&settings), expected("Asia/Tokyo"));
    set(&mut settings, "timezone", Some("utc"), false).unwrap();
    assert_eq!(shown(&settings), expected("UTC"));
    settings.reset_all();
    assert_eq!(shown(&settings), expected("Asia/Tokyo"));
}

#[test]
fn a_custom_setting_is_there_once_it_has_been_set() {
    let mut settings = SessionSettings::default();
    assert_eq!(show(&settings, "a.b"), "42704");
    let before = settings.clone();
    set(&mut settings, "A.b", Some("1"), true).unwrap();
    assert_eq!(show(&settings, "a.B"), "1");
    settings.roll_back_to(before);
    assert_eq!(show(&settings, "a.b"), "");
    set(&mut settings, "a.b", Some("2"), false).unwrap();
    settings.reset_all();
    assert_eq!(show(&settings, "a.b"), "");
}

#[test]
fn the_search_path_knows_the_user() {
    let mut settings = SessionSettings::default();
    assert_eq!(settings.search_path("eva"), ["eva", "public"]);
    set(&mut settings, "search_path", Some("Lake, \"Hot Data\""), false).unwrap();
    assert_eq!(settings.search_path("eva"), ["lake", "Hot Data"]);
    set(&mut settings, "search_path", Some("\"a\"\"b\"\"\", c"), false).unwrap();
    assert_eq!(settings.search_path("eva"), ["a\"b\"", "c"]);
}

#[test]
fn every_default_is_a_value_that_the_setting_takes() {
    let settings = SessionSettings::default();
    for setting in table::all() {
        let canonical = setting.canonical(setting.default, &settings).unwrap();
        assert_eq!(canonical, setting.default, "{}", setting.name);
    }
}
