//! The engine's threads in a seeded world: the real writer, the real office with its senders, callers beside each
//! other, below them a disk that fails and before them a server that lies ([`super::outside`]); stops, crashes, starts.
//!
//! The one idea: threads take turns as they like, so a seed does not play the same twice; all else (who asks what, what
//! the server says, when the clock jumps and the disk fails) is the seed's, and what must hold holds in every order. A
//! crash is a disk that takes nothing more: what the threads do after it is lost, as with a process that is gone.
//! When a world has come to rest: events that were acknowledged are there once; nothing was handed over twice without a
//! person's word; what is unknown stays so; caps are kept; everybody is done, waits or is held; the journal gives the
//! same states; everybody who asked was answered. After each fault the writer lives and holds as many claims as before.
//! `FLOWLOOM_CASES=17..18 cargo test --test main many_worlds_of_threads -- --ignored` plays a seed again.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant as Monotonic},
};

use flowloom::{
    audience::{Channel, ConsentStatus},
    base::{ContactId, Instant, SendKey},
    engine::{
        clock::Clock,
        delivery::{
            links::{Links, Watch},
            office::Office,
            pace::{Pace, Rates},
            render::Renderer,
            secrets::Secrets,
        },
        driver::Driver,
        handle::Handle,
        store::{Kind, Store},
        work::{History, NewContact, NewEvent, Order},
        writer::{self, Writer},
    },
    flow::{Flow, Sender, file},
    kinds::runtime::{Change, Outcome},
    testing::{Rng, engine::check_replay},
};

use super::{
    broken::event,
    disk::{Disk, Fault, Loss, VFS},
    look::Look,
    outside::{Call, Client, Counter, Outside, Way},
    scenes::{DAY, HOUR, Happenings, MINUTE, Scene, change, wanted},
};

/// At the end so much time passes without faults.
const CALM: i64 = 5 * DAY;
const PEOPLE: usize = 8;
/// Nothing that is waited for takes so long.
const LONG: Duration = Duration::from_secs(60);
/// Lines of what happened that are printed with a failure.
const LINES: usize = 80;
/// Worlds that are played at the same time: most of them wait for a thread.
const BESIDE: usize = 4;

/// Everybody who comes lets the team know: no cap, no consent, no quiet hours keep it back.
const PROBE: &str = r#"(version: 2, id: "probe", name: "Probe", nodes: [
    (id: "start", kind: "trigger", settings: (any: [event(event: "Probe")])),
    (id: "tell", kind: "internal_alert", settings: (to: ["team@probe.example"], subject: "Here", text: "Somebody")),
], edges: [(from: "start", to: "tell")])"#;

/// A process.
struct Life {
    handle: Handle,
    writer: JoinHandle<Driver>,
    office: Office,
    relay: JoinHandle<()>,
    most_claimed: usize,
}

struct World {
    seed: u64,
    rng: Rng,
    disk: Disk,
    outside: Arc<Outside>,
    scene: Scene,
    happenings: Happenings,
    clients: Vec<Client>,
    life: Option<Life>,
    lives: usize,
    /// Contacts that came to probe.
    probes: usize,
    forgets: bool,
    was_suppressed: bool,
    /// Its clock goes back now and then; then caps cannot be counted.
    goes_back: bool,
    went_back: bool,
}

impl Drop for World {
    fn drop(&mut self) {
        if thread::panicking() {
            let lines = self.outside.lines();
            let from = lines.len().saturating_sub(LINES);
            eprintln!("seed {}\n{}", self.seed, lines[from..].join("\n"));
            // Nobody waits for ever on whoever fails.
            self.outside.shut(false);
            if let Some(life) = &self.life {
                life.handle.stop();
            }
        }
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let mut scene = Scene::of(seed, &mut rng);
        if scene.workspace.senders.is_empty() {
            let (id, email) = ("shop".into(), "hello@shop.example".into());
            scene.workspace.senders.push(Sender { id, name: "Shop".into(), email, reply_to: None });
        }
        // Enough people that several mails are under way at once, to some domains.
        for n in scene.people.len()..PEOPLE {
            let mut contact = scene.people[n % 3].clone();
            contact.id = ContactId::new(format!("{}-{n}", contact.id));
            contact.email = contact.email.map(|_| format!("p{n}@d{}.example", n % 3).into());
            scene.people.push(contact);
        }
        let outside = Outside::new(seed, Clock::fake(scene.from), rng.percent(40), rng.percent(25));
        let clients = (0..3).map(|n| outside.client(n)).collect();
        let mut world = Self {
            seed,
            disk: Disk::new(seed),
            outside,
            scene,
            happenings: Happenings::default(),
            clients,
            life: None,
            lives: 0,
            probes: 0,
            forgets: rng.percent(10),
            was_suppressed: false,
            goes_back: rng.percent(25),
            went_back: false,
            rng,
        };
        world.start();
        world
    }

