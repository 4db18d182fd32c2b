//! What the sample audiences are made from: a spec and a seed for each workspace, and what only its trade has.
//!
//! The one idea: [`flowloom::testing::generate`] tells the stories of any shop; here each workspace names its events
//! and products, and `dress` adds what its flows ask for (tours have departures, sofas have chats, some go silent).
//! The files in `sample_flows/*/audience` are exactly what comes out, which a test holds.

use std::collections::BTreeMap;

use flowloom::{
    audience::{
        Audience, Channel, Contact, Event, Mapping, Properties, Response, ResponseKind, Value, ValueType, load,
    },
    base::{ContactId, EventId, Instant, NodeId, Span, hash},
    flow::Workspace,
    testing::{AudienceSpec, Rng, audience_gen, generate},
};
use load::{Column, Role};

use audience_gen::{EventNames, FROM_MILLIS, Product, Story, UNTIL_MILLIS};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// One workspace's audience in the making.
pub struct Recipe {
    /// Folder in `sample_flows`.
    pub folder: &'static str,
    spec: AudienceSpec,
    dress: fn(&mut Dresser<'_>),
    /// Contacts as CSV with a mapping instead of JSON Lines.
    csv: bool,
}

/// The seed of all samples.
const SEED: u64 = 20_261_001;

/// All recipes, in folder order.
pub fn recipes() -> Vec<Recipe> {
    vec![
        coffee_roaster(),
        cosmetics(),
        e_bikes(),
        espresso_machines(),
        furniture(),
        hiking_tours(),
        jewellery(),
        leather_bags(),
        watch_shop(),
    ]
}

impl Recipe {
    /// The files below `audience/`, by name.
    pub fn files(&self, workspace: &Workspace) -> BTreeMap<&'static str, String> {
        let mut audience = generate(&self.spec, SEED);
        let mut dresser = Dresser {
            rng: Rng::new(SEED ^ hash::chance(self.folder, "dress")),
            spec: &self.spec,
            audience: &mut audience,
            more: Vec::new(),
        };
        dresser.contacts();
        (self.dress)(&mut dresser);
        let more = std::mem::take(&mut dresser.more);
        for (n, (contact, name, at, properties)) in more.into_iter().enumerate() {
            let happened = Instant::from_millis(at);
            // A fifth of these come late enough to matter to a latency of seconds, none by hours.
            let delay = if n % 5 == 0 { 25_000 } else { 1_200 };
            let id = EventId::new(format!("{contact}-x{n:03}"));
            let event = Event {
                id,
                contact: contact.as_str().into(),
                name: name.into(),
                happened,
                accepted: happened.plus_millis(delay),
                properties,
            };
            audience.events.push(event);
        }
        // What the catalogue does not know is noise: the samples stay small without it.
        audience.events.retain_mut(|event| {
            let Some(known) = workspace.event(&event.name) else { return false };
            event.properties.retain(|name, _| known.properties.contains_key(name));
            true
        });
        audience.events.sort_by(|a, b| (a.accepted, &a.id).cmp(&(b.accepted, &b.id)));
        // One of them unsubscribes and nobody complains, so that the breakers, which no setting removes, stay shut.
        let mut leaves: Option<ContactId> = None;
        audience.responses.retain(|response| match response.response {
            ResponseKind::Complained => false,
            ResponseKind::Unsubscribed => *leaves.get_or_insert_with(|| response.contact.clone()) == response.contact,
            _ => true,
        });
        let mut files = BTreeMap::new();
        if self.csv {
            let (contacts, mapping) = contacts_as_csv(&audience.contacts);
            files.insert("contacts.csv", contacts);
            files.insert("mapping.ron", mapping.to_ron());
        } else {
            files.insert("contacts.jsonl", load::contacts_to_jsonl(&audience.contacts));
        }
        files.insert("events.jsonl", load::events_to_jsonl(&audience.events));
        files.insert("responses.jsonl", load::responses_to_jsonl(&audience.responses));
        files
    }
}

