//! The world around an engine of threads: its mail server, the people who answer to mails, the programs that hand in.
//!
//! The one idea: what the server says is drawn by send key and try, whatever the order in which senders come. Nothing
//! here may fail by a panic (a sender would take it for the server's): what must not be is written down ([`wrong`]).
//!
//! [`wrong`]: Outside::wrong

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    panic::resume_unwind,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use flowloom::{
    base::{Instant, SendKey},
    engine::{
        clock::Clock,
        delivery::{
            Outgoing, Transport,
            office::Desk,
            pace::{Lane, Pace},
        },
        handle::Handle,
        work::{Answer, Begin, Busy, Handed, Job, NewContact, NewEvent, Order},
    },
    testing::Rng,
};

use super::ledger::Ledger;

/// What a lane that asks for patience asks for: more than the office lets anything wait.
const PATIENCE_MILLIS: u64 = 200_000;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whoever failed elsewhere says so.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A number that only the seed, a name and a count decide.
fn dice(seed: u64, name: &str, count: usize) -> Rng {
    let mut hash = Rng::new(seed ^ (count as u64) << 32).next_u64();
    for byte in name.bytes() {
        hash = Rng::new(hash ^ u64::from(byte)).next_u64();
    }
    Rng::new(hash)
}

/// What a client asks.
#[derive(Debug)]
pub enum Call {
    Events(Vec<NewEvent>),
    Contacts(Vec<NewContact>),
    Order(Order),
    /// Nothing: whoever gets the answer knows that a batch was written.
    Nothing,
}

#[derive(Default)]
struct Inside {
    ledger: Ledger,
    /// Claims on their way through the office.
    jobs: BTreeMap<(SendKey, u32), Job>,
    /// Hand-overs that were begun and have not come to the server: whose, and when.
    begun: BTreeMap<SendKey, (Job, Instant)>,
    /// How often each key came.
    tries: BTreeMap<SendKey, usize>,
    /// Events nobody was answered for: they come again.
    again: VecDeque<NewEvent>,
    /// Orders to send what is unknown once more that are under way.
    resends: BTreeSet<SendKey>,
    /// Nothing leaves, nothing is answered.
    is_shut: bool,
    /// Everybody means well.
    is_calm: bool,
    pace: Option<Arc<Pace>>,
    lines: Vec<String>,
    wrong: Vec<String>,
}

pub struct Outside {
    seed: u64,
    pub clock: Clock,
    /// The transport can say what left.
    pub knows: bool,
    /// Some lanes ask for patience.
    pub is_impatient: bool,
    /// The clock stands still while a hand-over begins, so that everybody agrees on its instant.
    still: RwLock<()>,
    inside: Mutex<Inside>,
    news: Condvar,
    asked: AtomicUsize,
    answered: AtomicUsize,
}

impl Outside {
    pub fn new(seed: u64, clock: Clock, knows: bool, is_impatient: bool) -> Arc<Self> {
        Arc::new(Self {
            seed,
            clock,
            knows,
            is_impatient,
            still: RwLock::default(),
            inside: Mutex::default(),
            news: Condvar::new(),
            asked: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
        })
    }

    pub fn set_clock(&self, at: Instant) {
        let _still = self.still.write().unwrap_or_else(PoisonError::into_inner);
        self.clock.set(at);
    }

    pub fn note(&self, line: String) {
        lock(&self.inside).lines.push(format!("{}  {line}", self.clock.now()));
    }

    pub fn ledger<T>(&self, work: impl FnOnce(&mut Ledger) -> T) -> T {
        work(&mut lock(&self.inside).ledger)
    }

    /// What happened so far.
    pub fn lines(&self) -> Vec<String> {
        lock(&self.inside).lines.clone()
    }

    /// What must not have been, the first of it.
    pub fn wrong(&self) -> Option<String> {
        lock(&self.inside).wrong.first().cloned()
    }

    /// Events that come again now.
    pub fn again(&self) -> Vec<NewEvent> {
        let mut inside = lock(&self.inside);
        let all: Vec<NewEvent> = inside.again.drain(..).collect();
        all.into_iter().filter(|item| !inside.ledger.forgotten.contains(&item.contact)).collect()
    }

    /// Whether nothing comes again.
    pub fn is_told(&self) -> bool {
        lock(&self.inside).again.is_empty()
    }

    pub fn calm(&self) {
        lock(&self.inside).is_calm = true;
    }

    /// A process begins: of the one before nothing is under way.
    pub fn begin(&self, pace: Arc<Pace>) {
        let mut inside = lock(&self.inside);
        inside.jobs.clear();
        inside.begun.clear();
        inside.pace = Some(pace);
    }

