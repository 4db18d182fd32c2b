//! Makes sample audiences: people of all shapes, and what they did in a shop, as stories that make sense.
//!
//! The one idea: a contact lives through sessions (look, put into the cart, check out, perhaps order), each told by a
//! [`Story`]; the shop, its products and the names of its events are a spec. Every contact draws from a generator of
//! its own, so that a change to one leaves the others as they are. The world is as untidy as a real one: properties
//! are missing, events arrive late or twice, names hold quotes, umlauts, emoji and right-to-left letters.
//!
//! Deliberately not here: writing files (see [`crate::audience::load::contacts_to_jsonl`] and its neighbours), and
//! any claim about how real people behave: shares and times are made up.

mod people;
mod shops;

use smol_str::SmolStr;

use self::people::{PEOPLE, Person};
use super::Rng;
use crate::{
    audience::{Audience, ConsentStatus, Contact, Currency, Event, Money, Properties, Response, ResponseKind, Value},
    base::{EventId, FlowId, Instant, NodeId, Span, hash},
};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// First instant at which something happens: 2026-10-01T00:00:00Z.
pub const FROM_MILLIS: i64 = 1_790_812_800_000;
/// Nothing happens from here on: 2026-11-16T00:00:00Z. Late events may still arrive for a day.
pub const UNTIL_MILLIS: i64 = FROM_MILLIS + 46 * DAY;

/// What a sample audience is made from.
#[derive(Clone, Debug, PartialEq)]
pub struct AudienceSpec {
    /// Short name: salt of the draws, and first part of cart and order ids.
    pub name: String,
    /// The shop's address, without a slash at the end.
    pub site: String,
    /// How many people; 60 or more show every shape.
    pub num_contacts: usize,
    /// At least so many events; sessions are added until they are there.
    pub min_events: usize,
    /// Currency of the prices, ISO 4217.
    pub currency: &'static str,
    /// Lifetime value as money, else as a number.
    pub lifetime_as_money: bool,
    /// Share of people with a lifetime value above 500, 0..=100 percent.
    pub vip_percent: usize,
    /// What is sold; must not be empty, or only visits happen.
    pub products: Vec<Product>,
    /// How the events are called.
    pub names: EventNames,
    /// How often each story is told, relative to the others.
    pub stories: Vec<(Story, usize)>,
    /// Messages that people respond to: the flow (any where `None`) and the node.
    pub mails: Vec<(Option<FlowId>, NodeId)>,
}

/// Something sold.
#[derive(Clone, Debug, PartialEq)]
pub struct Product {
    /// Short id, part of its addresses.
    pub id: &'static str,
    /// What people read.
    pub name: &'static str,
    /// Category.
    pub category: &'static str,
    /// Price in cents.
    pub price_cents: i64,
    /// Whether it is one of the shop's best pieces.
    pub premium: bool,
}

/// Names of the events, as the shop's tracking writes them.
#[derive(Clone, Debug, PartialEq)]
pub struct EventNames {
    /// Came to the shop.
    pub visited: &'static str,
    /// Looked at a product.
    pub viewed: &'static str,
    /// Put the first thing into a cart.
    pub added: &'static str,
    /// Changed the cart.
    pub updated: &'static str,
    /// Began to check out.
    pub started_checkout: &'static str,
    /// The checkout session ended without an order.
    pub expired: &'static str,
    /// Ordered.
    pub ordered: &'static str,
    /// Watched a video.
    pub played: &'static str,
    /// Clicked an article, a guide or the like.
    pub clicked: &'static str,
    /// Left a product's page.
    pub left: &'static str,
}

impl Default for EventNames {
    fn default() -> Self {
        Self {
            visited: "Visited Site",
            viewed: "Viewed Product",
            added: "Added to Cart",
            updated: "Cart Updated",
            started_checkout: "Started Checkout",
            expired: "Checkout Expired",
            ordered: "Placed Order",
            played: "Played Video",
            clicked: "Clicked Content",
            left: "Left Page",
        }
    }
}

