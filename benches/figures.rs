//! The figures of the core, each beside its yardstick in the same run: `cargo bench`.
//!
//! The one idea: a time alone says more about the machine than about the program; a ratio to a bare parse, a bare
//! render or a hand-written loop holds anywhere. Rounds of both alternate, and medians are compared. Deliberately not
//! here: statistics on top; a spread is printed so that a noisy run can be seen as one.
//!
//! The three goals are printed and not asserted: a loaded machine is no fault of the program.

#![allow(clippy::disallowed_methods, reason = "measuring is the one thing that needs a clock")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a bench that cannot run should say so at once")]

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant as Clock},
};

use flowloom::{
    audience::{ConsentStatus, Contact, Event, EventLog, Properties, Value, ValueType},
    base::{EventId, Instant, Zone},
    content::{Brand, Field, FieldSource, FieldValues, Links, Message, PreparedMessage, ResolveContext},
    flow::{Workspace, check, file},
    journey::{self, ContactState, FlowSet},
    kinds::runtime::{Control, Delivery, Input},
};

/// Rounds of each side.
const NUM_ROUNDS: usize = 15;

fn main() {
    println!("medians of {NUM_ROUNDS} alternating rounds; spread is the middle half of them\n");
    mail_render();
    load_and_check();
    advance();
}

/// Median and spread (upper less lower quartile) of both sides, measured in turn.
fn measure(mut ours: impl FnMut(), mut yardstick: impl FnMut()) -> [(Duration, Duration); 2] {
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..=NUM_ROUNDS {
        let begun = Clock::now();
        ours();
        let middle = Clock::now();
        yardstick();
        // The first round warms caches and allocators.
        if round > 0 {
            times[0].push(middle - begun);
            times[1].push(middle.elapsed());
        }
    }
    times.map(|mut times| {
        times.sort_unstable();
        (times[times.len() / 2], times[times.len() * 3 / 4] - times[times.len() / 4])
    })
}

fn print(title: &str, each: u32, unit: &str, sides: [(Duration, Duration); 2], verdict: &str) {
    println!("{title}");
    for (name, (median, spread)) in ["flowloom", "yardstick"].iter().zip(sides) {
        let one = median.as_secs_f64() / f64::from(each);
        println!(
            "  {name:<10} {:>10.3} µs a {unit}   (spread {:>4.1} %)",
            one * 1e6,
            100.0 * spread.as_secs_f64() / median.as_secs_f64()
        );
    }
    println!("  {verdict}\n");
}

/// A mail of some 60 tags: subject, preheader, HTML and text, for one contact after another.
fn mail_render() {
    const NUM_MAILS: u32 = 400;
    let fields: Vec<Field> = ["first_name", "product_name", "cart_value", "delivery"]
        .iter()
        .map(|name| Field::new(name, ValueType::Text, FieldSource::Contact((*name).into())))
        .collect();
    let row = "<tr><td style=\"padding:8px\">{{ product_name }}</td><td>{{ cart_value }}</td></tr>\n";
    let html = format!(
        "<html><body><p>Hello {{{{ first_name }}}}</p><table>{}</table>{{% if first_name %}}<p>Arrives {{{{ delivery }}}}</p>{{% endif %}}\
         <a href=\"https://shop.example/cart\">Back to the cart</a></body></html>",
        row.repeat(24)
    );
    let text = format!("Hello {{{{ first_name }}}}\n{}\n", "- {{ product_name }} {{ cart_value }}\n".repeat(8));
    let subject = "{{ first_name }}, the {{ product_name }} is still yours";
    let preheader = "Arrives {{ delivery }}";
    let quote = |text: &str| ron::to_string(text).expect("a text can be written");
    let message = format!(
        "(id: \"m\", subject: {}, preheader: {}, body: html({}), text: {})",
        quote(subject),
        quote(preheader),
        quote(&html),
        quote(&text)
    );
    let message = Message::from_ron(&message).expect("reads");
    let brand = Brand::default();
    let prepared = PreparedMessage::new(&message, &message.variants[0], &fields, &brand).expect("prepares");

    let mut contact = Contact::new("ada");
    for (name, value) in [
        ("first_name", "Ada O'Neil"),
        ("product_name", "Tide 38 <steel>"),
        ("cart_value", "€1,290.00"),
        ("delivery", "Friday"),
    ] {
        contact.properties.insert(name.into(), Value::text(value));
    }
    let (zone, log, links) = (Zone::utc(), EventLog::default(), Links::placeholders());
    let (constants, codes) = (BTreeMap::new(), BTreeMap::new());
    let context = ResolveContext {
        now: Instant::from_millis(0),
        zone: &zone,
        contact: &contact,
        log: &log,
        trigger: None,
        constants: &constants,
        codes: &codes,
        links: &links,
        currency: brand.default_currency(),
    };
    let values = FieldValues::resolve(&fields, &context);

    let mut bare = minijinja::Environment::new();
    for (name, source) in [("subject", subject), ("preheader", preheader), ("mail.html", &html), ("text", &text)] {
        bare.add_template_owned(name.to_owned(), source.to_owned()).expect("compiles");
    }
    let data: BTreeMap<String, String> =
        contact.properties.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let data = minijinja::Value::from(data);

    let ours = prepared.render(&values).expect("renders");
    let theirs = bare.get_template("mail.html").and_then(|t| t.render(data.clone())).expect("renders");
    assert!(ours.html.len() * 10 >= theirs.len() * 9, "both render the same mail");

    let sides = measure(
        || {
            for _ in 0..NUM_MAILS {
                black_box(prepared.render(black_box(&values)).expect("renders"));
            }
        },
        || {
            for _ in 0..NUM_MAILS {
                for name in ["subject", "preheader", "mail.html", "text"] {
                    let template = bare.get_template(name).expect("is there");
                    black_box(template.render(black_box(data.clone())).expect("renders"));
                }
            }
        },
    );
    let share = 100.0 * sides[1].0.as_secs_f64() / sides[0].0.as_secs_f64();
    let verdict = format!("{share:.0} % of bare minijinja's speed; goal at least 70 %");
    print("mail render, data ready (yardstick: bare minijinja, same templates)", NUM_MAILS, "mail", sides, &verdict);
}