    /// Claims that are in the office, or on their way to the server or back.
    pub fn under_way(&self) -> usize {
        lock(&self.inside).jobs.len()
    }

    /// Nothing leaves any more, until it does.
    pub fn shut(&self, is_shut: bool) {
        lock(&self.inside).is_shut = is_shut;
        self.news.notify_all();
    }

    /// Whether everybody who asked has an answer.
    pub fn is_answered(&self) -> bool {
        self.asked.load(Ordering::SeqCst) == self.answered.load(Ordering::SeqCst)
    }

    /// Takes an order's meaning into the account; `false` where it is not to be given (now).
    pub fn means(&self, order: &Order) -> bool {
        let mut inside = lock(&self.inside);
        if let Order::Retry { key, resend: true } = order
            && !inside.resends.insert(key.clone())
        {
            return false;
        }
        inside.ledger.order(order, &[]);
        true
    }

    /// The relay between the writer and the office: remembers what was claimed.
    pub fn relay(self: &Arc<Self>, from: mpsc::Receiver<Job>, to: mpsc::Sender<Job>) -> JoinHandle<()> {
        let outside = self.clone();
        let work = move || {
            while let Ok(job) = from.recv() {
                lock(&outside.inside).jobs.insert((job.key.clone(), job.attempt), job.clone());
                if to.send(job).is_err() {
                    break;
                }
            }
        };
        thread::Builder::new().name("relay".to_owned()).spawn(work).expect("starts")
    }

    /// A client: asks what it is given, one after the other.
    pub fn client(self: &Arc<Self>, n: usize) -> Client {
        let outside = self.clone();
        let (send, calls) = mpsc::channel::<(Handle, Call)>();
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("starts");
            while let Ok((handle, call)) = calls.recv() {
                outside.ask(&runtime, &handle, call);
                outside.answered.fetch_add(1, Ordering::SeqCst);
            }
        };
        let thread = thread::Builder::new().name(format!("client {n}")).spawn(work).expect("starts");
        Client { outside: self.clone(), calls: send, thread }
    }

    fn ask(&self, runtime: &tokio::runtime::Runtime, handle: &Handle, call: Call) {
        let busy = match call {
            Call::Events(items) => {
                let answers = runtime.block_on(handle.events(items.clone()));
                let mut inside = lock(&self.inside);
                match answers {
                    Ok(answers) => {
                        if answers.len() != items.len() {
                            inside.wrong.push(format!("{} answers to {} events", answers.len(), items.len()));
                        }
                        for (item, answer) in items.into_iter().zip(answers) {
                            if matches!(answer, Answer::Refused { .. }) {
                                inside.wrong.push(format!("event {} is refused: {answer:?}", item.id));
                            }
                            inside.lines.push(format!("event {} of {}: {answer:?}", item.id, item.contact));
                            inside.ledger.events.insert((item.contact, item.id), true);
                        }
                        None
                    }
                    Err(busy) => {
                        // Who tells what became of a mail does not give up, others mostly.
                        let seed = self.seed;
                        let comes_again = |item: &NewEvent| {
                            item.id.as_str().contains(':') || dice(seed, item.id.as_str(), 0).percent(70)
                        };
                        inside.again.extend(items.into_iter().filter(comes_again));
                        Some(busy)
                    }
                }
            }
            Call::Contacts(items) => runtime.block_on(handle.contacts(items)).err(),
            Call::Order(order) => {
                let line = super::scenes::shown(&order);
                let said = runtime.block_on(handle.order("world", order.clone()));
                let mut inside = lock(&self.inside);
                if let Order::Retry { key, resend: true } = &order {
                    inside.resends.remove(key);
                }
                if inside.is_calm
                    && let Ok(Err(refusal)) = &said
                {
                    inside.wrong.push(format!("{line} is refused: {refusal:?}"));
                }
                inside.lines.push(format!("order {line}: {said:?}"));
                said.err()
            }
            Call::Nothing => runtime.block_on(handle.contacts(Vec::new())).err(),
        };
        let Some(busy) = busy else { return };
        let mut inside = lock(&self.inside);
        inside.lines.push(format!("told {busy:?}"));
        if inside.is_calm || matches!(busy, Busy::Full { .. }) {
            inside.wrong.push(format!("without a reason a caller is told {busy:?}"));
        }
    }
}

/// A thread that asks.
pub struct Client {
    outside: Arc<Outside>,
    calls: mpsc::Sender<(Handle, Call)>,
    thread: JoinHandle<()>,
}

impl Client {
    pub fn ask(&self, handle: &Handle, call: Call) {
        if let Call::Events(items) = &call {
            self.outside.ledger(|ledger| {
                for item in items {
                    ledger.events.entry((item.contact.clone(), item.id.clone())).or_insert(false);
                }
            });
        }
        self.outside.asked.fetch_add(1, Ordering::SeqCst);
        self.calls.send((handle.clone(), call)).expect("a client listens");
    }

