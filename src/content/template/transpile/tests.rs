//! Cases for both platforms, and whole variants.

use super::*;
use crate::{audience::Channel, content::Block};

fn fields() -> Vec<Field> {
    let trigger = |path: &str| FieldSource::Trigger(path.into());
    let mut kept = Field::new("city", ValueType::Text, FieldSource::Contact("City".into()));
    kept.klaviyo = Some("person.City".into());
    kept.hubspot = Some("contact.city".into());
    vec![
        Field::new("first_name", ValueType::Text, FieldSource::Contact("first_name".into())).with_fallback("there"),
        Field::new("email", ValueType::Text, FieldSource::Contact("email".into())),
        Field::new("colour", ValueType::Text, FieldSource::Contact("Favourite colour".into()))
            .with_fallback("it's \"blue\""),
        Field::new("plan", ValueType::Text, FieldSource::Contact("plan".into())),
        Field::new("cart_value", ValueType::Money, trigger("value")).with_fallback("your cart"),
        Field::new("count", ValueType::Number, trigger("count")).with_fallback("some"),
        Field::new("total", ValueType::Money, trigger("Cart Total")),
        Field::new("bought", ValueType::Date, trigger("at")),
        Field::new("cart_items", ValueType::List, trigger("cart.line_items")),
        Field::new("product", ValueType::Object, trigger("product")),
        Field::new("threshold", ValueType::Number, FieldSource::Constant("threshold".into())),
        Field::new("discount_code", ValueType::Text, FieldSource::Code { pool: "Welcome".into() }),
        Field::new("viewed", ValueType::Text, FieldSource::LastEvent { event: "Viewed".into(), path: "name".into() }),
        kept,
    ]
}

fn run(source: &str, part: Part, dialect: Dialect) -> Transpiled {
    let constants = [("threshold".into(), Value::Number(1000.0))].into_iter().collect();
    let fields = fields();
    let scope = Scope { fields: &fields, constants: &constants };
    transpile(source, part, dialect, &scope, &Place::default()).unwrap_or_else(|e| panic!("{source}\n{e:#?}"))
}

#[track_caller]
fn check(source: &str, klaviyo: &str, hubspot: &str) {
    assert_eq!(run(source, Part::Html, Dialect::Klaviyo).text, klaviyo, "{source}");
    assert_eq!(run(source, Part::Html, Dialect::Hubspot).text, hubspot, "{source}");
}

fn if_(condition: &str) -> String {
    format!("{{% if {condition} %}}x{{% endif %}}")
}

#[track_caller]
fn check_if(condition: &str, klaviyo: &str, hubspot: &str) {
    check(&if_(condition), &if_(klaviyo), &if_(hubspot));
}