    fn now(&self) -> Instant {
        self.outside.clock.now()
    }

    #[track_caller]
    fn fail(&self, why: &str) -> ! {
        panic!("seed {}: {why}", self.seed);
    }

    #[track_caller]
    fn hold(&self, what: Result<(), String>) {
        if let Err(why) = what {
            self.fail(&why);
        }
    }

    /// Waits for something that comes by itself.
    #[track_caller]
    fn until(&self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let begun = Monotonic::now();
        while !is_so(self) {
            if begun.elapsed() > LONG {
                self.fail(&format!("waits for ever: {what}\n{}", Look::of(&self.disk).outbox()));
            }
            thread::sleep(Duration::from_micros(300));
        }
    }

    fn life(&self) -> &Life {
        self.life.as_ref().expect("runs")
    }

    // ---- starts and ends -----------------------------------------------------------------------------------------

    /// A process starts, again and again until it runs; the disk may fail meanwhile, too.
    fn start(&mut self) {
        let mut driver = None;
        for attempt in 0.. {
            if attempt > 0 || self.disk.is_down() {
                let loss = if self.rng.percent(30) { Loss::Nothing } else { Loss::Power };
                self.disk.boot(loss);
                self.outside.note(format!("boots after {loss:?}"));
            }
            if attempt < 3 && self.lives > 0 && self.rng.percent(25) {
                self.disk.plan(&[Fault::Crash(1 + self.rng.below(30) as u64)]);
            }
            match self.begun() {
                Ok(begun) => {
                    driver = Some(begun);
                    break;
                }
                Err(error) => {
                    self.outside.note(format!("does not start: {error}"));
                    let is_meant = matches!(error.kind, Kind::Io | Kind::Full) && self.disk.is_faulty();
                    if !is_meant || attempt > 10 {
                        self.fail(&format!("does not start: {error:?}"));
                    }
                    self.disk.stop();
                }
            }
        }
        let driver = driver.expect("one of them starts");
        self.check(&driver);
        self.lives += 1;
        let (handle, asks) = Handle::new();
        let (jobs, claimed) = mpsc::channel();
        let (passed, work) = mpsc::channel();
        let most_claimed = [1, 1, 2, 3, 8][self.rng.below(5)];
        let clock = self.outside.clock.clone();
        let keep_days = self.rng.percent(50).then_some(400);
        let writer = Writer { driver, clock, jobs, most_claimed, keep_days, hear: Box::new(|_, _| {}) };
        let own = handle.clone();
        let work_of_writer = move || writer::run(writer, own, &asks);
        let writer = thread::Builder::new().name("writer".to_owned()).spawn(work_of_writer).expect("starts");
        let pace = Arc::new(Pace::new(Rates::NONE));
        self.outside.begin(pace.clone());
        let relay = self.outside.relay(claimed, passed);
        let desk = Arc::new(Counter { handle: handle.clone(), outside: self.outside.clone() });
        let links = Links::new(&[1; 32], "https://mail.shop.example", Watch::default());
        let renderer = Arc::new(Renderer::new(links, Secrets::default()));
        let way = Arc::new(Way(self.outside.clone()));
        let office = Office::open(work, desk, renderer, (way, pace), 1 + self.rng.below(4)).expect("opens");
        self.outside.note(format!("life {}, {most_claimed} claims at most", self.lives));
        self.life = Some(Life { handle, writer, office, relay, most_claimed });
    }

    /// What a process does before it has threads.
    fn begun(&self) -> Result<Driver, flowloom::engine::store::Error> {
        let now = self.now();
        let mut driver = Driver::on(Store::open_on(&self.disk.path(), VFS)?)?;
        let left = |key: &_| self.outside.knows.then(|| self.outside.ledger(|ledger| ledger.left(key) > 0));
        driver.batch(now, |driver| driver.recover(now, &left))?;
        if driver.flows().live().next().is_none() {
            driver.batch(now, |driver| {
                for flow in &self.scene.flows {
                    driver.order(now, "start", &self.publish(flow))?.expect("is published");
                }
                for contact in &self.scene.people {
                    let past = History { contact: contact.clone(), events: Vec::new(), suppressed: false };
                    driver.history(now, &past)?;
                }
                Ok(())
            })?;
        }
        Ok(driver)
    }