/// What a person does in one go (some stories return after hours or days).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Story {
    /// Looks around.
    Browse,
    /// Reads one page for minutes and leaves.
    PageExit,
    /// Leaves one of the best pieces after a long look.
    PremiumLeft,
    /// Fills a cart and goes.
    CartLeft,
    /// Begins to check out; the session expires.
    CheckoutLeft,
    /// Lets the checkout expire, comes back after two to twenty hours and orders.
    Returned,
    /// Orders.
    Bought,
    /// Watches a video, perhaps clicks what is offered after it.
    Video,
    /// Looks at the same expensive product on three visits and does not buy.
    ThreeViews,
    /// A dear cart, filled in seconds.
    MixedSignals,
    /// First look, next day a cart changed several times, then a long look and away.
    Trajectory,
}

/// Makes the audience of a spec. The same spec and seed give the same audience, on every machine.
///
/// Events are in (accepted, id) order; doubled ones are in it twice, under one id.
pub fn generate(spec: &AudienceSpec, seed: u64) -> Audience {
    let mut contacts = Vec::new();
    let mut events = Vec::new();
    let mut responses = Vec::new();
    let mut lives: Vec<Life<'_>> = Vec::new();
    for idx in 0..spec.num_contacts {
        let person = &PEOPLE[idx % PEOPLE.len()];
        let id = match idx / PEOPLE.len() {
            0 => person.0.to_owned(),
            round => format!("{}-{}", person.0, round + 1),
        };
        let mut rng = Rng::new(seed ^ hash::chance(&spec.name, &id));
        let contact = make_contact(spec, &id, idx, person, &mut rng);
        responses.extend(make_responses(spec, &contact, &mut rng));
        lives.push(Life {
            spec,
            rng,
            contact_id: id,
            offset_hours: person.5,
            sessions: 0,
            days_taken: 0,
            events: Vec::new(),
        });
        contacts.push(contact);
    }
    // Everyone has two sessions or more; the lively ones have most. A quarter of the people stay quiet after that.
    for round in 0..MOST_ROUNDS {
        let num_events: usize = lives.iter().map(|life| life.events.len()).sum();
        if round >= 2 && num_events >= spec.min_events {
            break;
        }
        for (idx, life) in lives.iter_mut().enumerate() {
            if round < 2 || idx % 4 != 3 {
                life.session();
            }
        }
    }
    for life in lives {
        events.extend(life.arrive());
    }
    contacts.sort_by(|a, b| a.id.cmp(&b.id));
    events.sort_by(|a, b| (a.accepted, &a.id).cmp(&(b.accepted, &b.id)));
    Audience { contacts, events, responses }
}

/// Bound on the rounds of sessions, for specs that never reach their number of events.
const MOST_ROUNDS: usize = 100;

fn make_contact(spec: &AudienceSpec, id: &str, idx: usize, person: &Person, rng: &mut Rng) -> Contact {
    let Person(_, first_name, last_name, language, zone, _) = person;
    let some = |text: &str| (!text.is_empty()).then(|| SmolStr::new(text));
    let mut contact = Contact::new(id);
    contact.zone = some(zone);
    contact.language = some(language);
    // One in thirty has no address at all; nothing can reach them.
    if idx % 30 != 16 {
        contact.email = Some(SmolStr::new(format!("{id}@example.com")));
    }
    if rng.percent(45) {
        // Source: numbers set aside for stories: North American 555-0100 to 555-0199.
        contact.phone = Some(SmolStr::new(format!("+1202555{:04}", 100 + idx % 100)));
    }
    if rng.percent(92) {
        contact.created_at = Some(Instant::from_millis(FROM_MILLIS - rng.range(2, 700) * DAY + rng.range(0, DAY - 1)));
    }
    contact.consent.email = match rng.below(100) {
        0..78 => ConsentStatus::Subscribed,
        78..90 => ConsentStatus::Unknown,
        _ => ConsentStatus::Unsubscribed,
    };
    if contact.phone.is_some() {
        contact.consent.sms = match rng.below(100) {
            0..40 => ConsentStatus::Subscribed,
            40..85 => ConsentStatus::Unknown,
            _ => ConsentStatus::Unsubscribed,
        };
    }
    let is_vip = rng.percent(spec.vip_percent);
    for (list, share) in [("newsletter", 60), ("sms-club", 15), ("early-access", 20)] {
        if rng.percent(share) {
            contact.lists.insert(SmolStr::new(list));
        }
    }
    if is_vip {
        contact.lists.insert(SmolStr::new_static("vip"));
    }
    let mut put = |name: &str, value: Value| {
        contact.properties.insert(SmolStr::new(name), value);
    };
    if !first_name.is_empty() {
        put("first_name", Value::text(first_name));
    }
    if !last_name.is_empty() {
        put("last_name", Value::text(last_name));
    }
    if rng.percent(88) {
        let cents = if is_vip { rng.range(50_100, 480_000) } else { rng.range(0, 49_900) };
        put("lifetime_value", price(spec, cents, spec.lifetime_as_money));
        put("orders_count", number(if cents == 0 { 0 } else { 1 + cents / 30_000 }));
    }
    if rng.percent(60) {
        put("best_time", Value::text(if rng.percent(50) { "morning" } else { "evening" }));
    }
    if rng.percent(50) {
        // Days that exist in every year, and now and then the one that does not.
        let (month, day) = if idx % 22 == 9 { (2, 29) } else { (rng.range(1, 12), rng.range(1, 28)) };
        if let Ok(date) = format!("{}-{month:02}-{day:02}", if month == 2 { 1988 } else { 1950 + idx }).parse() {
            put("birthday", Value::Date(date));
        }
    }
    if rng.percent(30) {
        put("sms_opt_in_asked", Value::Bool(rng.percent(50)));
    }
    if let (Some(product), true) = (rng.pick(&spec.products), rng.percent(70)) {
        put("favourite_category", Value::text(product.category));
    }
    contact
}

