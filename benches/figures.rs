//! The figures of the core, each beside its yardstick in the same run: `cargo bench`.
//!
//! The one idea: a time alone says more about the machine than about the program; a ratio to a bare parse, a bare
//! render or a hand-written loop holds anywhere. Rounds of both alternate, and medians are compared. Deliberately not
//! here: statistics on top; a spread is printed so that a noisy run can be seen as one.
//!
//! `cargo bench --bench figures -- advance 3` measures one figure (`mail`, `load`, `advance`, `hand-over`) with so many
//! rounds, for a profiler.
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
    base::{EventId, Instant, SendKey, Zone},
    content::{Brand, Field, FieldSource, FieldValues, Links, Message, PreparedMessage, ResolveContext},
    flow::{Flow, Workspace, check, file},
    journey::{self, ContactState, Effects, FlowSet},
    kinds::runtime::{Control, Delivery, Input},
};

/// Rounds of each side, unless told otherwise.
const NUM_ROUNDS: usize = 15;
/// What is quick is measured in so many short turns a round, into few of which a busy machine breaks.
const SHORT_TURNS: usize = 100;

fn main() {
    // Cargo adds `--bench`.
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with('-'));
    let only = args.next();
    let num_rounds = args.next().map_or(NUM_ROUNDS, |n| n.parse().expect("a number of rounds"));
    println!(
        "medians of {num_rounds} alternating rounds (quick work: {SHORT_TURNS} turns each); spread is the middle half\n"
    );
    let is_wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    if is_wanted("mail") {
        mail_render(num_rounds);
    }
    if is_wanted("load") {
        load_and_check(num_rounds);
    }
    if is_wanted("advance") {
        advance(num_rounds);
    }
    if is_wanted("hand-over") {
        hand_over(num_rounds);
    }
}

/// Median and spread (upper less lower quartile) of both sides, measured in turn.
fn measure(num_rounds: usize, mut ours: impl FnMut(), mut yardstick: impl FnMut()) -> [(Duration, Duration); 2] {
    measure_parts(num_rounds, || time(&mut ours), || time(&mut yardstick))
}

fn time(work: impl FnOnce()) -> Duration {
    let begun = Clock::now();
    work();
    begun.elapsed()
}

