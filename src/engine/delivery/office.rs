//! The sender threads: render, ask, hand over, settle; one message after the other.
//!
//! The one idea: jobs stand in a queue per lane, and lanes take turns, so that a slow domain or a large mailing keeps
//! nobody else waiting; each message's fault is its own (SEMANTICS R29). What the queue cannot take goes back to the
//! writer untouched, to come again. Deliberately not here: what may leave (`journey`), what is claimed (the writer).

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Bound,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{
    Transport, fault,
    pace::{self, Lane, Pace},
    render::Renderer,
};
use crate::{
    audience::Channel,
    base::SendKey,
    engine::{
        Handle,
        work::{Begin, Handed, Job},
    },
    journey::IntentWhat,
    kinds::{prepared::Prepared, runtime::Reason},
};

/// The writer's desk: asked just before each hand-over, told after it.
pub trait Desk: Send + Sync {
    /// May this claim go to its transport now? What is kept as sent comes along.
    fn begin(&self, key: &SendKey, attempt: u32, mail: Option<Vec<u8>>) -> Begin;

    /// What became of a claim.
    fn settle(&self, key: &SendKey, attempt: u32, handed: Handed);
}

impl Desk for Handle {
    fn begin(&self, key: &SendKey, attempt: u32, mail: Option<Vec<u8>>) -> Begin {
        Self::begin(self, key, attempt, mail)
    }

    fn settle(&self, key: &SendKey, attempt: u32, handed: Handed) {
        Self::settle(self, key, attempt, handed);
    }
}

/// Sender threads where nothing else is said.
pub const SENDERS: usize = 4;
/// Jobs that wait in the office, in all. Bounds its memory (a job holds its contact) and how old a job may be when its
/// turn comes. Who claims sends claims a few more than this, or a slow lane would keep the others out.
pub const MOST_WAITING: usize = 1_000;
/// Jobs of one lane that wait here, so that one lane cannot fill the office.
const MOST_IN_LANE: usize = 500;
/// How often a thread that waits looks whether it is to stop.
const GLANCE: Duration = Duration::from_millis(200);

/// So long answers are waited for when the engine stops. Source: assumption; systemd kills after 90 s, the studio after
/// 60 s.
const LAST_ANSWERS: Duration = Duration::from_secs(20);

/// The threads at work.
pub struct Office {
    queue: Arc<Queue>,
    way: Arc<dyn Transport>,
    threads: Vec<JoinHandle<()>>,
}

impl std::fmt::Debug for Office {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Office({} threads, {} waiting)", self.threads.len(), self.queue.waiting())
    }
}

/// What every sender needs.
struct Sender {
    queue: Arc<Queue>,
    desk: Arc<dyn Desk>,
    renderer: Arc<Renderer>,
    way: Arc<dyn Transport>,
    pace: Arc<Pace>,
}

impl Office {
    /// Starts so many senders (at least 1) that take jobs from a channel until it is closed or the office is.
    ///
    /// Errors: threads that cannot be started.
    pub fn open(
        jobs: mpsc::Receiver<Job>,
        desk: Arc<dyn Desk>,
        renderer: Arc<Renderer>,
        (way, pace): (Arc<dyn Transport>, Arc<Pace>),
        senders: usize,
    ) -> Result<Self, String> {
        let queue = Arc::new(Queue::default());
        let mut office = Self { queue: queue.clone(), way: way.clone(), threads: Vec::new() };
        for n in 1..=senders.max(1) {
            let sender = Sender {
                queue: queue.clone(),
                desk: desk.clone(),
                renderer: renderer.clone(),
                way: way.clone(),
                pace: pace.clone(),
            };
            office.start(format!("sender {n}"), move || sender.work())?;
        }
        office.start("porter".to_owned(), move || porter(&jobs, &queue, &*desk, &pace))?;
        Ok(office)
    }

    fn start(&mut self, name: String, work: impl FnOnce() + Send + 'static) -> Result<(), String> {
        match thread::Builder::new().name(name).spawn(work) {
            Ok(thread) => self.threads.push(thread),
            Err(error) => {
                self.queue.stop();
                return Err(format!("No thread can be started for sending: {error}"));
            }
        }
        Ok(())
    }

    /// Jobs that wait here for their turn.
    pub fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    /// Whether a send that was *handing over* before a crash has left; see [`Transport::has_left`].
    pub fn has_left(&self, key: &SendKey) -> Option<bool> {
        self.way.has_left(key)
    }