/// A flow of 5,000 steps in a long chain with branches.
fn big_flow(num_nodes: usize) -> String {
    let mut nodes = String::new();
    let mut edges = String::new();
    let mut messages = String::new();
    for n in 0..num_nodes {
        let (x, y) = (n % 40 * 240, n / 40 * 160);
        let (kind, settings) = match n {
            0 => {
                ("trigger", "(any: [event(event: \"Checkout Expired\", filter: \"event.item_count > 0\")])".to_owned())
            }
            n if n % 10 == 1 => {
                let _ = writeln!(
                    messages,
                    "(id: \"m{n}\", subject: \"Number {n}, {{first_name}}\", preheader: \"Still yours\", body: blocks([text(text: \"Hello {{first_name}}\"), footer()])),"
                );
                ("email", format!("(message: \"m{n}\")"))
            }
            n if n % 10 == 5 => (
                "condition",
                format!(
                    "(condition: \"contact.lifetime_value > {n} and not did \\\"Placed Order\\\" in the last 30 days\")"
                ),
            ),
            _ => ("delay", "(wait: for(\"4 h\"))".to_owned()),
        };
        let _ = writeln!(
            nodes,
            "(id: \"n{n}\", kind: \"{kind}\", title: \"Step {n}\", pos: ({x}, {y}), settings: {settings}),"
        );
        if n + 1 < num_nodes {
            let port = if n % 10 == 5 { "port: \"yes\", " } else { "" };
            let _ = writeln!(edges, "(from: \"n{n}\", {port}to: \"n{}\"),", n + 1);
            if n % 10 == 5 {
                let _ = writeln!(edges, "(from: \"n{n}\", port: \"no\", to: \"n{}\"),", (n + 2).min(num_nodes - 1));
            }
        }
    }
    format!(
        "(version: 2, id: \"big\", name: \"Big\", fields: [(name: \"first_name\", source: contact(\"first_name\"), fallback: \"there\")],\n\
         nodes: [\n{nodes}], edges: [\n{edges}], messages: [\n{messages}])"
    )
}

fn load_and_check() {
    const NUM_NODES: usize = 5_000;
    let source = big_flow(NUM_NODES);
    let workspace = Workspace::default();
    let loaded = file::read(&source).unwrap_or_else(|d| panic!("{}", d.message));
    assert_eq!(loaded.flow.nodes.len(), NUM_NODES);
    assert!(loaded.flow.nodes.iter().all(|node| node.settings.error().is_none()));
    ron::from_str::<ron::Value>(&source).expect("the yardstick reads it too");
    let sides = measure(
        || {
            let loaded = file::read(black_box(&source)).expect("reads");
            let around = check::Surroundings { workspace: &workspace, other_flows: &[], audience: None };
            black_box(check::check(&loaded.flow, &around));
        },
        || {
            black_box(ron::from_str::<ron::Value>(black_box(&source)).expect("reads"));
        },
    );
    let times = sides[0].0.as_secs_f64() / sides[1].0.as_secs_f64();
    let verdict = format!("{times:.2} times a bare parse; goal at most 3 ({} KB)", source.len() >> 10);
    print("load and check a flow of 5,000 steps (yardstick: bare ron parse)", 1, "flow", sides, &verdict);
}

const HOUR: i64 = 3_600_000;

fn expired(n: u32, at: Instant) -> Arc<Event> {
    let mut properties = Properties::new();
    properties.insert("cart_id".into(), Value::text(format!("cart-{n}")));
    properties.insert("item_count".into(), Value::Number(2.0));
    properties.insert("cart_value".into(), Value::text("1290 EUR"));
    properties.insert("last_viewed_item".into(), Value::text("Tide 38"));
    Arc::new(Event {
        id: EventId::new(format!("e{n}")),
        contact: "ada".into(),
        name: "Checkout Expired".into(),
        happened: at,
        accepted: at,
        properties,
    })
}