/// As [`measure`], where each side says itself how much of its round counts.
fn measure_parts(
    num_rounds: usize,
    mut ours: impl FnMut() -> Duration,
    mut yardstick: impl FnMut() -> Duration,
) -> [(Duration, Duration); 2] {
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..=num_rounds {
        let (ours_took, theirs_took) = (ours(), yardstick());
        // The first round warms caches and allocators.
        if round > 0 {
            times[0].push(ours_took);
            times[1].push(theirs_took);
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
fn mail_render(num_rounds: usize) {
    const NUM_MAILS: u32 = 20;
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
        num_rounds * SHORT_TURNS,
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

fn load_and_check(num_rounds: usize) {
    const NUM_NODES: usize = 5_000;
    let source = big_flow(NUM_NODES);
    let workspace = Workspace::default();
    let loaded = file::read(&source).unwrap_or_else(|d| panic!("{}", d.message));
    assert_eq!(loaded.flow.nodes.len(), NUM_NODES);
    assert!(loaded.flow.nodes.iter().all(|node| node.settings.error().is_none()));
    ron::from_str::<ron::Value>(&source).expect("the yardstick reads it too");
    let sides = measure(
        num_rounds,
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

/// The watch flow with its workspace.
fn watch_flow() -> (Workspace, Flow) {
    let (workspace, _) = file::read_workspace(include_str!("../sample_flows/watch-shop/flowloom.ron"))
        .unwrap_or_else(|d| panic!("{}", d.message));
    let flow = file::read(include_str!("../sample_flows/watch-shop/watch-shop.flow.ron"))
        .unwrap_or_else(|d| panic!("{}", d.message))
        .flow;
    (workspace, flow)
}

/// The instant of all entries.
fn start() -> Instant {
    Instant::from_millis(1_790_000_000_000)
}

/// A contact who has adopted the live flows.
fn shopper(flows: &FlowSet, n: u32) -> ContactState {
    let mut contact = Contact::new(format!("c{n}").as_str());
    contact.email = Some(format!("c{n}@example.com").into());
    contact.consent.email = ConsentStatus::Subscribed;
    let mut state = ContactState::new(contact);
    for (flow, version) in flows.live() {
        let control = Control::Adopt { flow: flow.clone(), version: *version };
        journey::advance(flows, &mut state, &Input::Control { at: start().plus_millis(-HOUR), control });
    }
    state
}

/// The watch flow for one contact after another: an entry, three mails, two waits, an end.
///
/// Measured is `advance` alone, on the inputs that a driver fed once; its hand-over test is a figure of its own.
/// Contacts are made a few at a time just before and freed just after, as a driver loads and stores them; neither is
/// measured.
fn advance(num_rounds: usize) {
    const NUM_CONTACTS: u32 = 2_000;
    const FEW: usize = 16;
    let (workspace, flow) = watch_flow();
    let flows = FlowSet::new(&workspace, &[flow]);

    // Once as a driver does it, to note the inputs and to count: a step is an arrival at a node.
    let (mut num_steps, mut num_sent) = (0_u64, 0_u64);
    let mut inputs: Vec<Vec<Input>> = Vec::new();
    for n in 0..NUM_CONTACTS {
        let played = play(&flows, &mut shopper(&flows, n), &expired(n, start()));
        num_steps += played.num_steps;
        num_sent += played.num_sent;
        inputs.push(played.inputs);
    }
    assert_eq!(num_sent, u64::from(NUM_CONTACTS) * 3, "three mails each");
    assert_eq!(num_steps, u64::from(NUM_CONTACTS) * 6, "three mails, two waits, an end each");
    let by_hand: u64 = inputs.iter().map(|inputs| by_hand(inputs)).sum();
    assert_eq!(by_hand, num_sent, "the loop by hand sends the same");

    let steps_a_turn = num_steps / u64::from(NUM_CONTACTS) * FEW as u64;
    for uses_again in [false, true] {
        let (mut ours, mut theirs) = ((0..NUM_CONTACTS).cycle(), (0..NUM_CONTACTS).cycle());
        let mut effects = Effects::default();
        let sides = measure_parts(
            num_rounds * SHORT_TURNS,
            || {
                let few: Vec<u32> = ours.by_ref().take(FEW).collect();
                let mut states: Vec<ContactState> = few.iter().map(|n| shopper(&flows, *n)).collect();
                time(|| {
                    for (state, n) in states.iter_mut().zip(&few) {
                        for input in &inputs[*n as usize] {
                            if uses_again {
                                journey::advance_into(&flows, state, black_box(input), &mut effects);
                                black_box(&effects);
                            } else {
                                black_box(journey::advance(&flows, state, black_box(input)));
                            }
                        }
                    }
                })
            },
            || {
                let few: Vec<u32> = theirs.by_ref().take(FEW).collect();
                time(|| {
                    for n in &few {
                        black_box(self::by_hand(black_box(&inputs[*n as usize])));
                    }
                })
            },
        );
        let per_second = steps_a_turn as f64 / sides[0].0.as_secs_f64();
        let verdict = format!(
            "{:.2} M steps a second and core; goal 3 M ({} steps and {} inputs a contact; the loop by hand is {:.0} times as fast)",
            per_second / 1e6,
            num_steps / u64::from(NUM_CONTACTS),
            inputs[0].len(),
            sides[0].0.as_secs_f64() / sides[1].0.as_secs_f64()
        );
        let how = if uses_again { "advance_into, one room for all effects," } else { "advance" };
        print(
            &format!("{how} on the watch flow (yardstick: a loop by hand)"),
            u32::try_from(steps_a_turn).expect("fits"),
            "step",
            sides,
            &verdict,
        );
    }
}

/// The test just before the transport, which makes the whole mail and reads it.
fn hand_over(num_rounds: usize) {
    const NUM_CONTACTS: u32 = 10;
    let (workspace, flow) = watch_flow();
    let flows = FlowSet::new(&workspace, std::slice::from_ref(&flow));
    let mut states: Vec<(ContactState, SendKey)> = Vec::new();
    for n in 0..NUM_CONTACTS {
        let mut state = shopper(&flows, n);
        let effects = journey::advance(&flows, &mut state, &Input::Event(expired(n, start())));
        let intent = effects.intents.into_iter().next().expect("the first mail leaves at entry");
        states.push((state, intent.key));
    }
    let fields: Vec<Field> = flow.fields().cloned().collect();
    let message = flow.message("mail-1").expect("the first mail");
    let prepared = PreparedMessage::new(message, &message.variants[0], &fields, &workspace.brand).expect("prepares");
    let (zone, links, codes) = (Zone::utc(), Links::placeholders(), BTreeMap::new());
    let (event, contact, log) = (expired(0, start()), Contact::new("c0"), EventLog::default());
    let context = ResolveContext {
        now: start(),
        zone: &zone,
        contact: &contact,
        log: &log,
        trigger: Some(&event),
        constants: &flow.settings().constants,
        codes: &codes,
        links: &links,
        currency: workspace.brand.default_currency(),
    };
    let values = FieldValues::resolve(&fields, &context);
    let sides = measure(
        num_rounds * SHORT_TURNS,
        || {
            for (state, key) in &states {
                assert_eq!(journey::may_hand_over(&flows, state, key, start()), journey::HandOver::Go);
            }
        },
        || {
            for _ in 0..NUM_CONTACTS {
                black_box(prepared.render(black_box(&values)).expect("renders"));
            }
        },
    );
    let times = sides[0].0.as_secs_f64() / sides[1].0.as_secs_f64();
    let verdict = format!("{times:.2} times the rendering alone; no goal");
    print(
        "may_hand_over on the watch flow's first mail (yardstick: rendering it, data ready)",
        NUM_CONTACTS,
        "mail",
        sides,
        &verdict,
    );
}

/// What a driver fed to one contact, with arrivals and mails.
struct Played {
    inputs: Vec<Input>,
    num_steps: u64,
    num_sent: u64,
}

/// Plays one contact to the end, as a driver does.
fn play(flows: &FlowSet, state: &mut ContactState, event: &Arc<Event>) -> Played {
    let mut played = Played { inputs: Vec::new(), num_steps: 0, num_sent: 0 };
    let mut input = Input::Event(Arc::clone(event));
    loop {
        let effects = journey::advance(flows, state, &input);
        played.inputs.push(input);
        let arrived = effects.trace.iter().filter(|decision| matches!(decision.what, journey::What::Arrived));
        played.num_steps += arrived.count() as u64;
        if let Some(intent) = effects.intents.into_iter().next() {
            let answer = journey::may_hand_over(flows, state, &intent.key, intent.at);
            let result = Option::<Delivery>::from(answer).unwrap_or(Delivery::Sent);
            played.num_sent += u64::from(result == Delivery::Sent);
            input = Input::Delivered { at: intent.at, key: intent.key, result };
            continue;
        }
        match state.next_wake() {
            // Beyond the flow there are only reminders to forget old sends.
            Some(at) if at.since(event.accepted) <= 24 * HOUR => input = Input::Wake { at },
            _ => return played,
        }
    }
}

/// The same rules for this one flow, as a person would write them who never has another one: one journey per cart,
/// the goal by a purchase of that cart, cap of three in 48 h, waits from the entry; no trace, no intents, nothing that
/// could be asked later. Gives the number of mails.
fn by_hand(inputs: &[Input]) -> u64 {
    const WAITS: [i64; 3] = [0, 4 * HOUR, 12 * HOUR];
    let mut seen: Vec<EventId> = Vec::new();
    let mut carts: Vec<Option<String>> = Vec::new();
    let mut orders: Vec<Arc<Event>> = Vec::new();
    let mut sends: Vec<(Instant, bool)> = Vec::new();
    let mut entry: Option<Arc<Event>> = None;
    let mut next = 0;
    let cart = |event: &Event| event.property(&["cart_id"]).and_then(Value::as_text).map(str::to_owned);
    for input in inputs {
        match input {
            Input::Event(event) => {
                if seen.contains(&event.id) {
                    continue;
                }
                seen.push(event.id.clone());
                if event.name == "Placed Order" {
                    orders.push(Arc::clone(event));
                } else if event.name == "Checkout Expired" && !carts.contains(&cart(event)) {
                    carts.push(cart(event));
                    entry = Some(Arc::clone(event));
                    next = 0;
                }
            }
            Input::Delivered { .. } => {
                if let Some((_, sent)) = sends.last_mut() {
                    *sent = true;
                }
            }
            _ => {}
        }
        let Some(begun) = &entry else { continue };
        if orders.iter().any(|order| order.happened >= begun.happened && cart(order) == cart(begun)) {
            entry = None;
            continue;
        }
        while let Some(wait) = WAITS.get(next)
            && begun.accepted.plus_millis(*wait) <= input.at()
        {
            let at = begun.accepted.plus_millis(*wait);
            if sends.iter().filter(|(earlier, _)| at.since(*earlier) < 48 * HOUR).count() < 3 {
                sends.push((at, false));
            }
            next += 1;
        }
    }
    sends.iter().filter(|(_, sent)| *sent).count() as u64
}