#[test]
fn tags() {
    check(
        "Hi {first_name}",
        "Hi {{ first_name|default:'there' }}",
        "Hi {{ personalization_token('contact.firstname', 'there') }}",
    );
    check("{email}", "{{ email }}", "{{ contact.email }}");
    check(
        "{{ email|default('a & b', true) }}",
        "{{ email|default:'a &amp; b' }}",
        "{{ personalization_token('contact.email', 'a &amp; b') }}",
    );
    check(
        "{colour}",
        "{{ person|lookup:'Favourite colour'|default:'it&#x27;s &quot;blue&quot;' }}",
        "{{ personalization_token('contact.favourite_colour', 'it&#x27;s &quot;blue&quot;') }}",
    );
    check("{plan}", "{{ person|lookup:'plan'|default:'' }}", "{{ contact.plan }}");
    check("{city}", "{{ person.City }}", "{{ contact.city }}");
    check(
        "{cart_value}",
        "{% if event.value or event.value == 0 %}{% currency_format event.value %}{% else %}your cart{% endif %}",
        "{{ personalization_token('contact.cart_value', 'your cart') }}",
    );
    check(
        "{{ count }}",
        "{% if event.count or event.count == 0 %}{{ event.count }}{% else %}some{% endif %}",
        "{{ personalization_token('contact.count', 'some') }}",
    );
    check(
        "{total}",
        "{% if event|lookup:'Cart Total' or event|lookup:'Cart Total' == 0 %}{% currency_format event|lookup:'Cart Total' %}{% endif %}",
        "{{ contact.total }}",
    );
    check(
        "{{ bought|date_fmt('%d %B %Y') }}",
        "{% if event.at %}{{ event.at|format_date_string|date:'d F Y' }}{% endif %}",
        "{{ contact.bought }}",
    );
    check(
        "{product.name} {{ product['Full name'] }} {{ cart_items.0.name }}",
        "{{ event.product.name }} {{ event.product|lookup:'Full name'|default_if_none:'' }} {{ event.cart.line_items.0.name }}",
        "{{ contact.product_name }} {{ contact.product_full_name }} {{ contact.cart_items_0_name }}",
    );
    check("{threshold}", "1000", "1000");
    check("{discount_code}", "{% coupon_code 'Welcome' %}", "{{ contact.discount_code }}");
    check("{viewed}", "{{ person|lookup:'viewed'|default:'' }}", "{{ contact.viewed }}");
    check(
        "<a href=\"{unsubscribe_url}\">x</a> {preferences_url} {view_url}",
        "<a href=\"{% unsubscribe_link %}\">x</a> {% manage_preferences_link %} {% web_view_link %}",
        "<a href=\"{{ unsubscribe_link_all }}\">x</a> {{ unsubscribe_link }} {{ view_as_page_url }}",
    );
    check(
        "{{ first_name|upper }} {{ first_name|truncate_chars(5) }}",
        "{{ first_name|default:'there'|upper }} {{ first_name|default:'there'|truncatechars:5 }}",
        "{{ personalization_token('contact.firstname', 'there') }} {{ personalization_token('contact.firstname', 'there') }}",
    );
    check(
        "{# note #}{% raw %}{{ x }}{% endraw %}{ y }",
        "{% verbatim %}{{ x }}{% endverbatim %}{ y }",
        "{% raw %}{{ x }}{% endraw %}{ y }",
    );
}

#[test]
fn conditions() {
    check_if("cart_value > threshold", "event.value > 1000", "contact.cart_value > 1000");
    check_if("plan == 'it\\'s'", "person|lookup:'plan' == \"it's\"", "contact.plan == 'it\\'s'");
    check_if(
        "(email or plan) and not (city or bought)",
        "email and not person.City and not event.at or person|lookup:'plan' and not person.City and not event.at",
        "(contact.email or contact.plan) and not (contact.city or contact.bought)",
    );
    check_if("not count > 3", "not event.count > 3", "not (contact.count > 3)");
    check_if("count is defined", "event.count or event.count == 0", "(contact.count or contact.count == 0)");
    check_if(
        "count is not defined",
        "not event.count and not event.count == 0",
        "not ((contact.count or contact.count == 0))",
    );
    check_if(
        "plan in ['a', 'b']",
        "person|lookup:'plan' == 'a' or person|lookup:'plan' == 'b'",
        "contact.plan == 'a' or contact.plan == 'b'",
    );
    check_if("cart_items|length > 2", "event.cart.line_items|length > 2", "contact.cart_items > 2");
    check(
        "{% if email %}a{% elif plan %}b{% else %}c{% endif %}",
        "{% if email %}a{% elif person|lookup:'plan' %}b{% else %}c{% endif %}",
        "{% if contact.email %}a{% elif contact.plan %}b{% else %}c{% endif %}",
    );
}

#[test]
fn loops() {
    check(
        "{% for i in cart_items[:3] %}{{ loop.index }} {i.name} {{ i['Unit price']|money }}{% if loop.last %}.{% endif %}{% else %}none{% endfor %}",
        "{% for i in event.cart.line_items|slice:':3' %}{{ forloop.counter }} {{ i.name }} {% if i|lookup:'Unit price' or i|lookup:'Unit price' == 0 %}{% currency_format i|lookup:'Unit price' %}{% endif %}{% if forloop.last %}.{% endif %}{% empty %}none{% endfor %}",
        "none",
    );
}

#[test]
fn plain_parts_are_not_escaped() {
    let plain = |source: &str, dialect| run(source, Part::Plain, dialect).text;
    assert_eq!(plain("{{ email|default('a & b', true) }}", Dialect::Klaviyo), "{{ email|default:'a & b' }}");
    assert_eq!(plain("{colour}", Dialect::Klaviyo), "{{ person|lookup:'Favourite colour'|default:'it\\'s \"blue\"' }}");
}

