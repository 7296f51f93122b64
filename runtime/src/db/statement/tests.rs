use proptest::prelude::*;

use super::*;

fn names(text: &str) -> Sql<'_> {
    Sql { text, quotes_literals: false }
}

fn told(sql: &str) -> String {
    tell(names(sql), false)
}

#[test]
fn literals_become_question_marks() {
    for (sql, shown) in [
        ("select 1", "select ?"),
        ("select -1, +1.5e-10, .5, 0xFF, 1_000, 7e", "select -?, +?, .?, …"),
        ("where a = 'x' and b = 'it''s' and c = ''", "where a = ? and b = ? and c = ?"),
        (r"where a = E'it\'s' and b = e'\\' and c = 2", "where a = ? and b = ? and c = ?"),
        ("where a = N'x' or b = x'ff' or c = B'01' or d = _utf8mb4'x'", "where a = ? or b = ? or c = ? or d = ?"),
        ("select $$a 'b' $1$$, $tag$ $$ 'x $tag$, 3", "select ?, ?, ?"),
        ("where d > date '2020-01-01' and e > date'2020-01-01'", "where d > date ? and e > date?"),
        ("where a = 'open", "where a = ?"),
        ("where a = $x$open", "where a = ?"),
        (r#"where name = "O'Brien, Main St 12""#, "where name = ?"),
        (r"where path = 'C:\\' and b = 1", "where path = ? and b = ?"),
    ] {
        assert_eq!(told(sql), shown, "{sql}");
    }
}

#[test]
fn names_placeholders_and_constants_stay() {
    for sql in [
        "select t1.id, a$b, größe from t1 where a is null and b = true or c = FALSE",
        "where a = ? and b = ?1 and c = $1 and d = :name and e = @name and f = $name and g = @@h",
        r#"select "orders"."id", `orders`.`total` from "orders""#,
        "where a->>? = b::text and c #> ? and d @> ?",
        "",
        "?",
        "$",
        "#",
    ] {
        assert_eq!(told(sql), sql);
    }
}

#[test]
fn double_quotes_are_those_of_literals_where_the_database_says_so() {
    let told = |text| tell(Sql { text, quotes_literals: true }, false);
    assert_eq!(
        told(r#"select `name` from t where a = "secret" and b = 'x'"#),
        "select `name` from t where a = ? and b = ?"
    );
    assert_eq!(told(r#"select "it's", 'a "b"', "open"#), "select ?, ?, ?");
}

#[test]
fn what_stands_in_double_quotes_stays_where_no_value_can_stand() {
    for sql in [
        r#"select "id", "o"."name" as "n", * from "orders" as "o" join "carts" on "o"."id" = "carts"."id" group by "id", "name""#,
        r#"update "orders" set "name" = $1, "total" = ? where "id" = $2 and ("state" in (?, ?) or "gone" is not null)"#,
        r#"insert into "orders" ("id", "name") values ($1, $2) on conflict ("id") do update set "name" = ? returning "id", "n""#,
        r#"delete from "orders" where not "id" >= ? and "name" not like :name"#,
        r#"select distinct "a" from (select "b" from "t", "u") "s" order by "a", "b" limit ?"#,
        r#"select t."a" from only "t""#,
    ] {
        assert_eq!(told(sql), sql);
    }
}

#[test]
fn what_stands_in_double_quotes_is_not_shown_where_a_value_can_stand() {
    for (sql, shown) in [
        (r#"where token = "hunter2""#, "where token = ?"),
        (r#"where "hunter2" = token and a <> "hunter2""#, "where ? = token and a <> ?"),
        (r#"where a in ("hunter2", "x") and b like "hunter2""#, "where a in (?, ?) and b like ?"),
        (r#"where a between "x" and "hunter2" = 1"#, "where a between ? and ? = ?"),
        (r#"insert into t (a, b) values ("hunter2", "x"), (1, "y")"#, "insert into t (a, b) values (?, ?), (?, ?)"),
        (r#"insert into t (a) value ("hunter2")"#, "insert into t (a) value (?)"),
        (r#"insert into t select "hunter2", b from "u""#, r#"insert into t select ?, b from "u""#),
        (r#"update t set a = "hunter2", b = lower("x") where c"#, "update t set a = ?, b = lower(?) where c"),
        (r#"select 1, "hunter2", trim(both from "x") from t"#, "select ?, ?, trim(both from ?) from t"),
        (r#"select a is distinct from "hunter2" from t"#, "select a is distinct from ? from t"),
        (r#"create user a identified by "hunter2""#, "create user a identified by ?"),
        (r#"call login("a", "hunter2"); select "a""#, r#"call login(?, ?); select "a""#),
        (r#""hunter2""#, "?"),
    ] {
        assert_eq!(told(sql), shown, "{sql}");
    }
}

#[test]
fn names_in_double_quotes_stay_at_the_end_of_a_long_text() {
    let columns = (0..100).map(|nth| format!("\"column_{nth}\"")).collect::<Vec<_>>().join(", ");
    let shown = told(&format!("select {columns} from \"t\" where \"a\" = ?"));
    assert!(shown.contains("\"column_99\" from") && shown.len() <= LONGEST, "{shown}");
    assert_eq!(told(&shown), shown);
}

#[test]
fn comments_and_space_shrink_to_one_space() {
    for (sql, shown) in [
        (" select  a,\n\t b -- it's\n from t /* don't */ where/**/c -- end", "select a, b from t where c"),
        ("/* traceparent='00-ab' */ select 1;\r\n", "select ?;"),
        ("select a --not a space\n, b", "select a , b"),
        ("--", ""),
        ("-- 1\n", ""),
    ] {
        assert_eq!(told(sql), shown, "{sql}");
    }
}

#[test]
fn a_long_list_is_shown_by_its_first_value() {
    for (sql, shown) in [
        ("where id in (1, 2, 3)", "where id in (?, ?, ?)"),
        ("where id in (1,2,3,4)", "where id in (?, …)"),
        ("where id in ($1, $2, $3, $4, $5) and a = 1", "where id in ($1, …) and a = ?"),
        ("values (?, ?), (?, ?), (?, ?)", "values (?, ?), (?, ?), (?, ?)"),
        ("select 1, 2, 3, 4, name", "select ?, …, name"),
    ] {
        assert_eq!(told(sql), shown, "{sql}");
    }
}

#[test]
fn where_dialects_disagree_the_text_stops() {
    for (sql, shown) in [
        (r"where a = 'it\'s secret' and b = 1", "where a = …"),
        (r#"where a = "it\"s secret" and b = 1"#, "where a = …"),
        ("select q'[it's secret]'", "select …"),
        ("select 1 # don't\n, 'secret'", "select ? …"),
        ("select 5--1, 'two\nsecret'", "select ?…"),
        ("select 1 /* a /* b */ 'secret */", "select ? …"),
        ("select 1 /* open", "select ? …"),
        ("select 1 -- a\rselect 'secret'\n", "select ? …"),
    ] {
        assert_eq!(told(sql), shown, "{sql}");
    }
    // Here nothing depends on it.
    assert_eq!(told("a #> '{x}' and b # 5\nand c = 'd'"), "a #> ? and b # ? and c = ?");
    assert_eq!(told("select 5--1\n, 'x'"), "select ? , ?");
}

#[test]
fn a_long_text_is_shown_by_its_beginning_and_its_end() {
    let columns = (0..200).map(|nth| format!("t.column_{nth}")).collect::<Vec<_>>().join(", ");
    let shown = told(&format!("select {columns} from t where t.id = 12 order by t.name"));
    assert!(shown.starts_with("select t.column_0, t.column_1,"), "{shown}");
    assert!(shown.ends_with("from t where t.id = ? order by t.name"), "{shown}");
    assert!(shown.contains(", … t.column_") && shown.len() <= LONGEST, "{shown}");
    assert_eq!(tell(names("select a, b fr"), true), "select a, b fr…");
    assert_eq!(tell(names("where a = 'secr"), true), "where a = ?…");
    assert_eq!(told(&"a".repeat(2_000)), "…");
}

/// A piece of a statement; what must not be shown has `sesame` or `90210` in it.
fn piece() -> impl Strategy<Value = String> {
    let inner = r"[a-z ,;=?$/*\-\n\u{e9}]{0,6}";
    const FIXED: &[&str] = &[
        "select", "from", "where", "and", "into", "as", "by", "\"n1\"", ".", "a1", "(", ")", ",", "=", "*", ";",
        "null", "?1", "$2", "->>", "::text", "größe",
    ];
    prop_oneof![
        proptest::sample::select(FIXED).prop_map(str::to_owned),
        (inner, inner).prop_map(|(a, b)| format!("'{a}sesame{b}'")),
        (inner, inner).prop_map(|(a, b)| format!("'{a}''sesame{b}\\\\'")),
        (inner, inner).prop_map(|(a, b)| format!("E'{a}\\'sesame{b}'")),
        inner.prop_map(|a| format!("N'{a}sesame'")),
        "[a-z '\"\\\\]{0,6}".prop_map(|a| format!("$t${a}sesame$t$")),
        "[a-z ']{0,6}".prop_map(|a| format!("/* {a}sesame */")),
        "[a-z '$]{0,6}".prop_map(|a| format!("-- {a}sesame\n")),
        "[a-z ]{0,6}".prop_map(|a| format!("\"{a}, sesame\"")),
        "[0-9]{0,3}".prop_map(|a| format!("{a}90210")),
        "[0-9]{0,3}".prop_map(|a| format!("{a}90210.5e-90210")),
        Just("0x90210".to_owned()),
    ]
}

/// Where a value stands that can be told from a name only by that.
fn value() -> impl Strategy<Value = &'static str> {
    const VALUES: &[&str] = &[
        r#"where a = "sesame""#,
        r#"a<>"sesame""#,
        r#"a in ("sesame""#,
        r#"a in (?, "sesame""#,
        r#"values ("sesame", "sesame")"#,
        r#"a like "sesame""#,
        r#"a = lower("sesame", "sesame")"#,
        r#"between "sesame" and "sesame""#,
        r#"set a = "sesame""#,
        r#"is distinct from "sesame""#,
        r#"|| "sesame""#,
        r#"then "sesame" else "sesame""#,
    ];
    proptest::sample::select(VALUES)
}

proptest! {
    #[test]
    fn nothing_of_a_literal_or_a_comment_is_left(pieces in proptest::collection::vec(piece(), 0..40)) {
        let shown = told(&pieces.join(" "));
        prop_assert!(!shown.contains("sesame") && !shown.contains("90210"), "{shown}");
        prop_assert_eq!(told(&shown), shown);
    }

    #[test]
    fn nothing_in_double_quotes_is_left_where_a_value_stands(
        before in proptest::collection::vec(piece(), 0..20),
        value in value(),
        after in proptest::collection::vec(piece().prop_filter("no part of the name", |piece| piece != "."), 0..20),
    ) {
        let shown = told(&[before.join(" "), value.to_owned(), after.join(" ")].join(" "));
        prop_assert!(!shown.contains("sesame") && !shown.contains("90210"), "{shown}");
        prop_assert_eq!(told(&shown), shown);
    }

    #[test]
    fn the_same_without_spaces_between(pieces in proptest::collection::vec(piece(), 0..40), at in 0_usize..400) {
        let text = pieces.concat();
        let cut = crate::record::log::cut(&text, at);
        let shown = tell(names(cut), cut.len() < text.len());
        prop_assert_eq!(told(&shown), shown);
    }

    #[test]
    fn any_text_can_be_read_and_a_second_reading_changes_nothing(
        sql in "([ -~\\n]|['\"`$#?,/*\\-\\\\]|\\PC){0,700}",
        cut: bool,
    ) {
        let shown = tell(names(&sql), cut);
        prop_assert!(shown.len() <= LONGEST);
        prop_assert_eq!(told(&shown), shown);
    }
}