    fn publish(&self, flow: &Flow) -> Order {
        Order::Publish { flow: Box::new(flow.clone()), workspace: Box::new(self.scene.workspace.clone()) }
    }

    /// The account and the file, while nothing runs.
    fn check(&self, driver: &Driver) {
        self.disk.unharmed(|| {
            let look = Look::of(&self.disk);
            let is_whole = self.outside.ledger(|ledger| ledger.forgotten.is_empty());
            self.hold(look.check(driver.flows(), is_whole));
            self.hold(self.outside.ledger(|ledger| ledger.check_events(&look)));
            self.hold(self.outside.ledger(|ledger| ledger.check_unknown(&look)));
            // What is read live stands in no journal.
            if self.was_suppressed {
                return;
            }
            for contact in &self.scene.people {
                let is_known = driver.store().contact_number(contact.id.as_str()).is_ok_and(|n| n.is_some());
                let is_forgotten = self.outside.ledger(|ledger| ledger.forgotten.contains(&contact.id));
                if is_known && !is_forgotten {
                    self.hold(check_replay(driver, contact.id.as_str()));
                }
            }
        });
        self.hold(self.outside.wrong().map_or(Ok(()), Err));
    }

    /// The process is told to end: in order, its writer first, or by a disk that takes nothing more.
    fn end(&mut self, how: usize) {
        self.outside.note(format!("ends, {}", ["in order", "its writer first", "by a crash"][how.min(2)]));
        if self.life().writer.is_finished() {
            self.fail("the writer is gone");
        }
        let Life { handle, writer, office, relay, .. } = self.life.take().expect("runs");
        let mut office = Some(office);
        match how {
            0 => {
                self.disk.plan(&[]);
                office.take().into_iter().for_each(Office::close);
            }
            1 => {}
            _ => self.disk.stop(),
        }
        handle.stop();
        // A writer that cannot write tries some times more, and every look is a try.
        self.until("the writer ends", |_| {
            handle.look();
            writer.is_finished()
        });
        let driver = writer.join().unwrap_or_else(|_| self.fail("the writer broke off"));
        office.into_iter().for_each(Office::close);
        relay.join().expect("ends");
        self.until("an answer", |world| world.outside.is_answered());
        if how == 0 {
            self.check(&driver);
        } else if !self.disk.is_down() {
            self.disk.plan(&[]);
        }
        drop(driver);
        self.hold(self.outside.wrong().map_or(Ok(()), Err));
    }

    // ---- what happens --------------------------------------------------------------------------------------------

    fn give(&mut self, call: Call) {
        let client = self.rng.below(self.clients.len());
        self.clients[client].ask(&self.life().handle, call);
    }

    fn jump(&mut self, millis: i64) {
        self.went_back |= millis < 0;
        self.outside.set_clock(self.now().plus_millis(millis));
        self.life().handle.look();
    }

    fn events(&mut self) -> Call {
        let now = self.now();
        let num = 1 + self.rng.below(6);
        let items = (0..num).map(|_| self.happenings.next(&self.scene, now, &mut self.rng)).collect::<Vec<_>>();
        let is_known = |item: &NewEvent| self.outside.ledger(|ledger| !ledger.forgotten.contains(&item.contact));
        Call::Events(items.into_iter().filter(is_known).collect())
    }

    fn order(&mut self) {
        let mut dice = self.rng.below(if self.forgets { 15 } else { 14 });
        // Journeys are for the worlds without threads.
        if matches!(dice, 11 | 12) {
            dice = 9;
        }
        let disk = &self.disk;
        let settled = |outcome: Outcome| {
            let keys = Look::of(disk).sends(outcome.name());
            keys.iter().filter_map(|key| SendKey::parse(key)).collect()
        };
        let Some(order) = self.scene.order(dice, &mut self.rng, settled) else { return };
        self.was_suppressed |= matches!(order, Order::Suppress { .. });
        if let Order::Forget { contact } = &order {
            self.happenings.forget(contact);
            self.outside.ledger(|ledger| ledger.forgotten.insert(contact.clone()));
        }
        if self.outside.means(&order) {
            self.give(Call::Order(order));
        }
    }

    fn fault(&mut self) {
        let (at, count) = (1 + self.rng.below(40) as u64, 1 + self.rng.below(30) as u64);
        let fault = match self.rng.below(10) {
            0 | 1 => Fault::Crash(at),
            2 | 3 => Fault::Fails(at, count),
            // Until somebody makes room.
            4 | 5 => Fault::Full(at, u64::MAX),
            6 => Fault::Full(at, 3 * count),
            7 | 8 => Fault::SyncFails(at, count),
            _ => Fault::ReadFails(at, count),
        };
        self.outside.note(format!("{fault:?}"));
        self.disk.plan(&[fault]);
    }