#[test]
fn canonical_is_stable() {
    for source in [
        "Hi {{ first_name|default(\"there\", true)|upper }}",
        "{% if cart_value > threshold %}a{% elif plan %}b{% else %}c{% endif %}",
        "{% for i in cart_items[:3] %}{{ i[\"First name\"] }}{% else %}none{% endfor %}",
        "{% if (email or plan) and (not city) %}x{% endif %}",
        "{% raw %}{{ x }}{% endraw %}",
    ] {
        let once = run(source, Part::Html, Dialect::Canonical).text;
        let twice = run(&once, Part::Html, Dialect::Canonical).text;
        assert_eq!(once, twice, "{source}");
    }
    assert_eq!(run("Hi {first_name}", Part::Html, Dialect::Canonical).text, "Hi {{ first_name }}");
}

#[track_caller]
fn check_losses(source: &str, dialect: Dialect, expected: &[&str]) {
    let codes: Vec<String> = run(source, Part::Html, dialect).losses.iter().map(|d| d.code.to_string()).collect();
    assert_eq!(codes, expected, "{source}");
}

#[test]
fn losses() {
    check_losses("{first_name} {cart_value} {{ bought }}", Dialect::Klaviyo, &[]);
    check_losses("{viewed}", Dialect::Klaviyo, &["klaviyo/prepared-property"]);
    check_losses("{% if discount_code %}x{% endif %}", Dialect::Klaviyo, &["klaviyo/code-condition"]);
    check_losses("{{ count|number(2) }}", Dialect::Klaviyo, &["klaviyo/thousands"]);
    let wide = ["(email or plan)"; 5].join(" and ");
    check_losses(&if_(&wide), Dialect::Klaviyo, &["klaviyo/condition-size"]);
    check_losses("{first_name}", Dialect::Hubspot, &[]);
    check_losses("{{ first_name|upper }}", Dialect::Hubspot, &["hubspot/format"]);
    check_losses("{cart_value}", Dialect::Hubspot, &["hubspot/prepared-property", "hubspot/format"]);
    check_losses("{% for i in cart_items %}{i.name}{% endfor %}", Dialect::Hubspot, &["hubspot/list-dropped"]);
    check_losses(&if_("plan"), Dialect::Hubspot, &["hubspot/programmable-mail"]);
    let prepared = run("{cart_value} {viewed} {plan}", Part::Html, Dialect::Hubspot).prepared;
    assert_eq!(prepared.iter().map(SmolStr::as_str).collect::<Vec<_>>(), ["cart_value", "viewed"]);
}

/// Every named format exists on every target, or is a stated loss.
#[test]
fn named_formats() {
    check(
        "{{ cart_value|money }}",
        "{% if event.value or event.value == 0 %}{% currency_format event.value %}{% else %}your cart{% endif %}",
        "{{ personalization_token('contact.cart_value', 'your cart') }}",
    );
    check(
        "{{ plan|upper }}{{ plan|lower }}",
        "{{ person|lookup:'plan'|default:''|upper }}{{ person|lookup:'plan'|default:''|lower }}",
        "{{ contact.plan }}{{ contact.plan }}",
    );
    check(
        "{{ plan|truncate_chars(20) }}",
        "{{ person|lookup:'plan'|default:''|truncatechars:20 }}",
        "{{ contact.plan }}",
    );
    check(
        "{{ count|number(1) }}",
        "{% if event.count or event.count == 0 %}{{ event.count|floatformat:1 }}{% else %}some{% endif %}",
        "{{ personalization_token('contact.count', 'some') }}",
    );
    check(
        "{{ bought|date_fmt('%d %B %Y') }}",
        "{% if event.at %}{{ event.at|format_date_string|date:'d F Y' }}{% endif %}",
        "{{ contact.bought }}",
    );
    for format in ["money", "upper", "lower", "truncate_chars(20)", "number(1)", "date_fmt('%d')"] {
        check_losses(&format!("{{{{ first_name|{format} }}}}"), Dialect::Hubspot, &["hubspot/format"]);
    }
}