/// The watch flow for one contact after another: an entry, three mails, two waits, an end.
fn advance() {
    const NUM_CONTACTS: u32 = 2_000;
    let (workspace, _) = file::read_workspace(include_str!("../sample_flows/watch-shop/flowloom.ron"))
        .unwrap_or_else(|d| panic!("{}", d.message));
    let flow = file::read(include_str!("../sample_flows/watch-shop/watch-shop.flow.ron"))
        .unwrap_or_else(|d| panic!("{}", d.message))
        .flow;
    let flows = FlowSet::new(&workspace, &[flow]);
    let live: Vec<_> = flows.live().map(|(flow, version)| (flow.clone(), *version)).collect();
    let start = Instant::from_millis(1_790_000_000_000);
    let fresh = || -> Vec<ContactState> {
        let contact = |n: u32| {
            let mut contact = Contact::new(format!("c{n}").as_str());
            contact.email = Some(format!("c{n}@example.com").into());
            contact.consent.email = ConsentStatus::Subscribed;
            let mut state = ContactState::new(contact);
            for (flow, version) in &live {
                let control = Control::Adopt { flow: flow.clone(), version: *version };
                journey::advance(&flows, &mut state, &Input::Control { at: start.plus_millis(-HOUR), control });
            }
            state
        };
        (0..NUM_CONTACTS).map(contact).collect()
    };
    let events: Vec<Arc<Event>> = (0..NUM_CONTACTS).map(|n| expired(n, start)).collect();

    // One round to count: a step is an arrival at a node.
    let mut states = fresh();
    let (mut num_steps, mut num_sent) = (0_u64, 0_u64);
    for (state, event) in states.iter_mut().zip(&events) {
        let (steps, sent) = play(&flows, state, event);
        num_steps += steps;
        num_sent += sent;
    }
    assert_eq!(num_sent, u64::from(NUM_CONTACTS) * 3, "three mails each");

    let mut rounds: Vec<Vec<ContactState>> = (0..=NUM_ROUNDS).map(|_| fresh()).collect();
    let sides = measure(
        || {
            let mut states = rounds.pop().expect("a round is left");
            for (state, event) in states.iter_mut().zip(&events) {
                black_box(play(&flows, state, event));
            }
            // Freeing the states is not part of a step.
            std::mem::forget(states);
        },
        || {
            for event in &events {
                black_box(by_hand(black_box(event)));
            }
        },
    );
    let per_second = num_steps as f64 / sides[0].0.as_secs_f64();
    let verdict = format!(
        "{:.2} M steps a second and core; goal 3 M ({} steps a contact; the loop by hand is {:.0} times as fast)",
        per_second / 1e6,
        num_steps / u64::from(NUM_CONTACTS),
        sides[0].0.as_secs_f64() / sides[1].0.as_secs_f64()
    );
    print(
        "advance on the watch flow (yardstick: a loop by hand)",
        u32::try_from(num_steps).expect("fits"),
        "step",
        sides,
        &verdict,
    );
}

/// Plays one contact to the end; gives arrivals and mails.
fn play(flows: &FlowSet, state: &mut ContactState, event: &Arc<Event>) -> (u64, u64) {
    let (mut steps, mut sent) = (0, 0);
    let mut input = Input::Event(Arc::clone(event));
    loop {
        let effects = journey::advance(flows, state, &input);
        steps += effects.trace.iter().filter(|decision| matches!(decision.what, journey::What::Arrived)).count() as u64;
        if let Some(intent) = effects.intents.into_iter().next() {
            let answer = journey::may_hand_over(flows, state, &intent.key, intent.at);
            let result = Option::<Delivery>::from(answer).unwrap_or(Delivery::Sent);
            sent += u64::from(result == Delivery::Sent);
            input = Input::Delivered { at: intent.at, key: intent.key, result };
            continue;
        }
        match state.next_wake() {
            // Beyond the flow there are only reminders to forget old sends.
            Some(at) if at.since(event.accepted) <= 24 * HOUR => input = Input::Wake { at },
            _ => return (steps, sent),
        }
    }
}

/// The same rules for this one flow, as a person would write them who never has another one: entry by key, consent,
/// cap of three in 48 h, waits from the entry, goal by purchase.
fn by_hand(event: &Arc<Event>) -> u64 {
    let mut log: Vec<Arc<Event>> = vec![Arc::clone(event)];
    let mut sends: Vec<Instant> = Vec::new();
    let key = event.property(&["cart_id"]).and_then(Value::as_text).map(str::to_owned);
    let mut sent = 0;
    for (after, _mail) in [(0, "mail-1"), (4, "mail-2"), (12, "mail-3")] {
        let at = event.accepted.plus_millis(after * HOUR);
        let bought = log.iter().any(|e| {
            e.name == "Placed Order"
                && e.happened >= event.happened
                && e.property(&["cart_id"]).and_then(Value::as_text) == key.as_deref()
        });
        let in_window = sends.iter().filter(|earlier| at.since(**earlier) < 48 * HOUR).count();
        if bought {
            break;
        }
        if in_window < 3 {
            sends.push(at);
            sent += 1;
        }
    }
    log.clear();
    black_box(&sends);
    sent
}