/// An event to be added: who, what, when, with what.
type More = (String, &'static str, i64, Properties);

/// Adds to a generated audience what only this trade has.
struct Dresser<'a> {
    rng: Rng,
    spec: &'a AudienceSpec,
    audience: &'a mut Audience,
    more: Vec<More>,
}

fn number(n: i64) -> Value {
    Value::Number(n as f64)
}

fn put(properties: &mut Properties, name: &str, value: Value) {
    properties.insert(name.into(), value);
}

fn at_millis(event: &Event) -> i64 {
    event.happened.as_millis()
}

impl Dresser<'_> {
    /// What all shops have in common: the name of the list.
    fn contacts(&mut self) {
        for contact in &mut self.audience.contacts {
            let on = contact.lists.contains("newsletter");
            contact.lists.clear();
            if on {
                contact.lists.insert("Newsletter".into());
            }
            contact.properties.remove("favourite_category");
            contact.properties.remove("orders_count");
        }
    }

    /// Each event of these names, with a generator.
    fn each(&mut self, names: &[&str], change: impl Fn(&mut Rng, &mut Event)) {
        for event in self.audience.events.iter_mut().filter(|event| names.contains(&event.name.as_str())) {
            // A doubled event draws by its id, so that both copies say the same.
            let mut rng = Rng::new(SEED ^ hash::chance("event", event.id.as_str()));
            change(&mut rng, event);
        }
    }

    /// After each event that passes, another one in so many of 100 cases, within the span of the samples.
    fn follow(
        &mut self,
        passes: impl Fn(&Event) -> bool,
        percent: usize,
        hours: (i64, i64),
        name: &'static str,
        with: impl Fn(&mut Rng, &Event) -> Properties,
    ) {
        let mut last = BTreeMap::new();
        for event in &self.audience.events {
            if last.insert(event.id.clone(), ()).is_some() || !passes(event) || !self.rng.percent(percent) {
                continue;
            }
            let at = at_millis(event) + self.rng.range(hours.0 * 60, hours.1 * 60) * MINUTE;
            if at < UNTIL_MILLIS {
                let properties = with(&mut self.rng, event);
                self.more.push((event.contact.to_string(), name, at, properties));
            }
        }
    }

    /// Cart events and orders carry the product put in last, as flows about one product want it.
    fn last_item(&mut self, names: &[&str]) {
        self.each(names, |_, event| {
            let Some(Value::List(items)) = event.properties.get("items") else { return };
            let Some(Value::Object(item)) = items.last().cloned() else { return };
            for (from, to) in [
                ("product_id", "product_id"),
                ("name", "product_name"),
                ("price", "price"),
                ("url", "url"),
                ("image_url", "image_url"),
            ] {
                if let Some(value) = item.get(from) {
                    put(&mut event.properties, to, value.clone());
                }
            }
        });
    }

    fn price_of(&self, id: &str) -> Option<Value> {
        let product = self.spec.products.iter().find(|product| product.id == id)?;
        Some(Value::Number(product.price_cents as f64 / 100.0))
    }
}

/// A property of an event as text.
fn text<'a>(event: &'a Event, name: &str) -> &'a str {
    event.property(&[name]).and_then(Value::as_text).unwrap_or_default()
}

fn figure(event: &Event, name: &str) -> f64 {
    event.property(&[name]).and_then(Value::as_number).unwrap_or_default()
}

fn of(entries: &[(&str, Value)]) -> Properties {
    entries.iter().map(|(name, value)| ((*name).into(), value.clone())).collect()
}

fn spec(
    name: &str,
    site: &str,
    currency: &'static str,
    products: Vec<Product>,
    stories: &[(Story, usize)],
    mails: &[&str],
) -> AudienceSpec {
    AudienceSpec {
        name: name.into(),
        site: site.into(),
        num_contacts: 64,
        min_events: 2_300,
        currency,
        lifetime_as_money: false,
        vip_percent: 25,
        products,
        names: EventNames::default(),
        stories: stories.to_vec(),
        mails: mails.iter().map(|node| (None, NodeId::new(*node))).collect(),
    }
}