#[test]
fn the_calendar() {
    check(
        "{{ '14:00'|arrival(2, 4) }} to {{ '14:00'|arrival(4) }}",
        "2 to 4 working days from now",
        "2 to 4 working days from now",
    );
    check(
        "{{ 'now'|date_fmt('%A, %-d %B') }}",
        "{% current_weekday %}, {% current_day %} {% current_month_name %}",
        "{{ format_datetime(today(), 'EEEE, d MMMM') }}",
    );
    check(
        "{{ '14:00'|arrival(2, 4, 'de') }} bis {{ '14:00'|arrival(4, 'de') }}",
        "2 bis 4 Werktagen ab heute",
        "2 bis 4 Werktagen ab heute",
    );
    let days = ["domingo", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado"];
    let chain = |number: &str, from: usize, width: usize, names: &[&str]| {
        let arm = |(n, name): (usize, &&str)| {
            let word = if n == 0 { "if" } else { "elif" };
            format!("{{% {word} {number} == '{:0width$}' %}}{name}", n + from)
        };
        names.iter().enumerate().map(arm).collect::<String>() + "{% endif %}"
    };
    check(
        "{{ 'now'|date_fmt('%A, %-d de', 'es') }}",
        &format!("{{% today \"%w\" as fl_day %}}{}, {{% current_day %}} de", chain("fl_day", 0, 1, &days)),
        "{{ format_datetime(today(), 'EEEE, d \\'de\\'', 'UTC', 'es') }}",
    );
    let finnish = run("{{ 'now'|date_fmt('%A %-d. %B', 'fi') }}", Part::Html, Dialect::Hubspot);
    assert_eq!(finnish.text, "{{ format_datetime(today(), 'cccc d. MMMM', 'UTC', 'fi') }}");
    let at = "event.at|format_date_string|date:";
    let months = ["led", "úno", "bře", "dub", "kvě", "čvn", "čvc", "srp", "zář", "říj", "lis", "pro"];
    check(
        "{{ bought|date_fmt('%-d. %b %Y', 'cs') }}",
        &format!(
            "{{% if event.at %}}{{{{ {at}'j. ' }}}}{}{{{{ {at}' Y' }}}}{{% endif %}}",
            chain(&format!("{at}'n'"), 1, 1, &months)
        ),
        "{{ contact.bought }}",
    );
    check("{{ '2026-11-27 18:00'|date_fmt('%A, %-d. %B', 'de') }}", "Freitag, 27. November", "Freitag, 27. November");
    check("{{ '2026-11-27 18:00'|date_fmt('%-d %B, %H:%M') }}", "27 November, 18:00", "27 November, 18:00");
    check("{{ '2026-11-27T18:00:00+01:00'|date_fmt('%H:%M') }}", "17:00 UTC", "17:00 UTC");
    for over in ["'2026-11-27'|is_past", "bought|is_past"] {
        check(&format!("{{% if {over} %}}over{{% else %}}on{{% endif %}}"), "on", "on");
        check(&format!("{{% if not ({over}) %}}on{{% endif %}}"), "on", "on");
        check_losses(&format!("{{% if {over} %}}x{{% endif %}}"), Dialect::Klaviyo, &["klaviyo/deadline"]);
        check_losses(&format!("{{% if {over} %}}x{{% endif %}}"), Dialect::Hubspot, &["hubspot/deadline"]);
    }
    check_losses("{{ '14:00'|arrival(2) }}", Dialect::Klaviyo, &["klaviyo/arrival"]);
    check_losses("{{ 'now'|date_fmt('%A') }}", Dialect::Hubspot, &["hubspot/account-zone"]);
}

#[test]
fn whole_variants() {
    let mut message = Message::new("m", Channel::Email);
    let variant = &mut message.variants[0];
    variant.subject = "{first_name} & co".into();
    variant.body = crate::content::Body::Blocks(
        [
            "heading(text: \"Hi {first_name}\")",
            "text(text: \"Code\", show_if: \"{cart_value} > {threshold} AND {count} < 24h\")",
            "products(items: \"cart_items\", price: \"price\", url: \"url\")",
            "button(text: \"Go\", href: \"https://x.example/?e={{ email|urlencode }}\")",
            "footer()",
        ]
        .map(Block::from_ron)
        .to_vec(),
    );
    let constants = [("threshold".into(), Value::Number(1000.0))].into_iter().collect();
    let fields = fields();
    let scope = Scope { fields: &fields, constants: &constants };
    let export = |dialect| {
        export_variant(&message, &message.variants[0], &Brand::default(), dialect, &scope)
            .unwrap_or_else(|e| panic!("{e:#?}"))
    };
    let klaviyo = export(Dialect::Klaviyo);
    assert_eq!(klaviyo.subject, "{% autoescape off %}{{ first_name|default:'there' }} & co{% endautoescape %}");
    for part in [
        "Hi {{ first_name|default:'there' }}</h1>",
        "{% if event.value > 1000 and event.count < 24 %}",
        "{% for item in event.cart.line_items|slice:':3' %}",
        "{% if item.price %}{% if item.price or item.price == 0 %}{% currency_format item.price %}{% endif %}{% endif %}",
        "href=\"https://x.example/?e={{ email|urlencode }}\"",
        "<a href=\"{% unsubscribe_link %}\"",
    ] {
        assert!(klaviyo.html.contains(part), "{part}\n{}", klaviyo.html);
    }
    assert!(klaviyo.text.contains("Unsubscribe: {% unsubscribe_link %}"), "{}", klaviyo.text);
    let hubspot = export(Dialect::Hubspot);
    assert!(
        hubspot.html.contains("{{ unsubscribe_link_all }}") && !hubspot.html.contains("{% for"),
        "{}",
        hubspot.html
    );
    assert_eq!(hubspot.losses.iter().filter(|d| d.code == "hubspot/list-dropped").count(), 1, "{:#?}", hubspot.losses);
    let canonical = export(Dialect::Canonical);
    assert!(canonical.html.contains("{{ unsubscribe_url }}"), "{}", canonical.html);
}

/// What the platforms cannot work out is words that stay true, and a loss.
#[test]
fn blocks_that_answer_questions() {
    let mut message = Message::new("m", Channel::Email);
    message.variants[0].body = crate::content::Body::Blocks(
        [
            "countdown(until: midnight, ended: \"Over\")",
            "countdown(until: at(\"2026-11-27T18:00:00Z\"), ended: \"Over\")",
            "countdown(until: field(\"bought\"))",
            "stock(field: \"count\", levels: [(at_most: 3, text: \"Only {count}\"), (at_most: 9, text: \"Few\")], sold_out: \"None\")",
            "delivery(cut_off: \"14:00\")",
            "columns(columns: [(blocks: [text(text: \"{plan}\", show_if: \"plan\")]), (blocks: [divider()])], show_if: \"email\")",
            "sms_opt_in(number: \"+49 170 1234567\")",
            "footer()",
        ]
        .map(Block::from_ron)
        .to_vec(),
    );
    let constants = BTreeMap::new();
    let fields = fields();
    let scope = Scope { fields: &fields, constants: &constants };
    for dialect in [Dialect::Klaviyo, Dialect::Hubspot] {
        let mail = export_variant(&message, &message.variants[0], &Brand::default(), dialect, &scope)
            .unwrap_or_else(|e| panic!("{e:#?}"));
        for gone in ["is_past", "arrival", "date_fmt", "Over"] {
            assert!(!mail.html.contains(gone) && !mail.text.contains(gone), "{dialect:?} {gone}\n{}", mail.html);
        }
        for part in ["Friday, 27 November, 18:00 UTC", "between 2 and 4 working days from now", "sms:+491701234567"] {
            assert!(mail.html.contains(part), "{dialect:?} {part}\n{}", mail.html);
        }
        let name = if dialect == Dialect::Klaviyo { "klaviyo" } else { "hubspot" };
        let codes: BTreeSet<String> = mail.losses.iter().map(|d| d.code.to_string()).collect();
        for code in ["account-zone", "deadline", "deadline-zone", "arrival"] {
            assert!(codes.contains(&format!("{name}/{code}")), "{code} {codes:?}");
        }
        let (stock, date) = match dialect {
            Dialect::Klaviyo => {
                ("{% if event.count > 0 and event.count <= 3 %}", "{% if event.at %}<tr><td align=\"center\"")
            }
            _ => ("{% if contact.count > 0 and contact.count <= 3 %}", "{% if contact.bought %}"),
        };
        assert!(mail.html.contains(stock) && mail.html.contains(date), "{}", mail.html);
    }
}