    /// Stops: what is on its way is finished and settled, what waits stays claimed and is taken over at the next start.
    /// A server that does not answer is not waited for: what it was told of is *unknown* at the next start.
    pub fn close(self) {
        self.close_within(LAST_ANSWERS);
    }

    #[expect(clippy::disallowed_methods, reason = "how long a server is waited for is the machine's time")]
    fn close_within(self, time: Duration) {
        self.queue.stop();
        let begun = std::time::Instant::now();
        while self.threads.iter().any(|thread| !thread.is_finished()) {
            if begun.elapsed() > time {
                tracing::warn!("a server does not answer: what it was told of will be unknown");
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        self.way.close();
    }
}

/// Brings jobs from the channel into the queue.
fn porter(jobs: &mpsc::Receiver<Job>, queue: &Queue, desk: &dyn Desk, pace: &Pace) {
    while !queue.is_stopped() {
        let job = match jobs.recv_timeout(GLANCE) {
            Ok(job) => job,
            Err(mpsc::RecvTimeoutError::Timeout) => continue,
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
        };
        let lane = lane_of(&job);
        if let Err(job) = queue.put(&lane, job, pace) {
            send_back(&job, &lane, pace, desk);
        }
    }
    queue.no_more();
}

/// Gives a job back, to be claimed anew when there is a place for it: it is not late by its own fault, but its contact
/// may change while it waits.
fn send_back(job: &Job, lane: &Lane, pace: &Pace, desk: &dyn Desk) {
    let to = if lane.to.is_empty() { "text messages" } else { lane.to.as_str() };
    let detail = format!("Waits for its turn: too many for {to} at once, or it asked for patience");
    desk.settle(&job.key, job.attempt, Handed::NotYet { detail, after_millis: pace.promise(lane) });
}

/// The lane of a job, before it is rendered.
fn lane_of(job: &Job) -> Lane {
    let node = job.version.place_of(&job.key.node).and_then(|at| job.version.nodes.get(at));
    match (&job.what, node.map(|node| &node.prepared)) {
        (IntentWhat::Message { channel: Channel::Sms, .. }, _) => Lane::texts(),
        (IntentWhat::Webhook, Some(Prepared::Webhook(webhook))) => Lane::of_url(&webhook.url),
        (IntentWhat::Alert, Some(Prepared::InternalAlert(alert))) => {
            Lane::of_address(alert.to.first().map_or("", String::as_str))
        }
        _ => Lane::of_address(job.contact.contact.email.as_deref().unwrap_or("")),
    }
}

impl Sender {
    fn work(&self) {
        while let Some(turn) = self.queue.take(&self.pace) {
            match turn {
                Turn::Send(job) => self.send(&job),
                Turn::Back(lane, jobs) => {
                    jobs.iter().for_each(|job| send_back(job, &lane, &self.pace, &*self.desk));
                }
            }
        }
    }

    /// One message from its job to its settlement. Whatever goes wrong in it stays in it.
    fn send(&self, job: &Job) {
        // Parsers and renderers of others stand behind this; a fault in one must not end the thread.
        let rendered = catch_unwind(AssertUnwindSafe(|| self.renderer.render(job)))
            .unwrap_or_else(|_| Err(fault("Rendering broke off; look at the message's content")));
        let outgoing = match rendered {
            Ok(outgoing) => outgoing,
            Err(handed) => return self.settle(job, handed),
        };
        if self.desk.begin(&job.key, job.attempt, outgoing.kept()) == Begin::No {
            return;
        }
        let handed = catch_unwind(AssertUnwindSafe(|| self.way.hand_over(&outgoing)));
        let broke = |_| Handed::Unknown { detail: "The hand-over broke off; it may have left".to_owned() };
        self.settle(job, handed.unwrap_or_else(broke));
    }

    fn settle(&self, job: &Job, handed: Handed) {
        let handed = match handed {
            Handed::Later { detail, after_millis } => match put_off(job, after_millis) {
                Some(after) => Handed::Later { detail, after_millis: Some(after) },
                None => given_up(job, Reason::NoAnswer, &detail),
            },
            Handed::Ours { detail, after_millis } => match put_off(job, after_millis) {
                Some(after) => Handed::Ours { detail, after_millis: Some(after) },
                None => given_up(job, Reason::Rejected, &detail),
            },
            other => other,
        };
        self.desk.settle(&job.key, job.attempt, handed);
    }
}

/// After how many milliseconds something is tried again: by its own schedule, or as long after as the other side asked
/// for. `None` where the schedule is used up.
fn put_off(job: &Job, asked: Option<u64>) -> Option<u64> {
    let age = job.contact.send(&job.key).map(|send| job.now.since(send.since));
    // A call ends with its step, which has a time-out of its own.
    if job.what != IntentWhat::Webhook && pace::is_given_up(job.attempt, age) {
        return None;
    }
    let own = pace::back_off_millis(&job.key, job.attempt).unsigned_abs();
    Some(own.max(asked.unwrap_or(0).min(pace::LONGEST_ASKED_MILLIS.unsigned_abs())))
}

fn given_up(job: &Job, reason: Reason, detail: &str) -> Handed {
    Handed::Held { reason, detail: format!("Given up after {} tries. The last one: {detail}", job.attempt) }
}

/// What a sender is to do next.
enum Turn {
    /// Its lane has a place, which is taken.
    Send(Box<Job>),
    /// Their lane will not have one for long.
    Back(Lane, VecDeque<Job>),
}

/// Jobs by lane; lanes take turns.
#[derive(Default)]
struct Queue {
    state: Mutex<Lines>,
    news: Condvar,
}

#[derive(Default)]
struct Lines {
    lines: BTreeMap<Lane, VecDeque<Job>>,
    /// The lane that had its turn last.
    last: Option<Lane>,
    waiting: usize,
    stopped: bool,
    no_more: bool,
}

impl Queue {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> usize {
        self.lines().waiting
    }

    fn is_stopped(&self) -> bool {
        self.lines().stopped
    }

    fn stop(&self) {
        self.lines().stopped = true;
        self.news.notify_all();
    }

    fn no_more(&self) {
        self.lines().no_more = true;
        self.news.notify_all();
    }

    /// Takes a job in.
    ///
    /// Errors: there is no room, or it would wait for too long; the job.
    fn put(&self, lane: &Lane, job: Job, pace: &Pace) -> Result<(), Box<Job>> {
        let mut lines = self.lines();
        let ahead = lines.lines.get(lane).map_or(0, VecDeque::len);
        let is_full = ahead >= MOST_IN_LANE || lines.waiting >= MOST_WAITING;
        if is_full || pace.stay(lane, ahead) > pace::LONGEST_STAY_MILLIS {
            return Err(Box::new(job));
        }
        lines.lines.entry(lane.clone()).or_default().push_back(job);
        lines.waiting += 1;
        drop(lines);
        self.news.notify_one();
        Ok(())
    }

    /// The next job whose lane has a place, which it takes; waits for one. `None` once there is nothing more to do.
    fn take(&self, pace: &Pace) -> Option<Turn> {
        let mut lines = self.lines();
        loop {
            if lines.stopped || (lines.no_more && lines.waiting == 0) {
                return None;
            }
            let mut soonest = GLANCE;
            // Lanes behind the last one first, then from the beginning: each gets its turn.
            let from = lines.last.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
            let to = lines.last.as_ref().filter(|_| !lines.lines.is_empty());
            let before = to.map(|last| lines.lines.range(..=last));
            let in_turn = lines.lines.range((from, Bound::Unbounded)).chain(before.into_iter().flatten());
            let mut stuck = None;
            let mut has_place = |lane: &Lane| match pace.take(lane) {
                Ok(()) => true,
                Err(wait) => {
                    soonest = soonest.min(Duration::from_millis(wait.unsigned_abs()));
                    if wait > pace::LONGEST_STAY_MILLIS {
                        stuck = Some(lane.clone());
                    }
                    false
                }
            };
            let found = in_turn.map(|(lane, _)| lane).find(|lane| has_place(lane)).cloned();
            if let Some(job) = found.and_then(|lane| lines.next_of(&lane)) {
                return Some(Turn::Send(Box::new(job)));
            }
            if let Some((lane, jobs)) = stuck.and_then(|lane| lines.lines.remove_entry(&lane)) {
                lines.waiting -= jobs.len();
                return Some(Turn::Back(lane, jobs));
            }
            let waited = self.news.wait_timeout(lines, soonest.max(Duration::from_millis(1)));
            lines = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Lines {
    fn next_of(&mut self, lane: &Lane) -> Option<Job> {
        let line = self.lines.get_mut(lane)?;
        let job = line.pop_front()?;
        if line.is_empty() {
            self.lines.remove(lane);
        }
        self.waiting -= 1;
        self.last = Some(lane.clone());
        Some(job)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::{
        engine::delivery::{
            Outgoing,
            links::Watch,
            pace::Rates,
            stage::{FLOW, FakeDesk, contact, job, jobs, renderer, workspace},
            ways::{Settings, Ways},
        },
        testing::smtp::{PostOffice, Say},
    };

    /// Sends jobs by a way until all are settled or refused, and closes the office.
    fn send_all(jobs: Vec<Job>, desk: &Arc<FakeDesk>, way: (Arc<dyn Transport>, Arc<Pace>), senders: usize) {
        let (sender, receiver) = mpsc::channel();
        for job in jobs {
            sender.send(job).expect("open");
        }
        drop(sender);
        let office = Office::open(receiver, desk.clone(), Arc::new(renderer(Watch::default())), way, senders);
        let office = office.expect("opens");
        // The threads end by themselves when the channel is closed and the queue is empty.
        let Office { threads, way, .. } = office;
        for thread in threads {
            thread.join().expect("no panic");
        }
        way.close();
    }

    fn opened(mail: &str) -> (Arc<dyn Transport>, Arc<Pace>) {
        let (ways, pace) = Ways::open(&Settings { mail: mail.to_owned(), ..Settings::default() }).expect("opens");
        (Arc::new(ways), pace)
    }

    #[test]
    fn a_whole_flow_into_a_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let desk = Arc::new(FakeDesk::default());
        let all = jobs(FLOW, &workspace(), contact("ada", "ada@a.example"), Some(5.0));
        assert_eq!(all.len(), 5);
        send_all(all, &desk, opened(&folder.path().display().to_string()), 4);
        let expected = ["ada hook done", "ada mail done", "ada receipt done", "ada tell done", "ada text done"];
        assert_eq!(desk.words(), expected);
        let files = crate::disk::files_in(folder.path()).expect("reads");
        let count = |ending: &str| files.iter().filter(|file| file.to_string_lossy().ends_with(ending)).count();
        assert_eq!((count(".eml"), count(".sms.txt"), count(".call.txt"), files.len()), (3, 1, 1, 5));
        let kept = desk.kept.lock().expect("lock");
        assert_eq!(kept.len(), 4, "all but the call");
        let mail = kept.iter().find(|(key, _)| key.node.as_str() == "mail").expect("kept").1;
        let file = files.iter().find(|file| file.to_string_lossy().contains("_mail_1")).expect("written");
        assert_eq!(&std::fs::read(file).expect("reads"), mail, "kept as it left");
    }

    #[test]
    fn one_fault_keeps_nobody() {
        // A server that cuts after one mail was said in full, and knows nobody at one domain.
        let office = PostOffice::open(|heard| match heard.command.as_str() {
            "." if heard.mail % 5 == 3 => Say::Cut,
            command if command.contains("@gone.example") => Say::Line("550 5.1.1 nobody"),
            command if command.contains("@slow.example") => Say::Line("450 4.2.1 too fast"),
            _ => Say::Fine,
        });
        let desk = Arc::new(FakeDesk::default());
        let mut all = Vec::new();
        for n in 0..20 {
            let domain = ["a.example", "b.example", "gone.example", "slow.example", "c.example"][n % 5];
            all.push(job("mail", contact(&format!("p{n}"), &format!("p{n}@{domain}")), Some(5.0)));
        }
        // One that cannot be rendered any more.
        let mut broken = job("mail", contact("broken", "x@a.example"), Some(5.0));
        broken.codes.clear();
        all.push(broken);
        // No rates here: a domain that asks for patience gets it all the same, so each of its mails waits its turn.
        let settings = Settings {
            mail: format!("smtp://127.0.0.1:{}", office.port),
            rates: Some(Rates::NONE),
            ..Settings::default()
        };
        let (ways, pace) = Ways::open(&settings).expect("opens");
        let slow: Vec<Job> = all
            .extract_if(.., |job| {
                job.contact.contact.email.as_deref().is_some_and(|email| email.ends_with("slow.example"))
            })
            .collect();
        all.push(slow.into_iter().next().expect("one"));
        let total = all.len();
        send_all(all, &desk, (Arc::new(ways), pace), 3);
        let words = desk.words();
        let count = |word: &str| words.iter().filter(|line| line.ends_with(word)).count();
        assert_eq!(words.len(), total, "each was settled once: {words:?}");
        assert_eq!((count(" no"), count(" later"), count(" held")), (4, 1, 1), "{words:?}");
        assert!(count(" unknown") >= 1 && count(" done") + count(" unknown") == 12, "{words:?}");
        let got = office.got();
        assert_eq!(got.len(), 12, "no mail came twice, none is missing");
        let settled = desk.settled.lock().expect("lock");
        let again = settled.iter().find_map(|(_, _, handed)| match handed {
            Handed::Later { after_millis, .. } => *after_millis,
            _ => None,
        });
        assert!(again.is_some_and(|after| (22_500..=30_000).contains(&after)), "{again:?}");
    }

    /// A transport that does what a closure says.
    struct Way<F>(F);

    impl<F: Fn(&Outgoing) -> Handed + Send + Sync> Transport for Way<F> {
        fn hand_over(&self, outgoing: &Outgoing) -> Handed {
            (self.0)(outgoing)
        }
    }

    fn by(way: impl Fn(&Outgoing) -> Handed + Send + Sync + 'static) -> (Arc<dyn Transport>, Arc<Pace>) {
        (Arc::new(Way(way)), Arc::new(Pace::new(Rates::NONE)))
    }

    #[test]
    fn who_may_not_begin_is_not_handed_over() {
        let all: Vec<Job> = ["p0", "p1", "p2"].map(|id| job("mail", contact(id, "x@a.example"), Some(5.0))).into();
        let desk = Arc::new(FakeDesk { refuses: [all[1].key.clone()].into(), ..FakeDesk::default() });
        let count = Arc::new(AtomicUsize::new(0));
        let counted = count.clone();
        send_all(
            all,
            &desk,
            by(move |_| {
                counted.fetch_add(1, Ordering::SeqCst);
                Handed::Done
            }),
            2,
        );
        assert_eq!(desk.words(), ["p0 mail done", "p2 mail done"]);
        assert_eq!(count.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_broken_hand_over_is_unknown_and_the_thread_goes_on() {
        let all: Vec<Job> = ["p0", "p1", "p2"].map(|id| job("mail", contact(id, "x@a.example"), Some(5.0))).into();
        let desk = Arc::new(FakeDesk::default());
        let way = |outgoing: &Outgoing| match outgoing.contact.as_str() {
            "p1" => panic!("a fault of ours"),
            _ => Handed::Done,
        };
        send_all(all, &desk, by(way), 1);
        assert_eq!(desk.words(), ["p0 mail done", "p1 mail unknown", "p2 mail done"]);
    }

    #[test]
    fn what_is_put_off_for_too_long_is_held() {
        let tell = Job { attempt: 100, ..job("tell", contact("p0", "x@a.example"), Some(5.0)) };
        let fresh = Job { attempt: 40, ..job("mail", contact("p1", "x@a.example"), Some(5.0)) };
        let mut old = Job { attempt: 9, ..job("mail", contact("p2", "x@a.example"), Some(5.0)) };
        old.now = old.now.plus_millis(pace::GIVEN_UP_MILLIS);
        let hook = Job { attempt: 90, ..job("hook", contact("p3", "x@a.example"), Some(5.0)) };
        let desk = Arc::new(FakeDesk::default());
        let later = |_: &Outgoing| Handed::Later { detail: "not now".into(), after_millis: Some(u64::MAX) };
        send_all(vec![tell, fresh, old, hook], &desk, by(later), 1);
        assert_eq!(desk.words(), ["p0 tell held", "p1 mail later", "p2 mail held", "p3 hook later"]);
        let settled = desk.settled.lock().expect("lock");
        let longest = settled.iter().filter_map(|(_, _, handed)| match handed {
            Handed::Later { after_millis, .. } => *after_millis,
            _ => None,
        });
        assert!(longest.max() == Some(24 * 3_600_000), "a wait that was asked for has an end");
    }

    /// So is what the server refuses for our sake: never lost, and the person is not blamed.
    #[test]
    fn what_is_our_fault_is_put_off_and_then_held() {
        let fresh = job("mail", contact("p1", "x@a.example"), Some(5.0));
        let mut old = Job { attempt: 9, ..job("mail", contact("p2", "x@a.example"), Some(5.0)) };
        old.now = old.now.plus_millis(pace::GIVEN_UP_MILLIS);
        let desk = Arc::new(FakeDesk::default());
        send_all(vec![fresh, old], &desk, by(|_| Handed::Ours { detail: "relay".into(), after_millis: None }), 1);
        assert_eq!(desk.words(), ["p1 mail ours", "p2 mail held"]);
        let settled = desk.settled.lock().expect("lock");
        let after = settled.iter().find_map(|(_, _, handed)| match handed {
            Handed::Ours { after_millis, .. } => *after_millis,
            _ => None,
        });
        assert!(after.is_some_and(|after| (22_500..=30_000).contains(&after)), "{after:?}");
        assert!(settled.iter().any(|(.., handed)| matches!(handed, Handed::Held { reason: Reason::Rejected, .. })));
    }

    fn who(turn: Option<Turn>) -> String {
        match turn {
            Some(Turn::Send(job)) => job.contact.contact.id.to_string(),
            Some(Turn::Back(lane, jobs)) => format!("{} of {} back", jobs.len(), lane.to),
            None => "nobody".to_owned(),
        }
    }

    #[test]
    fn lanes_take_turns_and_a_full_one_sends_back() {
        let queue = Queue::default();
        let pace = Pace::new(Rates::NONE);
        let one = job("mail", contact("p0", "x@big.example"), Some(5.0));
        let put = |job: &Job| queue.put(&lane_of(job), job.clone(), &pace).is_ok();
        for _ in 0..MOST_IN_LANE {
            assert!(put(&one));
        }
        assert!(!put(&one));
        let small = job("mail", contact("p1", "x@small.example"), Some(5.0));
        assert!(put(&small));
        let order: Vec<String> = (0..3).map(|_| who(queue.take(&pace))).collect();
        assert_eq!(order, ["p0", "p1", "p0"], "the small one does not wait for the large one");
        pace.slow_down(&lane_of(&one), None);
        assert!(put(&small));
        assert_eq!(who(queue.take(&pace)), "p1");
        pace.slow_down(&lane_of(&one), Some(3_600_000));
        assert_eq!(who(queue.take(&pace)), "498 of big.example back");
        assert!(!put(&one) && put(&small), "there is no point in waiting for an hour");
        queue.stop();
        assert_eq!(who(queue.take(&pace)), "nobody");
    }

    #[test]
    fn what_does_not_fit_comes_back_one_by_one() {
        let rates = Rates { mails: 0, mails_per_domain: 6, ..Rates::default() };
        let all: Vec<Job> = (0..12).map(|n| job("mail", contact(&format!("p{n}"), "x@a.example"), Some(5.0))).collect();
        let desk = Arc::new(FakeDesk::default());
        let pace = Arc::new(Pace::new(rates));
        let queue = Queue::default();
        for job in all {
            let lane = lane_of(&job);
            if let Err(job) = queue.put(&lane, job, &pace) {
                send_back(&job, &lane, &pace, &*desk);
            }
        }
        assert_eq!(
            queue.waiting(),
            6,
            "a burst of one, that an engine before may have had, and the five of the minute"
        );
        let settled = desk.settled.lock().expect("lock");
        let after = settled.iter().filter_map(|(_, _, handed)| match handed {
            Handed::NotYet { after_millis, .. } => Some(after_millis.div_ceil(10_000)),
            _ => None,
        });
        assert_eq!(after.collect::<Vec<_>>(), [8, 9, 10, 11, 12, 14], "tens of seconds");
    }

    #[test]
    fn closing_finishes_what_is_on_its_way() {
        let (sender, receiver) = mpsc::channel();
        let desk = Arc::new(FakeDesk::default());
        let (started, begun) = mpsc::channel();
        let way = move |_: &Outgoing| {
            let _ = started.send(());
            thread::sleep(Duration::from_millis(300));
            Handed::Done
        };
        let started_way = Mutex::new(way);
        let way = by(move |outgoing| started_way.lock().expect("lock")(outgoing));
        let office = Office::open(receiver, desk.clone(), Arc::new(renderer(Watch::default())), way, 1).expect("opens");
        for id in ["p0", "p1"] {
            sender.send(job("mail", contact(id, "x@a.example"), Some(5.0))).expect("open");
        }
        begun.recv().expect("one began");
        office.close();
        assert_eq!(desk.words(), ["p0 mail done"], "the second stays claimed, untouched");
        assert_eq!(desk.begun.lock().expect("lock").len(), 1);
    }
}