fn make_responses(spec: &AudienceSpec, contact: &Contact, rng: &mut Rng) -> Vec<Response> {
    let mut responses = Vec::new();
    for (mail_idx, (flow, node)) in spec.mails.iter().enumerate() {
        let mut say = |response: ResponseKind, minutes: i64, link: Option<String>| {
            responses.push(Response {
                contact: contact.id.clone(),
                flow: flow.clone(),
                node: node.clone(),
                response,
                after: Span::minutes(minutes),
                link: link.map(SmolStr::new),
            });
        };
        let opens = rng.percent(if mail_idx == 0 { 45 } else { 30 });
        let minutes = if rng.percent(60) { 40 } else { rng.range(3, 600) };
        if opens {
            say(ResponseKind::Opened, minutes, None);
            if rng.percent(35) {
                let path = *rng.pick(&["cart", "chat", "video"]).unwrap_or(&"cart");
                say(ResponseKind::Clicked, minutes + rng.range(1, 12), Some(format!("{}/{path}", spec.site)));
            } else if rng.percent(8) {
                say(ResponseKind::Unsubscribed, minutes + 2, None);
            } else if rng.percent(5) {
                say(ResponseKind::Replied, minutes + 25, None);
            }
        } else if rng.percent(2) {
            say(ResponseKind::Bounced, 1, None);
        } else if rng.percent(1) {
            say(ResponseKind::Complained, 90, None);
        }
    }
    responses
}

/// One contact's history in the making.
struct Life<'a> {
    spec: &'a AudienceSpec,
    rng: Rng,
    contact_id: String,
    offset_hours: i64,
    sessions: usize,
    /// One bit per day on which a session began.
    days_taken: u64,
    /// When, name, properties.
    events: Vec<(i64, &'static str, Properties)>,
}

/// A cart: product and how many of it.
struct Cart<'a> {
    id: String,
    items: Vec<(&'a Product, i64)>,
    last_viewed: &'a Product,
}

impl<'a> Life<'a> {
    fn session(&mut self) {
        let total: usize = self.spec.stories.iter().map(|(_, weight)| weight).sum();
        let mut draw = self.rng.below(total);
        let mut story = Story::Browse;
        for (candidate, weight) in &self.spec.stories {
            if draw < *weight {
                story = *candidate;
                break;
            }
            draw -= weight;
        }
        self.sessions += 1;
        let at = self.session_start();
        self.tell(story, at);
    }

