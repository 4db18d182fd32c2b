//! Made-up templates of the whole mail language with data that engines like to read differently.
//!
//! Hand-written ones first, then `TEMPLATES` from a seed that is printed; `FLOWLOOM_SEED` takes another. Templates of
//! the language are rendered by three engines; what is outside of it is refused with a place and a remedy.

use flowloom::{
    audience::{Channel, Contact, Event, EventLog, Properties, Value, ValueType},
    base::Instant,
    content::{Body, Dialect, Field, FieldSource, Message, PreparedMessage},
    flow::Workspace,
    testing::Rng,
};
use serde_json::Value as Json;

use super::{Case, Surroundings};

/// Templates from the seed.
const TEMPLATES: usize = 400;

fn fields() -> Vec<Field> {
    let trigger = |path: &str| FieldSource::Trigger(path.into());
    let contact = |path: &str| FieldSource::Contact(path.into());
    vec![
        Field::new("first_name", ValueType::Text, contact("first_name")).with_fallback("there"),
        Field::new("email", ValueType::Text, contact("email")),
        Field::new("colour", ValueType::Text, contact("Favourite colour")).with_fallback("it's \"blue\" & <b>"),
        Field::new("plan", ValueType::Text, contact("plan")),
        Field::new("vip", ValueType::Bool, contact("vip")),
        Field::new("points", ValueType::Number, contact("points")),
        Field::new("cart_value", ValueType::Money, trigger("value")).with_fallback("your cart"),
        Field::new("count", ValueType::Number, trigger("count")).with_fallback("some"),
        Field::new("total", ValueType::Money, trigger("Cart Total")),
        Field::new("bought", ValueType::Date, trigger("on")),
        Field::new("cart_items", ValueType::List, trigger("items")),
        Field::new("tags", ValueType::List, trigger("tags")).with_fallback("no tags"),
        Field::new("product", ValueType::Object, trigger("product")),
        Field::new("threshold", ValueType::Number, FieldSource::Constant("threshold".into())),
    ]
}

/// By hand, because each was wrong somewhere once or may well be.
const TEMPLATES_BY_HAND: &[&str] = &[
    "Hi {first_name}, {email}",
    "{colour} {plan} {vip} {points}",
    "{{ first_name|upper }} {{ first_name|lower }} {{ first_name|truncate_chars(4) }} {{ email|urlencode }}",
    "{{ email|default('a & \"b\" <c> it\\'s', true) }} {{ plan|default('a\\\\b', true) }}",
    "{{ plan|default('say \"it\\'s\"', true) }}",
    "{{ count }} {{ count|default('none', true) }} {{ points|default(0, true) }} {points}",
    "{cart_value} {total} {{ total|money }} {{ points|money }} {{ cart_value|default('-', true) }}",
    "{{ points|number(2) }} {{ count|number }} {{ total|number(1) }}",
    "{bought} {{ bought|date_fmt('%A, %-d %b %y of the %m') }}",
    "{% if count is defined %}yes{% else %}no{% endif %} {% if count is not defined %}yes{% else %}no{% endif %}",
    "{% if count %}yes{% else %}no{% endif %} {% if not count %}yes{% else %}no{% endif %}",
    "{% if vip %}yes{% else %}no{% endif %} {{ vip|yes_no('Ja & so', 'Nein') }} {{ plan|yes_no }}",
    "{% if count > 3 %}a{% elif count < 1 %}b{% else %}c{% endif %}",
    "{% if not count > 3 %}a{% else %}b{% endif %} {% if not count < 3 %}a{% else %}b{% endif %}",
    "{% if (email or plan) and not (vip or count) %}x{% else %}y{% endif %}",
    "{% if plan in ['pro', 'it\\'s'] or count == 0 %}x{% else %}y{% endif %}",
    "{% if plan not in ['pro', 'basic'] and plan != 'x' %}x{% else %}y{% endif %}",
    "{% if 'ro' in plan %}x{% else %}y{% endif %}",
    "{% if count >= threshold %}x{% else %}y{% endif %} {threshold}",
    "{% if points <= 0.125 %}x{% elif points == 129.5 %}y{% else %}z{% endif %}",
    "{% for i in cart_items[:2] %}{{ loop.index }}/{{ loop.revindex }}{{ loop.index0 }}/{{ loop.revindex0 }} {i.name} \
     {{ i['Unit price'] }} {{ i['Unit price']|money }}{% if loop.last %}.{% elif loop.first %}!{% endif %}{% else %}none{% endfor %}",
    "{% for i in cart_items %}{% for t in i.tags %}{t}{% else %}-{% endfor %}{% endfor %}",
    "{% for i in cart_items[1:3] %}{{ i.name|upper }},{% endfor %}{% for i in cart_items[1:] %}{{ i.name|default('?', true) }}{% endfor %}",
    "{{ cart_items|length }} {% if cart_items|length > 2 %}many{% endif %} {{ tags|join(' & ') }} {tags} {{ plan|length }}",
    "{product.name} {{ product['Full name'] }} {{ cart_items.0.name }} {{ product.nope.deeper }}",
    "{{ product.name|default('-', true)|upper }} {{ first_name|upper|truncate_chars(3) }}",
    "{% raw %}{{ x }} {% y %} {# z #}{% endraw %} {literal} p{color:red} {{ '{' }}",
    "{# note #}a{#- b -#} c {%- if plan %} d {%- endif %} e\n",
    "\u{1f33b} {first_name} \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} {{ colour|truncate_chars(2) }} 100 % {{ '\u{1f33b}' }}",
    "<a href=\"https://x.example/?e={{ email|urlencode }}&p={{ plan|urlencode }}\">{plan}</a>",
];