const fn product(id: &'static str, name: &'static str, category: &'static str, price: i64, premium: bool) -> Product {
    Product { id, name, category, price_cents: price * 100, premium }
}

fn watch_shop() -> Recipe {
    use Story::*;
    let mut spec = spec(
        "mw",
        "https://meridian-watches.example",
        "EUR",
        vec![
            product("tide-38", "Meridian Tide 38", "watches", 649, false),
            product("polar-gmt", "Meridian Polar GMT", "watches", 1_290, true),
            product("moon-40", "Meridian Moon 40", "watches", 1_245, true),
            product("chrono-r", "Chrono R & Tachymeter", "watches", 1_790, true),
            product("field-36", "Field 36 \"Dune\"", "watches", 299, false),
            product("strap-oak", "Oak-tanned strap", "straps", 59, false),
            product("winder", "Watch winder <single>", "accessories", 149, false),
        ],
        &[
            (Browse, 12),
            (CartLeft, 22),
            (CheckoutLeft, 26),
            (Returned, 8),
            (Bought, 10),
            (MixedSignals, 6),
            (Trajectory, 6),
            (ThreeViews, 4),
        ],
        &["mail-1", "mail-2", "mail-3"],
    );
    spec.names.added = "Cart Updated";
    spec.min_events = 2_050;
    let dress = |d: &mut Dresser<'_>| {
        d.each(&["Cart Updated", "Checkout Expired"], |rng, event| {
            if rng.percent(85) {
                put(&mut event.properties, "stock", number(rng.range(1, 9)));
            }
            put(&mut event.properties, "last_viewed_at", Value::Instant(event.happened));
        });
        d.each(&["Viewed Product"], |rng, event| put(&mut event.properties, "stock", number(rng.range(1, 9))));
    };
    Recipe { folder: "watch-shop", spec, dress, csv: false }
}

fn leather_bags() -> Recipe {
    use Story::*;
    let mut spec = spec(
        "hs",
        "https://halden-saddlery.example",
        "GBP",
        vec![
            product("ashby", "Ashby satchel", "satchels", 420, false),
            product("weekender-3", "Weekender No. 3", "travel", 680, true),
            product("brief-jn", "Briefcase \"Jour & Nuit\"", "work", 540, true),
            product("tote-hazel", "Tote Hazel", "totes", 260, false),
            product("card-case", "Card case", "small leather", 45, false),
        ],
        &[(Browse, 10), (CartLeft, 34), (CheckoutLeft, 14), (Returned, 6), (Bought, 14), (Trajectory, 8)],
        &["reminder", "incentive", "nudge", "care"],
    );
    spec.names.updated = "Added to Cart";
    spec.min_events = 1_900;
    let dress = |d: &mut Dresser<'_>| {
        d.last_item(&["Added to Cart", "Placed Order"]);
        d.each(&["Added to Cart"], |rng, event| {
            if let (true, Some(leather)) =
                (rng.percent(90), rng.pick(&["chestnut bridle", "oak-bark calf", "black harness", "natural veg-tan"]))
            {
                put(&mut event.properties, "leather", Value::text(leather));
            }
        });
        let passes = |event: &Event| event.name == "Added to Cart";
        d.follow(passes, 12, (9, 24), "Started Checkout", |_, event| {
            of(&["cart_id", "cart_value", "item_count"]
                .map(|name| (name, event.properties.get(name).cloned().unwrap_or_else(|| number(1)))))
        });
    };
    Recipe { folder: "leather-bags", spec, dress, csv: false }
}

