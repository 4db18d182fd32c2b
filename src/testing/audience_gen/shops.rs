//! The trades of the samples: what each shop sells, and which stories its visitors live through most.

use super::{AudienceSpec, EventNames, Product, Story};
use crate::base::NodeId;

impl AudienceSpec {
    fn shop(name: &str, products: Vec<Product>) -> Self {
        Self {
            name: name.to_owned(),
            site: format!("https://{name}.example.com"),
            num_contacts: 66,
            min_events: 1_600,
            currency: "EUR",
            lifetime_as_money: true,
            vip_percent: 20,
            products,
            names: EventNames::default(),
            stories: vec![
                (Story::Browse, 20),
                (Story::PageExit, 8),
                (Story::PremiumLeft, 4),
                (Story::CartLeft, 14),
                (Story::CheckoutLeft, 14),
                (Story::Returned, 6),
                (Story::Bought, 12),
                (Story::Video, 6),
                (Story::ThreeViews, 5),
                (Story::MixedSignals, 5),
                (Story::Trajectory, 6),
            ],
            mails: ["mail-1", "mail-2", "mail-3"].map(|node| (None, NodeId::new(node))).to_vec(),
        }
    }

    /// The same with one story told more often.
    fn with_more(mut self, story: Story, weight: usize) -> Self {
        for (known, old) in &mut self.stories {
            if *known == story {
                *old = weight;
            }
        }
        self
    }

    /// A shop for watches: expired checkouts and left carts, from cheap straps to carts over 1,000.
    pub fn watch_shop() -> Self {
        Self::shop(
            "watches",
            vec![
                product("harbour-38", "Harbour 38 Automatic", "watches", 64_900, false),
                product("blue-42", "Diver \"Blue 42\"", "watches", 89_000, false),
                product("moon-40", "Moonphase 40", "watches", 124_500, true),
                product("chrono-r", "Chrono R & Tachymeter", "watches", 179_000, true),
                product("field-36", "Field 36", "watches", 29_900, false),
                product("strap-oak", "Oak-tanned strap", "straps", 5_900, false),
                product("strap-steel", "Steel bracelet", "straps", 11_900, false),
                product("winder", "Watch winder <single>", "accessories", 14_900, false),
            ],
        )
        .with_more(Story::CheckoutLeft, 26)
        .with_more(Story::CartLeft, 20)
    }

    /// A maker of leather bags: carts, and reminders that must not crowd.
    pub fn leather_bags() -> Self {
        Self::shop(
            "bags",
            vec![
                product("tote-hazel", "Tote Hazel", "totes", 24_900, false),
                product("satchel-no2", "Satchel Nº 2", "satchels", 31_900, false),
                product("weekender", "Weekender \"Lärche\"", "travel", 54_900, true),
                product("briefcase", "Briefcase Jour & Nuit", "work", 48_900, true),
                product("wallet-slim", "Slim wallet", "small leather", 6_900, false),
                product("balm", "Leather balm", "care", 1_900, false),
            ],
        )
        .with_more(Story::CartLeft, 30)
    }

    /// A school that sells video courses.
    pub fn video_course() -> Self {
        let mut spec = Self::shop(
            "courses",
            vec![
                product("light-101", "Light & Lens: first steps", "photography", 4_900, false),
                product("portrait", "Portraits that speak", "photography", 12_900, false),
                product("edit-pro", "Editing like a pro", "editing", 19_900, false),
                product("mentor", "Six weeks with a mentor", "mentoring", 69_000, true),
                product("sound", "Sound for film", "film", 9_900, false),
            ],
        )
        .with_more(Story::Video, 40);
        spec.lifetime_as_money = false;
        spec
    }

    /// A house of fine things: many VIPs, pieces that are looked at for long.
    pub fn luxury() -> Self {
        let mut spec = Self::shop(
            "maison",
            vec![
                product("ring-aurora", "Ring Aurora", "jewellery", 289_000, true),
                product("pendant-nuit", "Pendant L'Étoile de Nuit", "jewellery", 149_000, true),
                product("scarf-iris", "Silk scarf Iris", "silk", 32_000, false),
                product("case-walnut", "Walnut jewel case", "home", 46_000, false),
                product("perfume-7", "Parfum 7", "perfume", 18_500, false),
            ],
        )
        .with_more(Story::PremiumLeft, 30)
        .with_more(Story::PageExit, 12);
        spec.vip_percent = 50;
        spec
    }

    /// A shop for electronics: dear things looked at three times.
    pub fn electronics() -> Self {
        let mut spec = Self::shop(
            "volt",
            vec![
                product("oled-65", "OLED screen 65\"", "screens", 189_900, true),
                product("laptop-14", "Laptop 14 Pro", "computers", 164_900, true),
                product("camera-x", "Camera X Mark II", "cameras", 129_900, true),
                product("headphones", "Headphones Quiet 3", "audio", 27_900, false),
                product("charger", "Charger 65 W & cable", "accessories", 3_900, false),
                product("router", "Mesh router <3 pack>", "network", 21_900, false),
            ],
        )
        .with_more(Story::ThreeViews, 26)
        .with_more(Story::MixedSignals, 12);
        spec.lifetime_as_money = false;
        spec.currency = "USD";
        spec
    }

    /// A shop for clothes: many small carts, all stories.
    pub fn fashion() -> Self {
        Self::shop(
            "moda",
            vec![
                product("coat-wool", "Wool coat \"Novembre\"", "coats", 22_900, true),
                product("dress-linen", "Linen dress", "dresses", 8_900, false),
                product("jeans-straight", "Straight jeans", "trousers", 6_900, false),
                product("tee-white", "White T-shirt", "basics", 1_900, false),
                product("boots", "Ankle boots & care set", "shoes", 14_900, false),
                product("hat", "Felt hat", "accessories", 4_900, false),
            ],
        )
        .with_more(Story::Trajectory, 20)
        .with_more(Story::Browse, 26)
    }

    /// All ready-made specs.
    pub fn all() -> Vec<Self> {
        vec![
            Self::watch_shop(),
            Self::leather_bags(),
            Self::video_course(),
            Self::luxury(),
            Self::electronics(),
            Self::fashion(),
        ]
    }
}

const fn product(
    id: &'static str,
    name: &'static str,
    category: &'static str,
    price_cents: i64,
    premium: bool,
) -> Product {
    Product { id, name, category, price_cents, premium }
}