/// Contact and event as JSON.
const DATA: &[(&str, &str)] = &[
    ("{}", "{}"),
    (
        r#"{"first_name":"O'Neil & \"co\" <b>/x","email":"a b@x.example/ü","Favourite colour":"red","plan":"it's","vip":true,"points":0.125}"#,
        r#"{"count":0,"value":129.5,"Cart Total":0.125,"on":"2026-11-23","tags":["a & b","<c>"],"product":{"name":"Diver","Full name":"Diver <200>"},"items":[{"name":"A & B","Unit price":129.5,"tags":["x","y"]},{"name":"C","Unit price":10},{"name":"D'\"/"}]}"#,
    ),
    (
        r#"{"first_name":"Ada","plan":"pro","vip":false,"points":0}"#,
        r#"{"count":5,"value":0,"Cart Total":0,"items":[],"tags":[]}"#,
    ),
    (r#"{"email":"x@y.example","points":129.5}"#, r#"{"count":2.5,"items":[{"name":"only"}],"tags":["one"]}"#),
    (
        r#"{"first_name":"\ud83c\udf3b Zoë \u0645\u0631\u062d\u0628\u0627","plan":"basic","points":-3,"Favourite colour":"None"}"#,
        r#"{"count":1,"value":1234567.891,"on":"2024-02-29","product":{"name":"{{ x }} {% y %}"},"items":[{"name":"\ud83c\udf3b","Unit price":0},{"name":""},{"Unit price":3},{"name":"4"}]}"#,
    ),
];

fn properties(json: &str) -> Properties {
    match serde_json::from_str(json) {
        Ok(Value::Object(map)) => map,
        other => panic!("{json}: {other:?}"),
    }
}

/// Hand-written and made-up templates over [`DATA`].
pub(super) fn jobs() -> Vec<Json> {
    let seed = std::env::var("FLOWLOOM_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_126);
    println!("seed {seed} (FLOWLOOM_SEED)");
    let at = Instant::parse("2026-11-23T09:00:00Z").expect("written right");
    let data: Vec<(Contact, Event)> = DATA
        .iter()
        .map(|(person, event)| {
            let mut contact = Contact::new("c");
            contact.properties = properties(person);
            contact.email = contact.properties.remove("email").map(|email| email.to_string().into());
            contact.zone = Some("Pacific/Auckland".into());
            let event = Event {
                id: "e".into(),
                contact: "c".into(),
                name: "Cart".into(),
                happened: at,
                accepted: at,
                properties: properties(event),
            };
            (contact, event)
        })
        .collect();
    let log = EventLog::default();
    let cases: Vec<Case<'_>> = data
        .iter()
        .enumerate()
        .map(|(n, (contact, event))| Case { name: n.to_string(), contact, log: &log, trigger: Some(event), at })
        .collect();
    let constants = [("threshold".into(), Value::Number(3.0))].into_iter().collect();
    let (fields, workspace) = (fields(), Workspace::default());
    let around = Surroundings { fields: &fields, constants: &constants, workspace: &workspace };
    let mut rng = Rng::new(seed);
    let made_up = (0..TEMPLATES).map(|_| Maker { rng: &mut rng, locals: Vec::new() }.template(0));
    let templates = TEMPLATES_BY_HAND.iter().map(|text| (*text).to_owned()).chain(made_up);
    let (mut jobs, mut num_carried) = (Vec::new(), 0);
    for (n, template) in templates.enumerate() {
        let mut message = Message::new("m", Channel::Email);
        let variant = &mut message.variants[0];
        variant.subject = template.replace('\n', " ");
        variant.body = Body::Html(format!("<html><body>{template}</body></html>"));
        variant.text = Some(template.clone());
        let name = format!("{n} `{template}`");
        jobs.push(around.klaviyo(&name, &message, &message.variants[0], &cases));
        // Lists and filters are not carried over to HubSpot, and the export says so.
        let lost = ["list-dropped", "format", "filter", "zero"].map(|code| format!("hubspot/{code}"));
        let hubl = around.export(&name, &message, &message.variants[0], &fields, Dialect::Hubspot);
        if !hubl.losses.iter().any(|loss| lost.iter().any(|code| loss.code == *code)) {
            num_carried += 1;
            jobs.push(around.hubspot(&name, &message, &message.variants[0], &cases));
        }
    }
    assert!(num_carried > 20, "{num_carried} templates are carried whole");
    jobs
}

/// Makes templates of the mail language.
struct Maker<'a> {
    rng: &'a mut Rng,
    /// Names of the loops around.
    locals: Vec<String>,
}

impl Maker<'_> {
    fn one(&mut self, of: &[&str]) -> String {
        (*self.rng.pick(of).unwrap_or(&"x")).to_owned()
    }

    fn template(&mut self, depth: usize) -> String {
        let parts = 1 + self.rng.below(4);
        (0..parts).map(|_| self.part(depth)).collect()
    }

    fn part(&mut self, depth: usize) -> String {
        match self.rng.below(if depth < 3 { 9 } else { 6 }) {
            0 | 1 => self.one(&[
                "words ",
                "'",
                "\"",
                "&amp; ",
                " / ",
                "<b>x</b>",
                "\u{1f33b}",
                "{ } ",
                "{x y}",
                "100 % ",
                " \n ",
            ]),
            2..=5 => format!("{{{{ {} }}}}", self.print()),
            6 | 7 => {
                let mut out = format!("{{% if {} %}}{}", self.condition(0), self.template(depth + 1));
                if self.rng.percent(30) {
                    out += &format!("{{% elif {} %}}{}", self.condition(0), self.template(depth + 1));
                }
                if self.rng.percent(50) {
                    out += &format!("{{% else %}}{}", self.template(depth + 1));
                }
                out + "{% endif %}"
            }
            _ => {
                let name = format!("i{}", self.locals.len());
                let items = self.one(&["cart_items", "cart_items[:2]", "cart_items[1:]", "cart_items[1:3]"]);
                self.locals.push(name.clone());
                let body = self.template(depth + 1);
                self.locals.pop();
                let otherwise = if self.rng.percent(40) {
                    format!("{{% else %}}{}", self.template(depth + 1))
                } else {
                    String::new()
                };
                format!("{{% for {name} in {items} %}}{body}{otherwise}{{% endfor %}}")
            }
        }
    }

    fn default(&mut self) -> String {
        self.one(&[
            "|default('-', true)",
            "|default('it\\'s <b> & \"co\"', true)",
            "|default('a\\\\', true)",
            "|default(0, true)",
        ])
    }

    fn print(&mut self) -> String {
        if let Some(local) = self.locals.last().cloned()
            && self.rng.percent(50)
        {
            let access = self.one(&[".name", ".name", "['Unit price']", ".missing"]);
            return match self.rng.below(6) {
                0 => "loop.index".into(),
                1 => format!("{local}['Unit price']|money"),
                2 => format!("{local}.name|upper"),
                3 => format!("{local}{access}{}", self.default()),
                _ => format!("{local}{access}"),
            };
        }
        let text = self.one(&["first_name", "email", "colour", "plan"]);
        match self.rng.below(10) {
            0 | 1 => self.one(&[
                "first_name",
                "email",
                "colour",
                "plan",
                "points",
                "count",
                "vip",
                "cart_value",
                "total",
                "bought",
                "tags",
                "threshold",
                "product.name",
                "product['Full name']",
                "cart_items.0.name",
            ]),
            2 => format!("{text}{}", self.default()),
            3 => format!("{text}|{}", self.one(&["upper", "lower", "urlencode", "truncate_chars(3)", "length"])),
            4 => format!("{text}{}|{}", self.default(), self.one(&["upper", "lower", "truncate_chars(3)"])),
            5 => format!("{}|money", self.one(&["total", "cart_value", "points"])),
            6 => {
                let patterns = ["%d %B %Y", "%-d/%-m/%y", "%A at %H:%M", "the %a"];
                let spoken = ["%A, %-d. %B %Y', 'de", "%a %-d %b', 'fr", "el %A, %-d de %B', 'es"];
                format!("bought|date_fmt('{}')", self.one(&[patterns.as_slice(), &spoken].concat()))
            }
            7 => format!("{}|yes_no('a & b', 'c')", self.one(&["vip", "plan", "count"])),
            8 => format!("{}{}", self.one(&["points", "count", "total", "cart_value"]), self.default()),
            _ => self.one(&[
                "tags|join(' - ')",
                "tags|length",
                "cart_items|length",
                "product.name|default('?', true)",
                "'<&>'",
            ]),
        }
    }

    fn condition(&mut self, depth: usize) -> String {
        // Amounts are whole cents here, and an eighth of a euro is none; it is printed alike, not compared.
        let number = self.one(&["points", "count", "cart_value"]);
        match self.rng.below(if depth < 2 { 12 } else { 8 }) {
            0 => self.one(&[
                "first_name",
                "email",
                "plan",
                "vip",
                "points",
                "count",
                "cart_items",
                "tags",
                "bought",
                "product.name",
            ]),
            1 | 2 => {
                let sign = self.one(&["<", "<=", ">", ">=", "==", "!="]);
                format!("{number} {sign} {}", self.one(&["0", "3", "129.5", "0.125", "-3", "threshold"]))
            }
            3 => format!("plan {} '{}'", self.one(&["==", "!="]), self.one(&["pro", "it\\'s", ""])),
            4 => format!("plan {} ['pro', 'it\\'s']", self.one(&["in", "not in"])),
            5 => format!("{} is {}defined", self.one(&["count", "plan", "total", "vip"]), self.one(&["", "not "])),
            6 => format!("cart_items|length {} 1", self.one(&["<", ">", "=="])),
            7 => match self.locals.last().cloned() {
                Some(local) => self.one(&["loop.first", "loop.last"]).replace("{}", &local),
                None => "bought".into(),
            },
            8 => format!("not {}", self.condition(depth + 1)),
            9 => format!("({}) and ({})", self.condition(depth + 1), self.condition(depth + 1)),
            10 => format!("({}) or ({})", self.condition(depth + 1), self.condition(depth + 1)),
            _ => format!("not ({} or {})", self.condition(depth + 1), self.condition(depth + 1)),
        }
    }
}