    /// Some things at once.
    fn round(&mut self) {
        match self.rng.below(10) {
            0 | 1 => self.fault(),
            2 | 3 => self.disk.plan(&[]),
            _ => {}
        }
        let millis = match self.rng.below(20) {
            0..=3 => 0,
            4..=9 => self.rng.range(0, 2 * MINUTE),
            10..=16 => self.rng.range(0, 50 * MINUTE),
            17 | 18 => self.rng.range(0, 7 * HOUR),
            _ if !self.goes_back || self.rng.percent(50) => self.rng.range(8 * HOUR, 3 * DAY),
            _ => -self.rng.range(0, 20 * HOUR),
        };
        self.jump(millis);
        let again = self.outside.again();
        if !again.is_empty() {
            self.give(Call::Events(again));
        }
        for _ in 0..self.rng.below(4) {
            let call = if self.rng.percent(80) {
                self.events()
            } else {
                let id = self.scene.person(&mut self.rng).id.clone();
                Call::Contacts(vec![NewContact { id, change: change(&mut self.rng) }])
            };
            self.give(call);
        }
        if self.rng.percent(30) {
            self.order();
        }
        match self.rng.below(4) {
            0 => {}
            1 => self.until("an answer", |world| world.outside.is_answered()),
            _ => thread::sleep(Duration::from_micros(self.rng.range(0, 3_000).unsigned_abs())),
        }
        self.hold(self.outside.wrong().map_or(Ok(()), Err));
    }

    /// Lives one after the other, then a calm time at the end of which nothing is left undone.
    fn play(&mut self) {
        let lives = 1 + self.rng.below(4);
        for life in 1..=lives {
            for _ in 0..8 + self.rng.below(24) {
                if self.disk.is_down() {
                    break;
                }
                self.round();
            }
            if life < lives {
                let how = if self.disk.is_down() { 2 } else { self.rng.below(3) };
                self.end_and_start(how);
            }
        }
        self.calm();
    }

    fn end_and_start(&mut self, how: usize) {
        let how = if how == 0 && !self.probe() { 2 } else { how };
        self.end(how);
        self.start();
    }

    /// No fault any more; starts again where the disk is down.
    fn lift(&mut self) {
        loop {
            self.disk.plan(&[]);
            if !self.disk.is_down() {
                break;
            }
            self.end(2);
            self.start();
        }
    }

    /// Whatever happened in this life: as many claims are under way at once as may be, no fewer and no more, and what
    /// comes now leaves. `false` where the disk has crashed.
    fn probe(&mut self) -> bool {
        self.disk.plan(&[]);
        if self.disk.is_down() {
            return false;
        }
        self.until("an answer", |world| world.outside.is_answered());
        let most = self.life().most_claimed;
        let flow: Flow = file::read(PROBE).expect("reads").flow;
        let order = self.publish(&flow);
        let (from, to) = (self.probes, self.probes + most + 2);
        self.probes = to;
        let says_yes = Change { consent: vec![(Channel::Email, ConsentStatus::Subscribed)], ..Change::default() };
        let items = (from..to).map(|n| NewEvent {
            change: Some(says_yes.clone()),
            ..event(&format!("probe{n}"), &format!("probe-{n}"), "Probe")
        });
        let items = items.collect();
        self.outside.shut(true);
        for call in [Call::Order(order), Call::Events(items)] {
            self.clients[0].ask(&self.life().handle, call);
        }
        self.until("an answer", |world| world.outside.is_answered());
        let mut equal = 0;
        self.until("as many claims as may be", |world| {
            let look = Look::of(&world.disk);
            let num = look.sends("claimed").len() + look.sends("handing_over").len();
            if num > most {
                world.fail(&format!("{num} claims at once, {most} may be"));
            }
            equal = if num == most { equal + 1 } else { 0 };
            equal > 2
        });
        self.outside.shut(false);
        let is_probe = |key: &&String| key.starts_with("probe-");
        self.until("what comes now leaves", |world| {
            Look::of(&world.disk).sends("sent").iter().filter(is_probe).count() == to
        });
        true
    }