fn espresso_machines() -> Recipe {
    use Story::*;
    let mut spec = spec(
        "ck",
        "https://crema-kolben.example",
        "EUR",
        vec![
            product("uno", "Kolben Uno", "machines", 690, false),
            product("duo-profi", "Kolben Duo Profi", "machines", 1_890, true),
            product("grinder-64", "Grinder 64 \"Flat\"", "grinders", 540, false),
            product("tamper", "Tamper & mat", "accessories", 59, false),
        ],
        &[(Video, 50), (Browse, 12), (Bought, 6), (ThreeViews, 6), (PageExit, 6)],
        &["invite", "confirm", "recording"],
    );
    spec.min_events = 2_600;
    let dress = |d: &mut Dresser<'_>| {
        let prices: BTreeMap<&str, Value> =
            d.spec.products.iter().filter_map(|p| Some((p.id, d.price_of(p.id)?))).collect();
        d.each(&["Played Video"], |_, event| {
            let percent = event.properties.remove("percent").unwrap_or_else(|| number(0));
            put(&mut event.properties, "watched_percent", percent);
            if let Some(price) = prices.get(text(event, "product_id")) {
                let price = price.clone();
                put(&mut event.properties, "price", price);
            }
        });
        let passes = |event: &Event| event.name == "Played Video" && figure(event, "watched_percent") >= 50.0;
        d.follow(passes, 22, (5, 40), "Booked Demo", |rng, event| {
            let day = (at_millis(event) + 2 * DAY + rng.range(0, 3) * DAY) / DAY * DAY;
            of(&[
                ("demo_id", Value::text(format!("demo-{}", event.id))),
                ("starts_at", Value::Instant(Instant::from_millis(day + 17 * HOUR))),
                ("host", Value::text("Lena")),
                ("join_url", Value::text(format!("https://crema-kolben.example/demo/{}", event.id))),
            ])
        });
    };
    Recipe { folder: "espresso-machines", spec, dress, csv: false }
}

fn jewellery() -> Recipe {
    use Story::*;
    let mut spec = spec(
        "al",
        "https://lindqvist.example",
        "EUR",
        vec![
            product("fjord-ring", "Fjord ring", "rings", 890, true),
            product("skerry-cuff", "Skerry cuff", "cuffs", 1_240, true),
            product("natt-pendant", "Pendant L'Étoile de Nuit", "pendants", 640, true),
            product("studs", "Granite studs", "earrings", 180, false),
            product("chain", "Fine chain", "chains", 120, false),
        ],
        &[(PremiumLeft, 34), (PageExit, 16), (Browse, 20), (Bought, 9), (CartLeft, 10)],
        &["video", "invite", "welcome"],
    );
    spec.vip_percent = 60;
    spec.min_events = 2_300;
    let dress = |d: &mut Dresser<'_>| {
        d.each(&["Left Page", "Viewed Product"], |rng, event| {
            if let (true, Some(maker)) = (rng.percent(80), rng.pick(&["Astrid", "Nils", "Maj-Britt"])) {
                put(&mut event.properties, "maker", Value::text(maker));
            }
        });
        d.last_item(&["Added to Cart", "Placed Order"]);
        let dear = |event: &Event| event.name == "Left Page" && figure(event, "price") > 300.0;
        d.follow(dear, 22, (3, 22), "Added to Cart", |_, event| {
            of(&[
                ("cart_id", Value::text(format!("al-{}", event.id))),
                ("cart_value", Value::Number(figure(event, "price"))),
                ("product_id", Value::text(text(event, "product_id"))),
                ("product_name", Value::text(text(event, "product_name"))),
            ])
        });
        d.follow(dear, 6, (40, 90), "Booked Appointment", |rng, event| {
            let day = (at_millis(event) + 5 * DAY + rng.range(0, 5) * DAY) / DAY * DAY;
            of(&[("starts_at", Value::Instant(Instant::from_millis(day + 13 * HOUR)))])
        });
    };
    Recipe { folder: "jewellery", spec, dress, csv: false }
}