/// Constructs that engines read differently; each is refused wherever it stands.
const REFUSED: &[&str] = &[
    "{{ plan|title }}",
    "{{ plan|capitalize }}",
    "{{ plan|replace('a', 'b') }}",
    "{{ points|round }}",
    "{{ points + 1 }}",
    "{{ plan ~ 'x' }}",
    "{{ plan|default('x') }}",
    "{{ true }}",
    "{{ plan == 'pro' }}",
    "{{ 'a' if plan else 'b' }}",
    "{{ cart_items[:2] }}",
    "{{ cart_items.items }}",
    "{{ range(3) }}",
    "{{ plan is string }}",
    "{{ plan is divisibleby(3) }}",
    "{% if 1 < count < 3 %}x{% endif %}",
    "{% if count > '3' %}x{% endif %}",
    "{% if points == 'x' %}x{% endif %}",
    "{% set x = 1 %}",
    "{% with x = 1 %}{% endwith %}",
    "{% include 'x' %}",
    "{% macro x() %}{% endmacro %}",
    "{% filter upper %}x{% endfilter %}",
    "{% for a, b in cart_items %}{% endfor %}",
    "{% for a in cart_items if a %}{% endfor %}",
    "{% for a in plan %}{% endfor %}",
    "{% for a in cart_items %}{{ loop.depth }}{% endfor %}",
    "{{ loop.index }}",
    "{{ frist_name }}",
];

#[test]
fn what_is_not_the_mail_language_is_refused_with_place_and_remedy() {
    let fields = fields();
    let mut rng = Rng::new(7);
    for refused in REFUSED {
        for _ in 0..5 {
            let mut maker = Maker { rng: &mut rng, locals: Vec::new() };
            let before = maker.template(0);
            let source = format!("{before}{refused}{}", maker.template(0));
            let mut message = Message::new("m", Channel::Email);
            message.variants[0].body = Body::Html(source.clone());
            let found = PreparedMessage::new(&message, &message.variants[0], &fields, &Workspace::default().brand)
                .expect_err(&source);
            let errors: Vec<_> = found.iter().filter(|d| d.severity == flowloom::base::Severity::Error).collect();
            for error in &errors {
                let range = error.place.range.unwrap_or_else(|| panic!("{source}: {error:?}"));
                let inside = range.start >= before.len() && range.end <= before.len() + refused.len();
                assert!(inside && range.start < range.end, "{refused} in {source}: {error:?}");
                assert!(!error.hint.is_empty() && error.place.field.as_deref() == Some("body"), "{refused}: {error:?}");
            }
            assert!(!errors.is_empty(), "{source}");
        }
    }
}
