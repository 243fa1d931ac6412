//! What the last ORDER BY and LIMIT of a query say about the order of its answer.

/// The order that an answer must have. Rows that agree in the keys may come in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// Output columns. The list ends before the first key that is an expression and no column, so what that key orders
    /// counts as a tie.
    pub keys: Vec<usize>,
    /// Rows at most.
    pub limit: Option<usize>,
}

impl Order {
    /// The order of a query that answers these columns.
    pub fn of_query(query: &str, columns: &[String]) -> Order {
        let words = outer_words(query);
        let limit = position(&words, &["limit"]);
        let limit_count = limit.and_then(|at| words.get(at + 1)).and_then(|(_, count)| count.parse().ok());
        let keys = position(&words, &["order", "by"]).map(|at| {
            let start = words[at + 1].0 + "by".len();
            let end = limit.map_or(query.len(), |at| words[at].0);
            keys(&query[start..end], columns)
        });
        Order { keys: keys.unwrap_or_default(), limit: limit_count }
    }
}

/// The query, with the rows that are in a tie with the last one. Which of them LIMIT shows is anybody's choice.
pub fn with_ties(query: &str) -> String {
    let words = outer_words(query);
    let (Some(_), Some(limit)) = (position(&words, &["order", "by"]), position(&words, &["limit"])) else {
        return query.to_owned();
    };
    let ((start, _), (count_start, count)) = (&words[limit], &words[limit + 1]);
    let end = count_start + count.len();
    format!("{}FETCH FIRST {count} ROWS WITH TIES{}", &query[..*start], &query[end..])
}

/// Where the last of these words in a row begin.
fn position(words: &[(usize, String)], wanted: &[&str]) -> Option<usize> {
    let is_there = |at: &usize| wanted.iter().zip(&words[*at..]).all(|(wanted, (_, word))| wanted == word);
    (0..(words.len() + 1).saturating_sub(wanted.len())).rev().find(is_there)
}

/// The words outside of parentheses, comments and quotes, in lower case, with their places.
fn outer_words(query: &str) -> Vec<(usize, String)> {
    let mut words: Vec<(usize, String)> = Vec::new();
    let (mut depth, mut in_word) = (0, false);
    let mut characters = query.char_indices();
    while let Some((at, character)) = characters.next() {
        let is_word = character.is_alphanumeric() || character == '_';
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            '\'' | '"' => skip_until(&mut characters, character),
            '-' if query[at..].starts_with("--") => skip_until(&mut characters, '\n'),
            _ if is_word && depth == 0 && in_word => words.last_mut().unwrap().1.push(character.to_ascii_lowercase()),
            _ if is_word && depth == 0 => words.push((at, character.to_ascii_lowercase().to_string())),
            _ => {}
        }
        in_word = is_word && depth == 0;
    }
    words
}

fn skip_until(characters: &mut std::str::CharIndices<'_>, end: char) {
    characters.by_ref().find(|(_, character)| *character == end);
}

fn keys(list: &str, columns: &[String]) -> Vec<usize> {
    list.trim_end().trim_end_matches(';').split(',').map_while(|key| column_of_key(key, columns)).collect()
}

/// The column that a key names or counts, or `None` for another expression or for a part of one.
fn column_of_key(key: &str, columns: &[String]) -> Option<usize> {
    let mut words = key.split_whitespace();
    let name = words.next()?.to_ascii_lowercase();
    let is_direction =
        |word: &str| ["asc", "desc", "nulls", "first", "last"].contains(&word.to_ascii_lowercase().as_str());
    if !words.all(is_direction) {
        return None;
    }
    if let Ok(number) = name.parse::<usize>() {
        return (1..=columns.len()).contains(&number).then(|| number - 1);
    }
    let name = name.rsplit('.').next()?;
    columns.iter().position(|column| column == name)
}

#[test]
fn keys_are_columns_until_an_expression() {
    let columns = ["a", "b", "c"].map(str::to_owned);
    let keys = |query| Order::of_query(query, &columns).keys;
    assert_eq!(keys("SELECT a, b, c FROM t ORDER BY b, t.a DESC NULLS LAST;"), [1, 0]);
    assert_eq!(keys("SELECT a, b, c FROM t ORDER BY 3, a + b, b"), [2]);
    assert_eq!(keys("SELECT a, b, c FROM t ORDER BY a, CASE WHEN b = 0 THEN c END, b LIMIT 5"), [0]);
    assert_eq!(keys("SELECT a, b, rank() OVER (ORDER BY c) AS c FROM (SELECT 1 ORDER BY b) AS t"), [0; 0]);
    assert_eq!(keys("SELECT a, b, 'order by a' AS c FROM t -- order by a"), [0; 0]);
}

#[test]
fn limit_becomes_with_ties() {
    let query = "SELECT a FROM (SELECT 1 LIMIT 3) AS t ORDER BY a LIMIT 100;";
    assert_eq!(Order::of_query(query, &["a".to_owned()]), Order { keys: vec![0], limit: Some(100) });
    assert_eq!(with_ties(query), "SELECT a FROM (SELECT 1 LIMIT 3) AS t ORDER BY a FETCH FIRST 100 ROWS WITH TIES;");
    assert_eq!(with_ties("SELECT 1 LIMIT 100"), "SELECT 1 LIMIT 100");
}