fn furniture() -> Recipe {
    use Story::*;
    let mut spec = spec(
        "nm",
        "https://nordhaus-moebel.example",
        "EUR",
        vec![
            product("fehmarn", "Sofa Fehmarn", "sofas", 1_890, true),
            product("amrum", "Sideboard Amrum", "storage", 1_190, true),
            product("sylt", "Esstisch \"Sylt\" & Bank", "tables", 1_490, true),
            product("poel", "Sessel Poel", "chairs", 690, false),
            product("lamp", "Leuchte Hiddensee", "lamps", 190, false),
        ],
        &[(ThreeViews, 30), (Browse, 20), (PageExit, 12), (Video, 10), (CartLeft, 10), (Bought, 6)],
        &["frage", "question", "angebot", "offer", "advisor"],
    );
    spec.names.left = "Time on Page";
    spec.names.clicked = "Started Chat";
    spec.names.updated = "Added to Cart";
    spec.min_events = 2_150;
    let dress = |d: &mut Dresser<'_>| {
        d.last_item(&["Added to Cart"]);
        let prices: BTreeMap<&str, Value> =
            d.spec.products.iter().filter_map(|p| Some((p.id, d.price_of(p.id)?))).collect();
        d.each(&["Played Video"], |_, event| {
            if let Some(price) = prices.get(text(event, "product_id")) {
                let price = price.clone();
                put(&mut event.properties, "price", price);
            }
        });
        d.each(&["Started Chat"], |_, event| event.properties.retain(|name, _| name == "category" || name == "url"));
        let long = |event: &Event| event.name == "Time on Page" && figure(event, "seconds") > 150.0;
        d.follow(long, 25, (3, 24), "Started Chat", |_, event| {
            of(&[("product_id", Value::text(text(event, "product_id")))])
        });
    };
    Recipe { folder: "furniture", spec, dress, csv: false }
}

fn e_bikes() -> Recipe {
    use Story::*;
    let mut spec = spec(
        "gw",
        "https://gangwerk-bikes.example",
        "EUR",
        vec![
            product("delta", "Gangwerk Delta", "city", 2_990, false),
            product("cargo-2", "Gangwerk Cargo 2", "cargo", 4_890, true),
            product("gravel-e", "Gravel E \"Duin\"", "sport", 3_690, true),
            product("helmet", "Helmet & light", "accessories", 129, false),
        ],
        &[(Trajectory, 34), (PageExit, 16), (Browse, 14), (Video, 8), (CartLeft, 10), (Bought, 5)],
        &["reminder", "video", "offer", "sms"],
    );
    spec.names.updated = "Added to Cart";
    spec.min_events = 1_950;
    let dress = |d: &mut Dresser<'_>| {
        d.last_item(&["Added to Cart"]);
        d.each(&["Left Page"], |rng, event| {
            let range = rng.percent(80).then(|| rng.range(6, 14) * 10);
            if let Some(range) = range.filter(|_| text(event, "product_id") != "helmet") {
                put(&mut event.properties, "range_km", number(range));
            }
        });
        let long = |event: &Event| event.name == "Left Page" && figure(event, "seconds") >= 420.0;
        d.follow(long, 40, (12, 28), "Played Video", |_, event| {
            of(&[
                ("video_id", Value::text("rain-ride")),
                ("video_title", Value::text("Four minutes in the rain")),
                ("product_id", Value::text(text(event, "product_id"))),
            ])
        });
        // Some come back the same evening and read again: their score is hot by the time of the branch.
        d.follow(long, 30, (3, 7), "Left Page", |rng, event| {
            let mut properties = event.properties.clone();
            put(&mut properties, "seconds", number(rng.range(430, 800)));
            properties
        });
    };
    Recipe { folder: "e-bikes", spec, dress, csv: false }
}