    /// A time of day at which people shop, on the contact's wall; early enough for stories of three days.
    fn session_start(&mut self) -> i64 {
        // A day of its own for each session, as long as there are free ones.
        let mut day = self.rng.range(0, 41);
        for _ in 0..42 {
            if self.days_taken & (1 << day) == 0 {
                break;
            }
            day = (day + 5) % 42;
        }
        self.days_taken |= 1 << day;
        let (from, until) = match self.rng.below(100) {
            0..20 => (6, 9),
            20..45 => (11, 14),
            45..90 => (18, 23),
            _ => (0, 24),
        };
        let wall = self.rng.range(from * 60, until * 60 - 1) * MINUTE + self.rng.range(0, 59_999);
        let at = FROM_MILLIS + day * DAY + wall - self.offset_hours * HOUR;
        if at < FROM_MILLIS { at + DAY } else { at }
    }

    fn tell(&mut self, story: Story, start: i64) {
        let products: &'a [Product] = &self.spec.products;
        let device = *self.rng.pick(&["mobile", "mobile", "desktop", "tablet"]).unwrap_or(&"mobile");
        let names = self.spec.names.clone();
        let mut at = self.visit(start, device);
        let Some(first) = self.rng.pick(products) else { return };
        let dear: Vec<&'a Product> = products.iter().filter(|product| product.premium).collect();
        let dear = self.rng.pick(&dear).copied().unwrap_or(first);
        match story {
            Story::Browse => {
                for _ in 0..self.rng.range(1, 4) {
                    let product = self.rng.pick(products).unwrap_or(first);
                    at = self.view(at, product, 8, 90, device);
                }
                if self.rng.percent(35) {
                    self.click(at, first);
                }
            }
            Story::PageExit | Story::PremiumLeft => {
                let product = if story == Story::PremiumLeft { dear } else { first };
                let seconds = self.rng.range(121, 560);
                let viewed_at = at;
                self.view_for(viewed_at, product, seconds, device);
                self.leave(viewed_at + seconds * SECOND, product, seconds);
            }
            Story::CartLeft => {
                self.fill_cart(at, first, (20, 200), device);
            }
            Story::CheckoutLeft => {
                let (cart, at) = self.fill_cart(at, first, (20, 200), device);
                self.checkout(at, &cart, device);
                let expired_at = at + self.rng.range(30, 60) * MINUTE;
                self.cart_event(expired_at, names.expired, &cart, device);
            }
            Story::Returned => {
                let (cart, at) = self.fill_cart(at, first, (20, 200), device);
                self.checkout(at, &cart, device);
                let expired_at = at + self.rng.range(30, 60) * MINUTE;
                self.cart_event(expired_at, names.expired, &cart, device);
                let back = self.return_after(expired_at, 60, 1_140, device);
                let at = self.checkout(back, &cart, device);
                self.order(at, &cart, device);
            }
            Story::Bought => {
                let (cart, at) = self.fill_cart(at, first, (20, 200), device);
                let at = self.checkout(at, &cart, device);
                self.order(at, &cart, device);
            }
            Story::Video => {
                at = self.view(at, first, 20, 120, device);
                for _ in 0..self.rng.range(1, 2) {
                    at = self.play(at, first, device);
                }
                match self.rng.below(10) {
                    0..4 => {
                        self.click(at, first);
                    }
                    4..6 => {
                        let (cart, at) = self.fill_cart(at, first, (20, 60), device);
                        let at = self.checkout(at, &cart, device);
                        self.order(at, &cart, device);
                    }
                    _ => {}
                }
            }
            Story::ThreeViews => {
                at = self.view(at, dear, 40, 240, device);
                for _ in 0..2 {
                    at = self.return_after(at, 5 * 60, 30 * 60, device);
                    at = self.view(at, dear, 60, 400, device);
                }
                self.leave(at, dear, 180);
            }
            Story::MixedSignals => {
                let (mut cart, at) = self.fill_cart(at, dear, (3, 15), device);
                cart.items[0].1 += 1;
                self.cart_event(at + 4 * SECOND, names.updated, &cart, device);
            }
            Story::Trajectory => {
                self.view(at, first, 30, 120, device);
                let next_day = self.return_after(at, 18 * 60, 26 * 60, device);
                let (mut cart, mut at) = self.fill_cart(next_day, first, (20, 90), device);
                for _ in 0..self.rng.range(2, 3) {
                    at += self.rng.range(40, 300) * SECOND;
                    cart.items[0].1 += 1;
                    self.cart_event(at, names.updated, &cart, device);
                }
                let peak = self.return_after(at, 8 * 60, 20 * 60, device);
                let seconds = self.rng.range(420, 900);
                self.view_for(peak, first, seconds, device);
                self.leave(peak + seconds * SECOND, first, seconds);
            }
        }
    }

