//! Klaviyo's templates as ours, and back: what we export is read as what it was.

use std::collections::BTreeMap;

use super::*;
use crate::{
    base::Place,
    content::{Dialect, Scope, transpile},
};

fn fields(book: &Book) -> (Vec<Field>, BTreeMap<SmolStr, Value>) {
    let mut constants = BTreeMap::new();
    for found in book.found() {
        if let (FieldSource::Constant(name), Some(value)) = (&found.field.source, &found.constant) {
            constants.insert(name.clone(), value.clone());
        }
    }
    (book.found().iter().map(|found| found.field.clone()).collect(), constants)
}

fn back(text: &str, part: Part, book: &Book) -> String {
    let (fields, constants) = fields(book);
    let scope = Scope { fields: &fields, constants: &constants };
    transpile(text, part, Dialect::Klaviyo, &scope, &Place::default()).unwrap_or_else(|e| panic!("{text}\n{e:#?}")).text
}

#[track_caller]
fn read(source: &str, part: Part) -> (Read, Book) {
    let mut book = Book::default();
    let read = from_klaviyo(source, part, &mut book);
    (read, book)
}

/// Klaviyo's text, ours, and whether ours goes back to the same.
#[track_caller]
fn check(source: &str, expected: &str) {
    let (read, book) = read(source, Part::Html);
    assert_eq!(read.text, expected, "{source}\n{:?}", read.kept);
    assert!(read.is_exact(), "{:?}", read.kept);
    assert_eq!(back(&read.text, Part::Html, &book), source);
}

/// The same for a text that is written in another form when it goes back.
#[track_caller]
fn check_meaning(source: &str, expected: &str, klaviyo: &str) {
    let (read, book) = read(source, Part::Html);
    assert_eq!(read.text, expected, "{source}\n{:?}", read.kept);
    assert!(read.is_exact(), "{:?}", read.kept);
    assert_eq!(back(&read.text, Part::Html, &book), klaviyo);
}

#[test]
fn tags_and_filters() {
    check("Hi {{ first_name|default:'there' }}", "Hi {{ first_name|default(\"there\", true) }}");
    check("{{ email }} {{ person.City }} {{ person.phone_number }}", "{{ email }} {{ city }} {{ phone_number }}");
    check("{{ person|lookup:'Favorite Color'|default:'' }}", "{{ favorite_color|default(\"\", true) }}");
    check("{{ event.extra.checkout_url }}", "{{ checkout_url }}");
    check("{{ event|lookup:'$value'|default_if_none:'' }}", "{{ value }}");
    check(
        "{{ organization.name }}, {{ organization.full_address }}",
        "{{ organization_name }}, {{ organization_full_address }}",
    );
    check("{% coupon_code 'Welcome' %}", "{{ welcome_code }}");
    check(
        "<a href=\"{% unsubscribe_link %}\">x</a>{% web_view_link %}{% manage_preferences_link %}",
        "<a href=\"{{ unsubscribe_url }}\">x</a>{{ view_url }}{{ preferences_url }}",
    );
    check("{{ email|default:'a &amp; b' }}", "{{ email|default(\"a & b\", true) }}");
    check("{% verbatim %}{{ x }}{% endverbatim %}", "{% raw %}{{ x }}{% endraw %}");
    check("{{ person.Birthday }}", "{{ birthday }}");
    check("{{ event.extra.items.0.title }}", "{{ items_0_title }}");
    check(
        "{% current_weekday %}, {% current_day %} {% current_month_name %} {% current_year %}",
        "{{ \"now\"|date_fmt(\"%A\") }}, {{ \"now\"|date_fmt(\"%-d\") }} {{ \"now\"|date_fmt(\"%B\") }} {{ \"now\"|date_fmt(\"%Y\") }}",
    );
    check_meaning(
        "{{ first_name | default:\"there\" | upcase }}",
        "{{ first_name|default(\"there\", true)|upper }}",
        "{{ first_name|default:'there'|upper }}",
    );
    check_meaning(
        "{% unsubscribe 'Stop & go' %}",
        "<a href=\"{{ unsubscribe_url }}\">Stop &amp; go</a>",
        "<a href=\"{% unsubscribe_link %}\">Stop &amp; go</a>",
    );
    check_meaning(
        "{% today '%d %B' as today %}{{ today }}{# note #}{% comment %}x{% endcomment %}",
        "{{ \"now\"|date_fmt(\"%d %B\") }}",
        "{% current_day %} {% current_month_name %}",
    );
    check_meaning("{% with who=first_name %}{{ who }}{% endwith %}", "{{ first_name }}", "{{ first_name }}");
}