fn cosmetics() -> Recipe {
    use Story::*;
    let mut spec = spec(
        "rn",
        "https://rosmarin.example",
        "CHF",
        vec![
            product("night-oil", "Rose night oil", "face", 64, true),
            product("tonic", "Rosemary tonic", "face", 28, false),
            product("set-ritual", "Ritual set \"Morgen & Abend\"", "sets", 118, true),
            product("soap", "Alpine soap", "body", 9, false),
            product("balm", "Balm <50 ml>", "body", 22, false),
        ],
        &[(MixedSignals, 34), (CartLeft, 22), (Browse, 10), (Bought, 12), (Returned, 6)],
        &["kurz", "short"],
    );
    spec.names.added = "Cart Updated";
    spec.names.clicked = "Used Coupon";
    spec.min_events = 1_950;
    let dress = |d: &mut Dresser<'_>| {
        // Time on the site: since the last visit.
        let mut visits: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for event in d.audience.events.iter().filter(|event| event.name == "Visited Site") {
            visits.entry(event.contact.to_string()).or_default().push(at_millis(event));
        }
        d.each(&["Cart Updated"], |rng, event| {
            let at = at_millis(event);
            let last = visits.get(event.contact.as_str()).into_iter().flatten().filter(|visit| **visit <= at).max();
            if let (true, Some(visit)) = (rng.percent(96), last) {
                put(&mut event.properties, "seconds_on_site", number((at - visit) / 1_000));
            }
            if let Some(Value::List(items)) = event.properties.get("items")
                && let Some(name) = items.first().and_then(|item| item.at(&["name"])).cloned()
            {
                put(&mut event.properties, "product_name", name);
            }
            event.properties.remove("last_viewed_item");
            event.properties.remove("category");
        });
        d.each(&["Used Coupon"], |rng, event| {
            event.properties.clear();
            let coupon = *rng.pick(&["HERBST5", "FREUNDE10", "ROSMARIN10"]).unwrap_or(&"HERBST5");
            put(&mut event.properties, "coupon", Value::text(coupon));
        });
        for (n, contact) in d.audience.contacts.iter_mut().enumerate() {
            contact.properties.retain(|name, _| ["first_name", "last_name", "lifetime_value"].contains(&name.as_str()));
            if n % 4 != 3 {
                let skin = ["dry", "mixed", "sensitive"][n % 3];
                put(&mut contact.properties, "skin_type", Value::text(skin));
            }
        }
    };
    Recipe { folder: "cosmetics", spec, dress, csv: true }
}

fn hiking_tours() -> Recipe {
    use Story::*;
    let mut spec = spec(
        "fp",
        "https://fernpfad.example",
        "EUR",
        vec![
            product("queyras", "Queyras in seven days", "the Queyras", 1_190, true),
            product("lot", "Along the Lot", "the Lot valley", 980, false),
            product("cevennes", "Stevenson's path & donkey", "the Cévennes", 860, false),
            product("gr20", "GR 20 \"Nord\"", "Corsica", 1_340, true),
        ],
        &[(Trajectory, 30), (Browse, 30), (ThreeViews, 12), (PageExit, 14), (CheckoutLeft, 8), (Bought, 4)],
        &["curiosity", "urgency", "compare", "action", "win-back"],
    );
    spec.names = EventNames {
        viewed: "Viewed Tour",
        added: "Opened Map",
        updated: "Opened Map",
        started_checkout: "Started Booking",
        expired: "Booking Expired",
        ordered: "Booked Tour",
        left: "Time on Page",
        ..EventNames::default()
    };
    spec.min_events = 2_050;
    let dress = |d: &mut Dresser<'_>| {
        d.last_item(&["Opened Map", "Started Booking", "Booked Tour"]);
        d.each(&["Viewed Tour", "Opened Map", "Started Booking", "Booked Tour", "Time on Page"], |_, event| {
            for (from, to) in [
                ("product_id", "tour_id"),
                ("product_name", "tour_name"),
                ("category", "region"),
                ("cart_id", "booking_id"),
            ] {
                if let Some(value) = event.properties.remove(from) {
                    put(&mut event.properties, to, value);
                }
            }
            for gone in ["items", "item_count", "cart_value", "order_id", "premium", "last_viewed_item"] {
                event.properties.remove(gone);
            }
        });
        d.each(&["Opened Map", "Time on Page"], |_, event| {
            event.properties.retain(|name, _| name == "tour_id" || name == "seconds")
        });
        d.each(&["Started Booking", "Booked Tour"], |_, event| {
            event.properties.retain(|name, _| ["tour_id", "booking_id", "amount"].contains(&name.as_str()))
        });
        d.each(&["Viewed Tour"], |rng, event| {
            let month = if text(event, "tour_id") == "gr20" { 6 } else { 5 };
            if let (true, Ok(date)) = (rng.percent(90), format!("2027-{month:02}-{:02}", rng.range(1, 28)).parse()) {
                put(&mut event.properties, "departs_on", Value::Date(date));
            }
            if rng.percent(85) {
                put(&mut event.properties, "places_left", number(rng.range(1, 8)));
            }
        });
        // Three in ten who read for long begin to book on the next day.
        let long = |event: &Event| event.name == "Time on Page" && figure(event, "seconds") >= 240.0;
        d.follow(long, 30, (4, 40), "Started Booking", |_, event| {
            of(&[
                ("tour_id", Value::text(text(event, "tour_id"))),
                ("booking_id", Value::text(format!("fp-{}", event.id))),
            ])
        });
    };
    Recipe { folder: "hiking-tours", spec, dress, csv: false }
}

