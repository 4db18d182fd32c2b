//! HubSpot's templates as ours, and back: what we export is read as what it was.

use std::collections::BTreeMap;

use super::*;
use crate::{
    base::Place,
    content::{Dialect, Scope, transpile},
};

fn back(text: &str, part: Part, book: &Book) -> String {
    let fields: Vec<Field> = book.found().iter().map(|found| found.field.clone()).collect();
    let constants = BTreeMap::new();
    let scope = Scope { fields: &fields, constants: &constants };
    transpile(text, part, Dialect::Hubspot, &scope, &Place::default()).unwrap_or_else(|e| panic!("{text}\n{e:#?}")).text
}

/// HubSpot's text, ours, and whether ours goes back to the same.
#[track_caller]
fn check(source: &str, expected: &str) {
    let mut book = Book::default();
    let read = from_hubl(source, Part::Html, &mut book);
    assert_eq!(read.text, expected, "{source}\n{:?}", read.kept);
    assert!(read.is_exact(), "{:?}", read.kept);
    assert_eq!(back(&read.text, Part::Html, &book), source);
}

/// The same for a text that is written in another form when it goes back.
#[track_caller]
fn check_meaning(source: &str, expected: &str) {
    let read = from_hubl(source, Part::Html, &mut Book::default());
    assert_eq!(read.text, expected, "{source}\n{:?}", read.kept);
    assert!(read.is_exact(), "{:?}", read.kept);
}

/// What is not in the subset is seen in the text and said, with its place.
#[track_caller]
fn check_kept(source: &str, expected: &str, reasons: &[&str]) {
    let read = from_hubl(source, Part::Html, &mut Book::default());
    assert_eq!(read.text, expected, "{source}");
    let kept: Vec<String> = read.kept.iter().map(|(range, why)| format!("{} {why}", range.slice(source))).collect();
    assert_eq!(kept.len(), reasons.len(), "{kept:#?}");
    for (kept, reason) in kept.iter().zip(reasons) {
        assert!(kept.contains(reason), "{kept}\n{reason}");
    }
}

#[test]
fn tokens_and_links() {
    check(
        "Hi {{ personalization_token('contact.firstname', 'there') }}",
        "Hi {{ first_name|default(\"there\", true) }}",
    );
    check(
        "{{ personalization_token('contact.plan', 'it&#x27;s &lt;b&gt;') }}",
        "{{ plan|default(\"it's <b>\", true) }}",
    );
    check("{{ contact.plan }} {{ contact.hs_language }}", "{{ plan }} {{ language }}");
    check(
        "<a href=\"{{ unsubscribe_link_all }}\">x</a> {{ unsubscribe_link }} {{ view_as_page_url }}",
        "<a href=\"{{ unsubscribe_url }}\">x</a> {{ preferences_url }} {{ view_url }}",
    );
    check("{{ format_datetime(today(), 'EEEE, d MMMM yyyy') }}", "{{ \"now\"|date_fmt(\"%A, %-d %B %Y\") }}");
    check("{% raw %}{{ x }}{% endraw %}", "{% raw %}{{ x }}{% endraw %}");
    check_meaning("{% raw %}a{%} b{% endraw %}", "{% raw %}a{%} b{% endraw %}");
    check_meaning("{{- contact.firstname | upper -}}{# note #}", "{{ first_name|upper }}");
    check_meaning("{{ contact.firstname|default(\"there\") }}", "{{ first_name|default(\"there\", true) }}");
    check_meaning("{{ personalization_token('contact.firstname') }}", "{{ first_name }}");
    check_meaning("{{ company.name }}", "{{ company_name }}");
}

#[test]
fn conditions_and_loops() {
    check(
        "{% if contact.plan == 'pro' %}a{% elif contact.n > 3 and not (contact.vip) %}b{% else %}c{% endif %}",
        "{% if (plan == \"pro\") %}a{% elif ((n > 3) and (not vip)) %}b{% else %}c{% endif %}",
    );
    check("{% if (contact.n or contact.n == 0) %}x{% endif %}", "{% if (n is defined) %}x{% endif %}");
    check("{% if contact.n or contact.n == 0 %}x{% endif %}", "{% if (n or (n == 0)) %}x{% endif %}");
    check("{% if not ((contact.n or contact.n == 0)) %}x{% endif %}", "{% if (not (n is defined)) %}x{% endif %}");
    check_meaning(
        "{% if contact.a && !contact.b || contact.c %}x{% endif %}",
        "{% if ((a and (not b)) or c) %}x{% endif %}",
    );
    check_meaning("{% unless contact.a %}x{% endunless %}", "{% if (not a) %}x{% endif %}");
    check_meaning(
        "{% if contact.tags %}{% for t in contact.tags %}{{ t.name }}{{ loop.index }}{% endfor %}{% else %}none{% endif %}",
        "{% for t in tags %}{{ t.name }}{{ loop.index }}{% else %}none{% endfor %}",
    );
}

#[test]
fn what_is_not_understood_is_seen() {
    check_kept("{{ content.create_date }}", "⟨content.create_date⟩", &["`content` is not known"]);
    check_kept("{% set a = 1 %}{{ contact.x|title }}", "⟨set a = 1⟩{{ x }}", &["no such tag", "no filter `title`"]);
    check_kept("{% module 'x' %}", "⟨module &#x27;x&#x27;⟩", &["no such tag"]);
    check_kept(
        "{{ 'a' if contact.x else 'b' }}",
        "⟨&#x27;a&#x27; if contact.x else &#x27;b&#x27;⟩",
        &["a choice inside a tag"],
    );
    check_kept(
        "{% if crm_object('x') %}a{% else %}b{% endif %}",
        "⟨if crm_object(&#x27;x&#x27;)⟩a⟨else⟩b⟨endif⟩",
        &["functions are not part"],
    );
    check_kept("{% if contact.x %}a", "{% if x %}a{% endif %}", &["never closed"]);
    check_kept("a{% endif %}b", "a⟨endif⟩b", &["closes nothing"]);
    check_kept(
        "{{ contact.x ? 'a' : 'b' }}",
        "⟨contact.x ? &#x27;a&#x27; : &#x27;b&#x27;⟩",
        &["a choice inside a tag"],
    );
}

/// No text of any kind stops the reader.
#[test]
fn damaged_texts_are_read() {
    let seeds = [
        "{% if contact.a %}{{ personalization_token('contact.b', 'c') }}{% for x in contact.c %}{{ x.y }}{% endfor %}{% else %}{% endif %}",
        "{{ format_datetime(today(), 'd MMMM') }}{% raw %}{{{% endraw %}{{ 'a\\'b'|default(\"ü\", true) }}",
    ];
    let mut seed = 7_u64;
    // A small generator of its own, since this room knows none. Source: Knuth, MMIX.
    let mut below = |n: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % n.max(1)
    };
    const LETTERS: [char; 9] = ['{', '}', '%', '\'', '(', 'é', '|', '\\', ' '];
    for round in 0..2_000 {
        let mut letters: Vec<char> = seeds[round % seeds.len()].chars().collect();
        for _ in 0..1 + below(6) {
            let at = below(letters.len());
            match below(3) {
                0 if !letters.is_empty() => drop(letters.remove(at)),
                1 => letters.insert(at, LETTERS[below(LETTERS.len())]),
                _ => letters.truncate(letters.len() - below(4).min(letters.len())),
            }
        }
        let text: String = letters.into_iter().collect();
        let read = from_hubl(&text, Part::Html, &mut Book::default());
        assert!(crate::content::template::read_expanded(&read.text).is_ok(), "{text}\n{}", read.text);
    }
}