    pub fn end(self) {
        drop(self.calls);
        self.thread.join().expect("a client ends");
    }
}

/// The desk, as senders meet it.
pub struct Counter {
    pub handle: Handle,
    pub outside: Arc<Outside>,
}

impl Desk for Counter {
    fn begin(&self, key: &SendKey, attempt: u32, mail: Option<Vec<u8>>) -> Begin {
        let _still = self.outside.still.read().unwrap_or_else(PoisonError::into_inner);
        let begin = self.handle.begin(key, attempt, mail);
        let mut inside = lock(&self.outside.inside);
        inside.lines.push(format!("begin {key} attempt {attempt}: {begin:?}"));
        let claim = (key.clone(), attempt);
        match begin {
            Begin::Go => {
                if let Some(job) = inside.jobs.get(&claim).cloned() {
                    inside.begun.insert(key.clone(), (job, self.outside.clock.now()));
                } else {
                    inside.wrong.push(format!("{key} begins without a claim"));
                }
            }
            Begin::No => drop(inside.jobs.remove(&claim)),
        }
        begin
    }

    fn settle(&self, key: &SendKey, attempt: u32, handed: Handed) {
        let line = format!("settles {key} attempt {attempt}: {handed:?}");
        self.handle.settle(key, attempt, handed);
        let mut inside = lock(&self.outside.inside);
        inside.jobs.remove(&(key.clone(), attempt));
        inside.lines.push(line);
    }
}

/// The mail server, and whoever is called.
pub struct Way(pub Arc<Outside>);

impl Transport for Way {
    fn hand_over(&self, outgoing: &Outgoing) -> Handed {
        let (outside, key) = (&*self.0, &outgoing.key);
        let mut inside = lock(&outside.inside);
        while inside.is_shut {
            inside = outside.news.wait(inside).unwrap_or_else(PoisonError::into_inner);
        }
        let tries = inside.tries.entry(key.clone()).or_default();
        *tries += 1;
        let mut rng = dice(outside.seed, &key.to_string(), *tries);
        let means_well = inside.is_calm || key.journey.as_str().starts_with("probe-");
        let number = if means_well { 0 } else { rng.below(100) };
        let slow = if means_well { 0 } else { rng.range(-30, 6).max(0).unsigned_abs() };
        let Some((job, at)) = inside.begun.remove(key) else {
            inside.wrong.push(format!("{key} comes without a word of the writer"));
            return Handed::Done;
        };
        let unknown = |detail: &str| Handed::Unknown { detail: detail.to_owned() };
        let (left, handed) = match number {
            0..=54 => (true, Handed::Done),
            55..=66 => {
                let after_millis = rng.percent(50).then(|| 1_000 * rng.below(20_000) as u64);
                (false, Handed::Later { detail: "451".to_owned(), after_millis })
            }
            67..=74 => (false, Handed::No { detail: "550".to_owned(), bad_address: rng.percent(30) }),
            75..=84 => (true, unknown("cut after it was taken")),
            85..=92 => (rng.percent(50), unknown("no answer after DATA")),
            _ => (rng.percent(50), unknown("breaks")),
        };
        if matches!(handed, Handed::Later { .. })
            && outside.is_impatient
            && let Some(pace) = &inside.pace
        {
            pace.slow_down(&Lane::of(outgoing), Some(PATIENCE_MILLIS));
        }
        if let Err(why) = inside.ledger.hand_over(&job, at, left) {
            inside.wrong.push(why);
        }
        // Where the transport can tell, a start after a crash asks it, and may send what it says has not left.
        if matches!(handed, Handed::Unknown { .. }) && !outside.knows {
            inside.ledger.unknown(key);
        }
        let line = format!("{}  serves {key}, begun {at}, left {left}: {handed:?}", outside.clock.now());
        inside.lines.push(line);
        if left && rng.percent(30) {
            let response = super::scenes::response(&job, &mut rng);
            if let Some(item) = response.filter(|item| !inside.ledger.forgotten.contains(&item.contact)) {
                inside.ledger.events.entry((item.contact.clone(), item.id.clone())).or_insert(false);
                inside.again.push_back(item);
            }
        }
        drop(inside);
        if slow > 0 {
            thread::sleep(Duration::from_millis(slow));
        }
        if number > 92 {
            // Without a word on the screen.
            resume_unwind(Box::new("the transport breaks"));
        }
        handed
    }

    fn has_left(&self, key: &SendKey) -> Option<bool> {
        self.0.knows.then(|| self.0.ledger(|ledger| ledger.left(key) > 0))
    }
}