fn coffee_roaster() -> Recipe {
    use Story::*;
    let mut spec = spec(
        "hr",
        "https://harbour-roastery.example",
        "USD",
        vec![
            product("lighthouse", "Lighthouse blend", "blends", 18, false),
            product("tugboat", "Tugboat \"Dark\"", "espresso", 19, false),
            product("geisha", "Geisha & Honey", "rare", 46, true),
            product("decaf", "Calm Sea decaf", "decaf", 17, false),
        ],
        &[(Browse, 40), (Bought, 26), (CartLeft, 10), (ThreeViews, 5)],
        &["missing", "offer", "quiz", "discount", "brew", "story", "early", "reminder"],
    );
    spec.names.visited = "Visited Shop";
    spec.names.clicked = "Signed Up";
    let dress = |d: &mut Dresser<'_>| {
        d.last_item(&["Placed Order"]);
        d.each(&["Placed Order"], |rng, event| {
            let roast = match text(event, "product_name") {
                "Tugboat \"Dark\"" => "dark",
                "Geisha & Honey" => "light",
                _ => "medium",
            };
            if rng.percent(90) {
                put(&mut event.properties, "roast", Value::text(roast));
            }
        });
        d.each(&["Visited Shop"], |rng, event| {
            let page = *rng.pick(&["home", "shop", "brew-guide", "tasting"]).unwrap_or(&"home");
            put(&mut event.properties, "page", Value::text(page));
            event.properties.remove("url");
        });
        d.each(&["Signed Up"], |rng, event| {
            event.properties.clear();
            let source = *rng.pick(&["footer", "checkout", "market stall"]).unwrap_or(&"footer");
            put(&mut event.properties, "source", Value::text(source));
        });
        // A person signs up once, and a third go silent in the first weeks of October.
        let mut signed: BTreeMap<String, EventId> = BTreeMap::new();
        let silent: BTreeMap<String, i64> = d
            .audience
            .contacts
            .iter()
            .enumerate()
            .filter(|(n, _)| n % 3 == 0)
            .map(|(n, contact)| (contact.id.to_string(), FROM_MILLIS + (3 + n as i64 % 10) * DAY))
            .collect();
        d.audience.events.retain(|event| {
            let contact = event.contact.to_string();
            if silent.get(&contact).is_some_and(|from| at_millis(event) > *from) {
                return false;
            }
            event.name != "Signed Up" || *signed.entry(contact).or_insert_with(|| event.id.clone()) == event.id
        });
        // Every fourth of the silent drops by two days after the mail that misses them.
        for (n, contact) in silent.keys().enumerate().filter(|(n, _)| n % 4 == 0) {
            let acts = |event: &&Event| {
                event.contact.as_str() == contact && ["Visited Shop", "Placed Order"].contains(&event.name.as_str())
            };
            let Some(last) = d.audience.events.iter().filter(acts).map(at_millis).max() else { continue };
            let at = last + 32 * DAY + n as i64 * 7 * MINUTE;
            if at < UNTIL_MILLIS {
                let properties = of(&[("page", Value::text("home")), ("device", Value::text("mobile"))]);
                d.more.push((contact.clone(), "Visited Shop", at, properties));
            }
        }
        for (n, contact) in d.audience.contacts.iter_mut().enumerate() {
            let on = contact.lists.remove("Newsletter");
            if on && n % 2 == 0 {
                contact.lists.insert("Coffee Post".into());
                contact.lists.insert("Weekly".into());
            }
            if let Some(time) = contact.properties.remove("best_time") {
                put(&mut contact.properties, "reads_mail", time);
            }
            if n % 3 != 2 && n % 5 < 3 {
                let day = 12 + (n as i64 * 7) % 55;
                let date = if day <= 31 {
                    format!("2026-10-{day}")
                } else if day <= 61 {
                    format!("2026-11-{:02}", day - 31)
                } else {
                    format!("2026-12-{:02}", day - 61)
                };
                if let Ok(date) = date.parse() {
                    put(&mut contact.properties, "renewal_date", Value::Date(date));
                }
                put(
                    &mut contact.properties,
                    "subscription",
                    Value::text(if n % 11 == 4 { "cancelled" } else { "active" }),
                );
                if n % 6 == 0 {
                    d.audience.responses.push(Response {
                        contact: contact.id.clone(),
                        flow: Some("renewal".into()),
                        node: NodeId::new("early"),
                        response: ResponseKind::Clicked,
                        after: Span::minutes(95 + n as i64),
                        link: Some("https://harbour-roastery.example/subscription".into()),
                    });
                }
                if n % 4 != 1 {
                    put(
                        &mut contact.properties,
                        "favourite",
                        Value::text(["Lighthouse blend", "Tugboat \"Dark\"", "Calm Sea decaf"][n % 3]),
                    );
                }
            }
        }
    };
    spec.min_events = 3_000;
    Recipe { folder: "coffee-roaster", spec, dress, csv: false }
}