    fn push(&mut self, at: i64, name: &'static str, entries: Vec<(&str, Value)>) {
        let properties = entries.into_iter().map(|(name, value)| (SmolStr::new(name), value)).collect();
        self.events.push((at, name, properties));
    }

    /// Comes to the shop; returns when the first page is looked at.
    fn visit(&mut self, at: i64, device: &str) -> i64 {
        let referrer = *self.rng.pick(&["search", "social", "direct", "mail"]).unwrap_or(&"direct");
        let entries = vec![
            ("url", Value::text(&self.spec.site)),
            ("referrer", Value::text(referrer)),
            ("device", Value::text(device)),
        ];
        self.push(at, self.spec.names.visited, entries);
        at + self.rng.range(4, 40) * SECOND
    }

    /// Comes back after so many minutes; returns when the first page is looked at.
    fn return_after(&mut self, at: i64, least_minutes: i64, most_minutes: i64, device: &str) -> i64 {
        let back = at + self.rng.range(least_minutes, most_minutes) * MINUTE;
        self.visit(back, device)
    }

    /// Looks at a product for so many seconds; returns when the look is over.
    fn view(&mut self, at: i64, product: &Product, least: i64, most: i64, device: &str) -> i64 {
        let seconds = self.rng.range(least, most);
        self.view_for(at, product, seconds, device);
        at + (seconds + 2) * SECOND
    }

    fn view_for(&mut self, at: i64, product: &Product, seconds: i64, device: &str) {
        let mut entries = vec![
            ("product_id", Value::text(product.id)),
            ("category", Value::text(product.category)),
            ("price", price(self.spec, product.price_cents, false)),
            ("seconds", number(seconds)),
            ("url", Value::text(self.url(product))),
            ("device", Value::text(device)),
        ];
        if self.rng.percent(98) {
            entries.push(("product_name", Value::text(product.name)));
        }
        if self.rng.percent(96) {
            entries.push(("image_url", Value::text(self.image_url(product))));
        }
        self.push(at, self.spec.names.viewed, entries);
    }

    fn leave(&mut self, at: i64, product: &Product, seconds: i64) {
        let entries = vec![
            ("product_id", Value::text(product.id)),
            ("product_name", Value::text(product.name)),
            ("category", Value::text(product.category)),
            ("price", price(self.spec, product.price_cents, false)),
            ("seconds", number(seconds)),
            ("premium", Value::Bool(product.premium)),
            ("image_url", Value::text(self.image_url(product))),
            ("url", Value::text(self.url(product))),
        ];
        self.push(at, self.spec.names.left, entries);
    }

    fn play(&mut self, at: i64, product: &Product, device: &str) -> i64 {
        let seconds = self.rng.range(25, 300);
        let entries = vec![
            ("video_id", Value::text(format!("v-{}", product.id))),
            ("video_title", Value::text(format!("{}: a closer look", product.name))),
            ("product_id", Value::text(product.id)),
            ("product_name", Value::text(product.name)),
            ("category", Value::text(product.category)),
            ("seconds", number(seconds)),
            ("percent", number(seconds / 3)),
            ("url", Value::text(format!("{}/videos/{}", self.spec.site, product.id))),
            ("device", Value::text(device)),
        ];
        self.push(at, self.spec.names.played, entries);
        at + (seconds + 5) * SECOND
    }

    fn click(&mut self, at: i64, product: &Product) -> i64 {
        let (kind, title) = *self
            .rng
            .pick(&[("guide", "How to choose"), ("demo", "Live demo"), ("article", "Behind the scenes")])
            .unwrap_or(&("guide", "How to choose"));
        let entries = vec![
            ("content_id", Value::text(format!("{kind}-{}", product.category.replace(' ', "-")))),
            ("content_type", Value::text(kind)),
            ("title", Value::text(title)),
            ("category", Value::text(product.category)),
            ("url", Value::text(format!("{}/{kind}s/{}", self.spec.site, product.category.replace(' ', "-")))),
        ];
        self.push(at, self.spec.names.clicked, entries);
        at + 30 * SECOND
    }

