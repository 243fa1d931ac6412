use super::*;

fn options(letters: &str) -> Flags {
    let mut flags = Flags::default();
    for letter in letters.chars() {
        assert!(flags.set(letter).unwrap(), "{letter}");
    }
    flags
}

fn is_match(text: &str, pattern: &str) -> bool {
    compiled(pattern, Flags::default()).unwrap().is_match(text)
}

/// The groups of the first match, or the whole when there are none, with commas between them.
fn groups(text: &str, pattern: &str, letters: &str) -> String {
    let pattern = match compiled(pattern, options(letters)) {
        Ok(pattern) => pattern,
        Err(error) => return error.message,
    };
    let Some(found) = pattern.captures_at(text, 0) else { return "no match".to_owned() };
    let wanted = if pattern.groups() == 0 { &found[..] } else { &found[1..] };
    let texts: Vec<_> = wanted.iter().map(|span| span.map_or("NULL", |(start, end)| &text[start..end])).collect();
    texts.join(",")
}

fn check(text: &str, pattern: &str, expected: &str) {
    assert_eq!(groups(text, pattern, ""), expected, "{text} {pattern}");
}

#[test]
fn the_whole_is_as_long_or_short_as_it_prefers() {
    check("abc", "a|ab|abc", "abc");
    check("abc", "(?:a|ab)(?:c|bcd)?", "abc");
    check("xaaay", "a+?", "a");
    check("xaaay", "(?:a+?){2}", "aa");
    check("XY1234Z", "Y*([0-9]{1,3})", "123");
    check("XY1234Z", "Y*?([0-9]{1,3})", "1");
    check("aaa", "a{2,}?", "aa");
    check("abc", "", "");
}

#[test]
fn groups_hold_what_earlier_parts_leave() {
    check("ab", "(a|ab|b)+", "b");
    check("ab", "(a|ab|b)*", "ab");
    check("ab", "(?:(a)|b)*", "NULL");
    check("ab", "a?(?:ab)?(b?)", "");
    check("ab", "(a?)((?:ab)?)(b)", "a,,b");
    check("abcd", "(a|ab)(c|bcd)(d*)", "ab,c,d");
    check("abc", "(a)|b", "a");
    check("ab", "(a)?(b)?(c)?", "a,b,NULL");
    check("abc", "(a){0}(b)", "NULL,b");
    check("x", "(a*)*x", "");
    check("x", "(a)*x", "NULL");
    check("x", "(a*?)*x", "NULL");
    check("bb", "(){1,1}?b*", "");
    check("accba", "(?:\\y(.){1,1}?)c(c{0,2}a+?|c[ab]{0,2}?)", "a,cba");
    check("acaa", "(?:b*){0}(?:c|a)*?(b?)", "");
    check("foobar", "^(?:a){0}(f(o+))(b.*)$", "foo,oo,bar");
    check("aXbXc", "(.*)X(.*)", "aXb,c");
    check("aXbXc", "(.*?)X(.*)", "a,");
}

#[test]
fn classes_and_escapes() {
    for (text, pattern, expected) in [
        ("]", "[]a]", true),
        ("d", "[\\d]", false),
        ("5", "[\\d]", true),
        ("-", "[a-]", true),
        ("-", "[[.hyphen.]]", true),
        ("b", "[[.a.]-c]", true),
        ("A", "\\u0041\\Z", true),
        ("A", "\\x41", true),
        ("A", "\\101", true),
        ("\\", "\\B", true),
        ("foo bar", "\\mbar\\M", true),
        ("foobar", "\\ybar", false),
        ("foo", "[[:<:]]foo[[:>:]]", true),
        ("Äb", "^[[:alpha:]]+$", true),
        ("a.b", "***=a.b", true),
        ("axb", "***=a.b", false),
        ("a{,1}", "a{,1}", true),
        ("]", "]", true),
        ("b", "^(a|)$", false),
        ("A", "(?i)a", true),
        ("Ä", "(?i)ä", true),
        ("ab", "(?x)a b # c", true),
        ("ab", "a(?#comment)b", true),
    ] {
        assert_eq!(is_match(text, pattern), expected, "{text} {pattern}");
    }
}

#[test]
fn line_feeds_matter_when_asked() {
    for (pattern, expected) in [
        ("a.b", true),
        ("(?n)a.b", false),
        ("(?p)a.b", false),
        ("(?n)^b", true),
        ("(?w)^b", true),
        ("(?p)^b", false),
        ("(?w)a.b", true),
        ("(?n)a[^x]b", false),
        ("(?n)a\\Z", false),
        ("(?n)\\Ab", false),
        ("(?n)a\\Db", true),
    ] {
        assert_eq!(is_match("a\nb", pattern), expected, "{pattern}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    for (pattern, expected) in [
        ("a{1", "braces {} not balanced"),
        ("a{2,1}", "invalid repetition count(s)"),
        ("a{256}", "invalid repetition count(s)"),
        ("a**", "quantifier operand invalid"),
        ("(*a)", "quantifier operand invalid"),
        ("^*", "quantifier operand invalid"),
        ("(", "parentheses () not balanced"),
        (")", "parentheses () not balanced"),
        ("[a", "brackets [] not balanced"),
        ("[b-a]", "invalid character range"),
        ("[a-\\d]", "invalid character range"),
        ("[a-b-c]", "invalid character range"),
        ("[[:foo:]]", "invalid character class"),
        ("[[.ab.]]", "invalid collating element"),
        ("\\q", "invalid escape \\ sequence"),
        ("a\\", "invalid escape \\ sequence"),
        ("\\1", "invalid backreference number"),
        ("(?z)a", "invalid embedded option"),
        ("****a", "quantifier operand invalid"),
        ("(?<a>b)", "quantifier operand invalid"),
    ] {
        check("a", pattern, &format!("invalid regular expression: {expected}"));
    }
    check("aa", "(a)\\1", "a back-reference in a regular expression is not supported");
    check("aa", "a(?=a)", "look-ahead in a regular expression is not supported");
}