/// Contacts as a shop system exports them, with the mapping that says which column is which.
fn contacts_as_csv(contacts: &[Contact]) -> (String, Mapping) {
    let property = |name: &str, value_type| Role::Property { name: name.into(), value_type };
    let columns = [
        ("Customer ID", Role::Id),
        ("Email", Role::Email),
        ("First Name", property("first_name", ValueType::Text)),
        ("Last Name", property("last_name", ValueType::Text)),
        ("Phone", Role::Phone),
        ("Email Consent", Role::Consent(Channel::Email)),
        ("SMS Consent", Role::Consent(Channel::Sms)),
        ("Language", Role::Language),
        ("Timezone", Role::Zone),
        ("Lists", Role::Lists),
        ("Created At", Role::Created),
        ("Total Spent", property("lifetime_value", ValueType::Number)),
        ("Skin type, as told", property("skin_type", ValueType::Text)),
    ];
    let mut rows = vec![columns.iter().map(|(header, _)| (*header).to_owned()).collect::<Vec<_>>()];
    for contact in contacts {
        let some = |text: &Option<_>| text.as_ref().map(ToString::to_string).unwrap_or_default();
        let property = |name: &str| contact.property(&[name]).map(ToString::to_string).unwrap_or_default();
        rows.push(vec![
            contact.id.to_string(),
            some(&contact.email),
            property("first_name"),
            property("last_name"),
            some(&contact.phone),
            contact.consent.email.name().to_owned(),
            contact.consent.sms.name().to_owned(),
            some(&contact.language),
            some(&contact.zone),
            contact.lists.iter().map(|list| list.as_str()).collect::<Vec<_>>().join("; "),
            contact.created_at.map(|at| at.to_string()).unwrap_or_default(),
            property("lifetime_value"),
            property("skin_type"),
        ]);
    }
    let cell = |cell: &String| {
        if cell.contains([',', '"', '\n', ';']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.clone() }
    };
    let lines = rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(",") + "\r\n");
    let contacts = columns.map(|(header, role)| Column { header: header.to_owned(), role }).to_vec();
    (lines.collect(), Mapping { contacts, ..Mapping::default() })
}