    /// Looks at one to three products and puts them into a new cart; returns the cart and when it is left alone.
    fn fill_cart(&mut self, start: i64, first: &'a Product, seconds: (i64, i64), device: &str) -> (Cart<'a>, i64) {
        let products: &'a [Product] = &self.spec.products;
        let id = format!("{}-{}-{}", self.spec.name, self.contact_id, self.sessions);
        let mut cart = Cart { id, items: Vec::new(), last_viewed: first };
        let mut at = start;
        for item_idx in 0..self.rng.range(1, 3) {
            let product = if item_idx == 0 { first } else { self.rng.pick(products).unwrap_or(first) };
            at = self.view(at, product, seconds.0, seconds.1, device);
            cart.last_viewed = product;
            match cart.items.iter_mut().find(|(known, _)| known.id == product.id) {
                Some((_, quantity)) => *quantity += 1,
                None => cart.items.push((product, 1)),
            }
            let name = if item_idx == 0 { self.spec.names.added } else { self.spec.names.updated };
            self.cart_event(at, name, &cart, device);
            at += self.rng.range(3, 25) * SECOND;
        }
        (cart, at)
    }

    /// Begins to check out; returns when the address is filled in.
    fn checkout(&mut self, at: i64, cart: &Cart<'_>, device: &str) -> i64 {
        self.cart_event(at, self.spec.names.started_checkout, cart, device);
        at + self.rng.range(2, 11) * MINUTE
    }

    fn order(&mut self, at: i64, cart: &Cart<'_>, device: &str) {
        let entries = vec![
            ("order_id", Value::text(format!("{}-order", cart.id))),
            ("cart_id", Value::text(&cart.id)),
            ("amount", price(self.spec, cart.cents(), false)),
            ("currency", Value::text(self.spec.currency)),
            ("item_count", number(cart.num_items())),
            ("items", self.items(cart)),
            ("device", Value::text(device)),
        ];
        self.push(at, self.spec.names.ordered, entries);
    }

    fn cart_event(&mut self, at: i64, name: &'static str, cart: &Cart<'_>, device: &str) {
        let mut entries = vec![
            ("cart_id", Value::text(&cart.id)),
            ("cart_value", price(self.spec, cart.cents(), false)),
            ("item_count", number(cart.num_items())),
            ("category", Value::text(cart.last_viewed.category)),
            ("items", self.items(cart)),
            ("image_url", Value::text(self.image_url(cart.last_viewed))),
            ("url", Value::text(format!("{}/cart/{}", self.spec.site, cart.id))),
            ("device", Value::text(device)),
        ];
        if self.rng.percent(95) {
            entries.push(("last_viewed_item", Value::text(cart.last_viewed.name)));
        }
        self.push(at, name, entries);
    }

    fn items(&self, cart: &Cart<'_>) -> Value {
        let item = |(product, quantity): &(&Product, i64)| {
            let entries = [
                ("product_id", Value::text(product.id)),
                ("name", Value::text(product.name)),
                ("price", price(self.spec, product.price_cents, false)),
                ("quantity", number(*quantity)),
                ("image_url", Value::text(self.image_url(product))),
                ("url", Value::text(self.url(product))),
            ];
            Value::Object(entries.into_iter().map(|(name, value)| (SmolStr::new(name), value)).collect())
        };
        Value::List(cart.items.iter().map(item).collect())
    }

    fn url(&self, product: &Product) -> String {
        format!("{}/products/{}", self.spec.site, product.id)
    }

    fn image_url(&self, product: &Product) -> String {
        format!("{}/images/{}.jpg", self.spec.site, product.id)
    }

    /// The history as it arrives: most after 15 to 30 s, some late by up to a day, some twice.
    fn arrive(mut self) -> Vec<Event> {
        let mut told = std::mem::take(&mut self.events);
        told.retain(|(at, ..)| *at < UNTIL_MILLIS);
        told.sort_by_key(|(at, ..)| *at);
        let mut events = Vec::new();
        for (idx, (at, name, properties)) in told.into_iter().enumerate() {
            let delay = match self.rng.below(100) {
                0..62 => self.rng.range(15 * SECOND, 30 * SECOND),
                62..95 => self.rng.range(200, 5 * SECOND),
                95..98 => self.rng.range(10 * MINUTE, 6 * HOUR),
                _ => self.rng.range(6 * HOUR, DAY),
            };
            let event = Event {
                id: EventId::new(format!("{}-{:03}", self.contact_id, idx + 1)),
                contact: self.contact_id.as_str().into(),
                name: SmolStr::new_static(name),
                happened: Instant::from_millis(at),
                accepted: Instant::from_millis(at + delay),
                properties,
            };
            if self.rng.percent(2) {
                let mut again = event.clone();
                again.accepted = event.accepted.plus_millis(self.rng.range(SECOND, 10 * MINUTE));
                events.push(again);
            }
            events.push(event);
        }
        events
    }
}