    fn calm(&mut self) {
        self.lift();
        // A lane that asked for patience has it until the next start.
        if self.outside.is_impatient {
            self.end_and_start(0);
            self.lift();
        }
        self.until("an answer", |world| world.outside.is_answered());
        self.outside.calm();
        self.outside.note("calm".to_owned());
        let until = self.now().plus_millis(CALM);
        for round in 0.. {
            if round > 2_000 {
                self.fail("there is always something to do");
            }
            let again = self.outside.again();
            let is_quiet = again.is_empty();
            self.give(if is_quiet { Call::Nothing } else { Call::Events(again) });
            self.until("an answer", |world| world.outside.is_answered() && world.outside.under_way() == 0);
            self.hold(self.outside.wrong().map_or(Ok(()), Err));
            let left = until.since(self.now());
            if left > 0 {
                let millis = self.rng.range(HOUR, 9 * HOUR).min(left);
                self.jump(millis);
            } else if is_quiet && self.outside.is_told() && Look::of(&self.disk).rest(until).is_ok() {
                break;
            } else if round > 1_900 {
                self.hold(Look::of(&self.disk).rest(until));
            }
        }
        if !self.probe() {
            self.fail("the disk is down");
        }
        assert_eq!(self.life().handle.waiting(), 0, "seed {}", self.seed);
        self.end(0);
        self.hold(Look::of(&self.disk).rest(until));
        let unsafe_one = self.outside.ledger(|ledger| {
            let mut all = ledger.events.iter();
            let is_lost = |contact, id: &str| !ledger.forgotten.contains(contact) && id.contains(':');
            all.find(|((contact, id), is_safe)| !**is_safe && is_lost(contact, id.as_str()))
                .map(|one| format!("{one:?}"))
        });
        assert_eq!(unsafe_one, None, "seed {}: responses are told until they are safe", self.seed);
        // By a clock that went back the windows of a day overlap.
        if !self.went_back {
            self.hold(self.outside.ledger(|ledger| ledger.check_caps(&self.scene.workspace)));
        }
    }
}

/// What the seeds came to, so that a world in which nothing happens is seen.
#[derive(Debug, Default)]
struct Sum(BTreeMap<&'static str, usize>);

impl Sum {
    fn add(&mut self, what: &'static str, count: usize) {
        *self.0.entry(what).or_default() += count;
    }

    fn world(&mut self, world: &World) {
        self.add("worlds", 1);
        self.add("lives", world.lives);
        world.outside.ledger(|ledger| {
            let real = ledger.hand_overs.iter().filter(|one| !one.key.journey.as_str().starts_with("probe-"));
            self.add("hand-overs", real.clone().count());
            self.add("left", real.filter(|one| one.left).count());
            self.add("events", ledger.events.values().filter(|is_safe| **is_safe).count());
        });
        let lines = world.outside.lines();
        let told = [
            ("crashes", "ends, by a crash"),
            ("told that the store fails", "told Store("),
            ("told that it stops", "told Stopping"),
            ("put off", "left false: Later"),
            ("unknown", ": Unknown"),
            ("sent back to wait", "Waits for its turn"),
        ];
        for (what, text) in told {
            self.add(what, lines.iter().filter(|line| line.contains(text)).count());
        }
    }
}

fn play_all(seeds: Range<u64>) {
    let count = seeds.end - seeds.start;
    let next = Arc::new(AtomicU64::new(seeds.start));
    let players = (0..BESIDE).map(|n| {
        let (next, end) = (next.clone(), seeds.end);
        let work = move || {
            let mut sum = Sum::default();
            loop {
                let seed = next.fetch_add(1, Ordering::SeqCst);
                if seed >= end {
                    return sum;
                }
                let mut world = World::new(seed);
                world.play();
                sum.world(&world);
                world.clients.drain(..).for_each(Client::end);
            }
        };
        thread::Builder::new().name(format!("world {n}")).spawn(work).expect("starts")
    });
    let players: Vec<JoinHandle<Sum>> = players.collect();
    let mut sum = Sum::default();
    for player in players {
        let of_player = player.join().expect("a seed above has failed");
        of_player.0.into_iter().for_each(|(what, count)| sum.add(what, count));
    }
    println!("{sum:?}");
    let few = sum.0.iter().filter(|(_, num)| **num * 40 < count as usize);
    assert!(count < 40 || few.count() == 0, "{sum:?}");
}

#[test]
fn worlds_of_threads() {
    play_all(0..40);
}

/// The long run: 2,000 worlds, or `FLOWLOOM_CASES=17..18`.
#[test]
#[ignore = "takes half an hour; in parts with FLOWLOOM_CASES"]
fn many_worlds_of_threads() {
    play_all(wanted(0..2_000));
}