/// A condition around one tag is a format or a fallback; all others stay conditions.
#[test]
fn guards() {
    check("{% if event.value or event.value == 0 %}{% currency_format event.value %}{% endif %}", "{{ value|money }}");
    check(
        "{% if event.value or event.value == 0 %}{% currency_format event.value %}{% else %}your cart{% endif %}",
        "{{ value_2|money }}",
    );
    check("{% if event.count or event.count == 0 %}{{ event.count }}{% else %}some{% endif %}", "{{ count_2 }}");
    check(
        "{% if event.at %}{{ event.at|format_date_string|date:'j F Y' }}{% endif %}",
        "{{ at|date_fmt(\"%-d %B %Y\") }}",
    );
    check(
        "{% if event.at %}{{ event.at|format_date_string|date:'d' }}{% else %}soon{% endif %}",
        "{{ at|date_fmt(\"%d\")|default(\"soon\", true) }}",
    );
    check("{% if event.tags %}{{ event.tags|join:', ' }}{% endif %}", "{{ tags }}");
    check("{% if event.tags %}{{ event.tags|join:', ' }}{% else %}none{% endif %}", "{{ tags_2 }}");
    check("{% if event.vip or event.vip == 0 %}{{ event.vip|yesno:'yes,no' }}{% endif %}", "{{ vip }}");
    check(
        "{% if first_name %}{{ first_name|upper }}{% else %}IT&#x27;S{% endif %}",
        "{{ first_name|default(\"IT'S\", true)|upper }}",
    );
    check(
        "{% if first_name %}{{ first_name }}{% else %}there{% endif %}",
        "{% if first_name %}{{ first_name }}{% else %}there{% endif %}",
    );
    check("{% if first_name %}Hi {{ first_name }}{% endif %}", "{% if first_name %}Hi {{ first_name }}{% endif %}");
}

#[test]
fn conditions_and_loops() {
    check(
        "{% if event.value > 100 and not first_name or person.City == 'Ulm' %}a{% elif email %}b{% else %}c{% endif %}",
        "{% if (((value > 100) and (not first_name)) or (city == \"Ulm\")) %}a{% elif email %}b{% else %}c{% endif %}",
    );
    check(
        "{% for item in event.extra.line_items|slice:':3' %}{{ forloop.counter }} {{ item.title }} {{ item|lookup:'Unit price'|default_if_none:'' }}{% if forloop.last %}.{% endif %}{% empty %}none{% endfor %}",
        "{% for item in line_items[:3] %}{{ loop.index }} {{ item.title }} {{ item[\"Unit price\"] }}{% if loop.last %}.{% endif %}{% else %}none{% endfor %}",
    );
    check(
        "{% for i in event.items %}{% if i.price %}{% if i.price or i.price == 0 %}{% currency_format i.price %}{% endif %}{% endif %}{% endfor %}",
        "{% for i in items %}{% if i.price %}{{ i.price|money }}{% endif %}{% endfor %}",
    );
}