impl Cart<'_> {
    fn cents(&self) -> i64 {
        self.items.iter().map(|(product, quantity)| product.price_cents * quantity).sum()
    }

    fn num_items(&self) -> i64 {
        self.items.iter().map(|(_, quantity)| quantity).sum()
    }
}

fn price(spec: &AudienceSpec, cents: i64, as_money: bool) -> Value {
    let amount = cents as f64 / 100.0;
    match Currency::parse(spec.currency) {
        Some(currency) if as_money => Value::Money(Money::from_number(amount, currency)),
        _ => Value::Number(amount),
    }
}

fn number(n: i64) -> Value {
    Value::Number(n as f64)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::{
        audience::{
            AudienceSources, Source,
            load::{contacts_to_jsonl, events_to_jsonl, responses_to_jsonl},
        },
        base::Zone,
    };

    fn texts(audience: &Audience) -> [String; 3] {
        [
            contacts_to_jsonl(&audience.contacts),
            events_to_jsonl(&audience.events),
            responses_to_jsonl(&audience.responses),
        ]
    }

    /// Frozen: the sample workspaces are made from these. A change here means that they must be made anew.
    #[test]
    fn samples_are_frozen() {
        let hashes: Vec<String> = AudienceSpec::all()
            .iter()
            .map(|spec| {
                let text = texts(&generate(spec, 1)).concat();
                format!("{} {}", spec.name, hash::version_hash(text.as_bytes()))
            })
            .collect();
        assert_eq!(hashes, FROZEN);
    }

    const FROZEN: [&str; 6] = [
        "watches 38d3d72c9af75b684c21fb1edef0a8a2",
        "bags b89c9b34cae81f288640cb0bd3eed0d9",
        "courses ff105d32129d5f6de7ffa0e748cb768f",
        "maison e30a606c2aa0b1940c127a5d75fbe733",
        "volt 6ff7523b2bfd510f646fc071bfb88f3d",
        "moda 9a8c4d6a93729fd19eb46e69d0395ab7",
    ];

    #[test]
    fn seeds_differ_and_repeat() {
        let spec = AudienceSpec::watch_shop();
        assert_eq!(generate(&spec, 7), generate(&spec, 7));
        assert_ne!(generate(&spec, 7), generate(&spec, 8));
    }

    #[test]
    fn every_sample_has_all_shapes() {
        for spec in AudienceSpec::all() {
            let audience = generate(&spec, 1);
            let name = &spec.name;
            assert!(audience.contacts.len() >= 60, "{name}");
            assert!(audience.events.len() >= 1_500, "{name}: {}", audience.events.len());
            assert!(audience.events.len() <= 4_000, "{name}: {}", audience.events.len());
            let zones: BTreeSet<&str> = audience.contacts.iter().filter_map(|c| c.zone.as_deref()).collect();
            for zone in ["Pacific/Auckland", "Pacific/Honolulu", "Pacific/Apia", "Pacific/Kiritimati"] {
                assert!(zones.contains(zone), "{name}: {zone}");
            }
            assert!(zones.iter().all(|zone| Zone::named(zone).is_ok_and(|known| known.name() == *zone)), "{name}");
            let firsts: String =
                audience.contacts.iter().filter_map(|c| c.value(&["first_name"])).map(|v| v.to_string()).collect();
            let lasts: String =
                audience.contacts.iter().filter_map(|c| c.value(&["last_name"])).map(|v| v.to_string()).collect();
            for mark in ['\'', '"', '&', '<', 'ü', '🌻', 'ד', 'ل'] {
                assert!(firsts.contains(mark) || lasts.contains(mark), "{name}: {mark}");
            }
            for lacks in [
                |c: &Contact| c.zone.is_none(),
                |c: &Contact| c.email.is_none(),
                |c: &Contact| c.phone.is_none(),
                |c: &Contact| c.created_at.is_none(),
                |c: &Contact| c.property(&["first_name"]).is_none(),
                |c: &Contact| c.property(&["lifetime_value"]).is_none(),
                |c: &Contact| c.consent.email == ConsentStatus::Unsubscribed,
                |c: &Contact| c.consent.sms == ConsentStatus::Subscribed,
                |c: &Contact| c.lists.contains("vip"),
            ] {
                assert!(audience.contacts.iter().any(lacks), "{name}");
            }
            let late = audience.events.iter().filter(|e| e.accepted.since(e.happened) > HOUR).count();
            assert!(late > 20, "{name}: {late} late");
            assert!(audience.events.iter().all(|e| (0..=DAY + 10 * MINUTE).contains(&e.accepted.since(e.happened))));
            let ids: BTreeSet<&EventId> = audience.events.iter().map(|e| &e.id).collect();
            let doubled = audience.events.len() - ids.len();
            assert!(doubled > 10, "{name}: {doubled} doubled");
            let (from, until) = (Instant::from_millis(FROM_MILLIS), Instant::from_millis(UNTIL_MILLIS));
            assert_eq!(
                (from.to_string(), until.to_string()),
                ("2026-10-01T00:00:00Z".into(), "2026-11-16T00:00:00Z".into())
            );
            assert!(audience.events.iter().all(|e| from <= e.happened && e.happened < until));
            let metrics: BTreeSet<&str> = audience.events.iter().map(|e| e.name.as_str()).collect();
            assert_eq!(metrics.len(), 10, "{name}: {metrics:?}");
            for kind in [ResponseKind::Opened, ResponseKind::Clicked, ResponseKind::Unsubscribed] {
                assert!(audience.responses.iter().any(|r| r.response == kind), "{name}: {kind}");
            }
        }
    }

    #[test]
    fn carts_tell_a_story() {
        for spec in AudienceSpec::all() {
            let audience = generate(&spec, 1);
            let mut carts: BTreeMap<String, Vec<&Event>> = BTreeMap::new();
            for event in &audience.events {
                if let Some(Value::Text(cart_id)) = event.property(&["cart_id"]) {
                    carts.entry(cart_id.to_string()).or_default().push(event);
                }
            }
            let (mut left, mut bought, mut expired) = (0, 0, 0);
            for (cart_id, mut events) in carts {
                events.sort_by_key(|event| event.happened);
                assert_eq!(events[0].name, "Added to Cart", "{cart_id}");
                assert!(events.iter().all(|event| event.contact == events[0].contact), "{cart_id}");
                let position = |name: &str| events.iter().position(|event| event.name == name);
                let started = position("Started Checkout");
                match (position("Placed Order"), position("Checkout Expired")) {
                    (Some(ordered), _) => {
                        bought += 1;
                        assert!(started.is_some_and(|started| started < ordered), "{cart_id}");
                    }
                    (None, Some(expiry)) => {
                        expired += 1;
                        assert!(started.is_some_and(|started| started < expiry), "{cart_id}");
                    }
                    (None, None) => left += 1,
                }
            }
            assert!(left > 10 && bought > 10 && expired > 10, "{}: {left} {bought} {expired}", spec.name);
        }
    }

    #[test]
    fn what_is_written_loads_again() {
        for spec in AudienceSpec::all() {
            let audience = generate(&spec, 1);
            let [contacts, events, responses] = texts(&audience);
            let (loaded, diagnostics) = Audience::load(AudienceSources {
                contacts: Some(Source::new("contacts.jsonl", contacts.as_bytes())),
                events: Some(Source::new("events.jsonl", events.as_bytes())),
                responses: Some(Source::new("responses.jsonl", responses.as_bytes())),
                mapping: None,
            });
            assert!(diagnostics.is_empty(), "{}: {diagnostics:?}", spec.name);
            assert_eq!(loaded.contacts, audience.contacts);
            assert_eq!(loaded.responses, audience.responses);
            let mut seen = BTreeSet::new();
            let mut once = audience.events;
            once.retain(|event| seen.insert(event.id.clone()));
            assert_eq!(loaded.events, once);
        }
    }
}