/// What is not in the subset is seen in the text and said, with its place.
#[track_caller]
fn check_kept(source: &str, expected: &str, reasons: &[&str]) {
    let (read, _) = read(source, Part::Html);
    assert_eq!(read.text, expected, "{source}");
    let kept: Vec<String> = read.kept.iter().map(|(range, why)| format!("{} {why}", range.slice(source))).collect();
    assert_eq!(kept.len(), reasons.len(), "{kept:#?}");
    for (kept, reason) in kept.iter().zip(reasons) {
        assert!(kept.contains(reason), "{kept}\n{reason}");
    }
}

#[test]
fn what_is_not_understood_is_kept() {
    check_kept(
        "{% catalog event.id %}{{ catalog_item.title }}{% endcatalog %}",
        "⟨catalog event.id⟩⟨catalog_item.title⟩⟨endcatalog⟩",
        &["no such tag", "`catalog_item` is not known", "no such tag"],
    );
    check_kept("{{ first_name|title }}", "{{ first_name }}", &["no filter `title`"]);
    check_kept(
        "{% for i in feeds.x %}{{ i.a }}{% endfor %}{{ i }}",
        "⟨for i in feeds.x⟩⟨i.a⟩⟨endfor⟩⟨i⟩",
        &["`feeds`", "`i` comes", "`i` is not known"],
    );
    check_kept(
        "{% if first_name|md5_hash == 'x' %}a{% else %}b{% endif %}",
        "⟨if first_name|md5_hash == &#x27;x&#x27;⟩a⟨else⟩b⟨endif⟩",
        &["md5_hash"],
    );
    check_kept("{% if first_name %}a", "{% if first_name %}a{% endif %}", &["never closed"]);
    check_kept("a{% endif %}b{% else %}c", "a⟨endif⟩b⟨else⟩c", &["closes nothing", "closes nothing"]);
    check_kept("{{ a b }}", "⟨a b⟩", &["neither a name"]);
}

#[test]
fn plain_texts_are_not_escaped() {
    let (read, book) = read("{% autoescape off %}Hi {{ first_name|default:'a & b' }}{% endautoescape %}", Part::Plain);
    assert_eq!(read.text, "Hi {{ first_name|default(\"a & b\", true) }}");
    assert_eq!(back(&read.text, Part::Plain, &book), "Hi {{ first_name|default:'a & b' }}");
}

/// One value has one name in all texts of a flow, and what one text says of its kind holds for all.
#[test]
fn texts_share_a_book() {
    let mut book = Book::default();
    let first = from_klaviyo("{{ event.count }}", Part::Plain, &mut book);
    let second = from_klaviyo("{% if event.count > 3 %}x{% endif %}{{ person.count }}", Part::Html, &mut book);
    assert_eq!(first.text, "{{ count }}");
    assert_eq!(second.text, "{% if (count > 3) %}x{% endif %}{{ count_2 }}");
    assert_eq!(book.found()[0].field.kind, ValueType::Number);
}

#[test]
fn hostile_texts_end() {
    for source in [
        "{% if a %}".repeat(3_000),
        "{% for a in event.b %}".repeat(3_000),
        "{% with a=email %}".repeat(3_000),
        "{{ a|lookup:".repeat(3_000),
        format!("{{{{ event{} }}}}", ".a".repeat(30_000)),
        format!("{{{{ email{} }}}}", "|upper".repeat(30_000)),
        format!("{{% if {} a %}}x{{% endif %}}", "not ".repeat(30_000)),
        format!("{{% if a{} %}}x{{% endif %}}", " and a".repeat(30_000)),
        "{".repeat(100_000),
        "{{".repeat(50_000),
        "{%".repeat(50_000),
        "{% verbatim %}".repeat(3_000),
        "{% comment %}".repeat(3_000),
        "x".repeat(2 << 20),
        (0..5_000).map(|n| format!("{{{{ event.f{n} }}}}")).collect(),
    ] {
        for part in [Part::Html, Part::Plain] {
            let (read, _) = read(&source, part);
            assert!(read.text.len() <= source.len() * 12 + 4_000, "{}", read.text.len());
        }
    }
}
