//! How fast messages leave, and when one that was put off is tried again.
//!
//! The one idea: each lane (a recipient's domain, a host that is called) has its own clock, and a lane that asks for
//! patience slows down alone; besides there is one clock for all mails. Time here is the machine's steady clock, not
//! the flow's: servers outside know nothing of a faster one. Deliberately not here: caps and quiet hours (`journey`).

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant as Monotonic,
};

use smol_str::SmolStr;

use super::{Outgoing, Payload};
use crate::base::{SendKey, hash};

/// What is counted together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Sort {
    /// Mails, of a flow and to the team.
    Mail,
    /// Text messages.
    Text,
    /// Calls.
    Call,
}

/// A sort and a domain or host.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Lane {
    /// The sort.
    pub sort: Sort,
    /// The recipient's domain, or the host; lower case. Empty for text messages.
    pub to: SmolStr,
}

impl Lane {
    /// The lane of an address.
    pub fn of_address(address: &str) -> Self {
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
        Self { sort: Sort::Mail, to: SmolStr::new(domain.trim().to_lowercase()) }
    }

    /// The lane of a web address.
    pub fn of_url(url: &str) -> Self {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let host = rest.split(['/', '?', '#']).next().unwrap_or("");
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        Self { sort: Sort::Call, to: SmolStr::new(host.to_lowercase()) }
    }

    /// The lane of all text messages.
    pub fn texts() -> Self {
        Self { sort: Sort::Text, to: SmolStr::default() }
    }

    /// The lane of something ready.
    pub fn of(outgoing: &Outgoing) -> Self {
        match &outgoing.payload {
            Payload::Mail { to, .. } => Self::of_address(to.first().map_or("", String::as_str)),
            Payload::Text { .. } => Self::texts(),
            Payload::Call { url, .. } => Self::of_url(url),
        }
    }
}

/// Most in any minute; 0 for no limit. What has more to send than that leaves a little below it, at five sixths, since
/// a burst after a rest has its room in the same minute.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rates {
    /// Mails in all. Default 600. Source: assumption; ten a second is what a rented relay takes without a word.
    pub mails: u32,
    /// Mails to one domain. Default 120. Source: assumption, well below what large providers ask of new senders.
    pub mails_per_domain: u32,
    /// Text messages. Default 60. Source: assumption; long numbers in the United States get one a second (10DLC).
    pub texts: u32,
    /// Calls of one host. Default 600. Source: assumption.
    pub calls_per_host: u32,
}

impl Default for Rates {
    fn default() -> Self {
        Self { mails: 600, mails_per_domain: 120, texts: 60, calls_per_host: 600 }
    }
}

impl Rates {
    /// No limits: for a folder, which nobody has to be gentle with.
    pub const NONE: Self = Self { mails: 0, mails_per_domain: 0, texts: 0, calls_per_host: 0 };

    fn of(&self, sort: Sort) -> u32 {
        match sort {
            Sort::Mail => self.mails_per_domain,
            Sort::Text => self.texts,
            Sort::Call => self.calls_per_host,
        }
    }
}

/// Lanes that are remembered; those at rest are forgotten first.
const MOST_LANES: usize = 10_000;
/// A lane is slowed down to 1/2, 1/4, … down to this power of two.
const MOST_SLOWNESS: u32 = 6;
/// So many hand-overs in a row without a word, and a slowed lane goes twice as fast again. Source: assumption.
const GOOD_TO_RECOVER: u32 = 20;
/// The rate from which a lane without a limit is slowed down, per minute.
const RATE_OF_UNLIMITED: u32 = 600;
/// The first pause of a lane that asked for patience, in milliseconds; doubles with its slowness, at most 10 minutes.
const PAUSE_MILLIS: i64 = 15_000;
/// The first pause of a way that cannot be reached, in milliseconds; doubles up to 5 minutes. Source: assumption.
const NO_WAY_MILLIS: i64 = 2_000;
/// Nothing waits for its place longer than this, in milliseconds: what a job knows of its contact grows old, and it is
/// to be claimed anew. Source: assumption.
pub const LONGEST_STAY_MILLIS: i64 = 60_000;
/// Promised places are apart by this at least, in milliseconds. Source: assumption; at most 50 a second come back.
const LEAST_PROMISE_MILLIS: i64 = 20;
/// Hand-overs that may come at once, as seconds of the rate. They come out of the minute: the even pace leaves so much
/// room for them that no minute has more than its rate.
const BURST_SECS: u32 = 10;

/// Keeps the pace. All methods may be called from any thread.
#[derive(Debug)]
pub struct Pace {
    started: Monotonic,
    state: Mutex<State>,
}

impl Pace {
    /// With these rates, from now on; as after a burst, since an engine that ran until now may have had its.
    #[expect(clippy::disallowed_methods, reason = "rates are about the world outside, whose minutes are the machine's")]
    pub fn new(rates: Rates) -> Self {
        Self { started: Monotonic::now(), state: Mutex::new(State::after_a_burst(rates)) }
    }

    fn now(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place in a lane.
    ///
    /// Errors: how many milliseconds until there is one; no place was taken.
    pub fn take(&self, lane: &Lane) -> Result<(), i64> {
        let now = self.now();
        self.state().take(lane, now)
    }

    /// How many milliseconds one would wait in a lane in which so many are ahead of it.
    pub fn stay(&self, lane: &Lane, num_ahead: usize) -> i64 {
        let now = self.now();
        self.state().stay(lane, num_ahead, now)
    }

    /// A place in a lane beyond [`LONGEST_STAY_MILLIS`], in milliseconds from now; each later than the one before, so
    /// that what does not fit comes back one by one.
    pub fn promise(&self, lane: &Lane) -> u64 {
        let now = self.now();
        self.state().promise(lane, now).unsigned_abs()
    }

    /// The other side asked for patience, for so long where it said so (milliseconds).
    pub fn slow_down(&self, lane: &Lane, for_millis: Option<u64>) {
        let now = self.now();
        self.state().slow_down(lane, for_millis, now);
    }

    /// A whole way cannot be reached: nothing of its sort is tried for a while.
    pub fn no_way(&self, sort: Sort) {
        let now = self.now();
        self.state().no_way(sort, now);
    }

    /// A hand-over went well.
    pub fn went_well(&self, lane: &Lane) {
        self.state().went_well(lane);
    }
}

#[derive(Debug, Default)]
struct Clock {
    /// When the next one would leave at an even pace, in milliseconds.
    next: i64,
    slowness: u32,
    paused_until: i64,
    /// The last place that was promised to one that did not fit.
    promised: i64,
    good: u32,
}

impl Clock {
    /// As it is just after a burst at 0.
    fn after_a_burst(rate: u32) -> Self {
        let next = if rate == 0 { 0 } else { (burst(rate) + 1) * interval(rate) };
        Self { next, ..Self::default() }
    }

    /// Milliseconds until there is a place; 0 for now.
    fn wait(&self, rate: u32, now: i64) -> i64 {
        let pause = self.paused_until - now;
        let pace = if rate == 0 { 0 } else { self.next - now - burst(rate) * interval(rate) };
        pause.max(pace).max(0)
    }

    fn go(&mut self, rate: u32, now: i64) {
        if rate > 0 {
            self.next = self.next.max(now) + interval(rate);
        }
    }

    fn is_at_rest(&self, now: i64) -> bool {
        self.slowness == 0 && [self.next, self.paused_until, self.promised].iter().all(|at| *at <= now)
    }
}

/// Milliseconds between two at the even pace, at least 1: what the burst leaves of a minute, evenly.
fn interval(rate: u32) -> i64 {
    let even = i64::from(rate) - burst(rate);
    60_000_u64.div_ceil(even.max(1).unsigned_abs()).cast_signed()
}

/// How many may be ahead of the even pace.
fn burst(rate: u32) -> i64 {
    i64::from(rate) * i64::from(BURST_SECS) / 60
}

#[derive(Debug)]
struct State {
    rates: Rates,
    /// Whether each lane begins as after a burst, or at rest.
    begins_spent: bool,
    all_mails: Clock,
    lanes: BTreeMap<Lane, Clock>,
    no_way: BTreeMap<Sort, (u32, i64)>,
}

impl State {
    /// With each lane at rest.
    #[cfg(test)]
    fn new(rates: Rates) -> Self {
        Self { begins_spent: false, all_mails: Clock::default(), ..Self::after_a_burst(rates) }
    }

    fn after_a_burst(rates: Rates) -> Self {
        let all_mails = Clock::after_a_burst(rates.mails);
        Self { rates, begins_spent: true, all_mails, lanes: BTreeMap::new(), no_way: BTreeMap::new() }
    }

    /// A lane of which nothing is known yet.
    fn first(&self, sort: Sort) -> Clock {
        if self.begins_spent { Clock::after_a_burst(self.rates.of(sort)) } else { Clock::default() }
    }

    /// The rate of a lane, slowed down as it was asked for; never 0 then.
    fn rate(&self, sort: Sort, slowness: u32) -> u32 {
        let rate = self.rates.of(sort);
        match slowness {
            0 => rate,
            _ => ((if rate == 0 { RATE_OF_UNLIMITED } else { rate }) >> slowness).max(1),
        }
    }

    /// The rate of a lane, and how long its way and itself have no place.
    fn own_wait(&self, lane: &Lane, now: i64) -> (u32, i64) {
        let way = self.no_way.get(&lane.sort).map_or(0, |(_, until)| until - now);
        let clock = self.lanes.get(lane);
        let rate = self.rate(lane.sort, clock.map_or(0, |clock| clock.slowness));
        let own = clock.map_or_else(|| self.first(lane.sort).wait(rate, now), |clock| clock.wait(rate, now));
        (rate, way.max(own))
    }

    fn stay(&self, lane: &Lane, num_ahead: usize, now: i64) -> i64 {
        let (rate, wait) = self.own_wait(lane, now);
        let ahead = i64::try_from(num_ahead).unwrap_or(i64::MAX);
        // What may come at once is not waited for.
        let ahead = if rate == 0 { 0 } else { (ahead - burst(rate)).max(0).saturating_mul(interval(rate)) };
        wait.saturating_add(ahead)
    }

    fn promise(&mut self, lane: &Lane, now: i64) -> i64 {
        let (rate, wait) = self.own_wait(lane, now);
        let step = if rate == 0 { LEAST_PROMISE_MILLIS } else { interval(rate).max(LEAST_PROMISE_MILLIS) };
        let clock = self.lane(lane, now);
        clock.promised = clock.promised.max(now + wait.max(LONGEST_STAY_MILLIS)).saturating_add(step);
        clock.promised - now
    }

    fn take(&mut self, lane: &Lane, now: i64) -> Result<(), i64> {
        let (rate, own) = self.own_wait(lane, now);
        let all = if lane.sort == Sort::Mail { self.all_mails.wait(self.rates.mails, now) } else { 0 };
        let wait = own.max(all);
        if wait > 0 {
            return Err(wait);
        }
        if lane.sort == Sort::Mail {
            self.all_mails.go(self.rates.mails, now);
        }
        if rate > 0 {
            self.lane(lane, now).go(rate, now);
        }
        Ok(())
    }

    fn lane(&mut self, lane: &Lane, now: i64) -> &mut Clock {
        let first = self.first(lane.sort);
        if self.lanes.len() >= MOST_LANES && !self.lanes.contains_key(lane) {
            self.lanes.retain(|_, clock| !clock.is_at_rest(now));
            if self.lanes.len() >= MOST_LANES {
                // All are busy: the newcomers share one.
                return self.lanes.entry(Lane { sort: lane.sort, to: SmolStr::new_static("*") }).or_insert(first);
            }
        }
        self.lanes.entry(lane.clone()).or_insert(first)
    }

    fn slow_down(&mut self, lane: &Lane, for_millis: Option<u64>, now: i64) {
        let clock = self.lane(lane, now);
        clock.good = 0;
        // Several that were on their way together are told the same thing once.
        if clock.paused_until <= now {
            clock.slowness = (clock.slowness + 1).min(MOST_SLOWNESS);
        }
        let own = (PAUSE_MILLIS << (clock.slowness.max(1) - 1)).min(600_000);
        let asked = for_millis.map_or(0, |millis| i64::try_from(millis).unwrap_or(i64::MAX)).min(LONGEST_ASKED_MILLIS);
        clock.paused_until = clock.paused_until.max(now + own.max(asked));
    }

    fn no_way(&mut self, sort: Sort, now: i64) {
        let (times, until) = self.no_way.entry(sort).or_default();
        if *until <= now {
            *until = now + (NO_WAY_MILLIS << (*times).min(10)).min(300_000);
            *times += 1;
        }
    }

    fn went_well(&mut self, lane: &Lane) {
        self.no_way.remove(&lane.sort);
        let Some(clock) = self.lanes.get_mut(lane).filter(|clock| clock.slowness > 0) else { return };
        clock.good += 1;
        if clock.good >= GOOD_TO_RECOVER {
            (clock.slowness, clock.good) = (clock.slowness - 1, 0);
        }
    }
}

/// A wait that the other side asked for counts up to here: 24 h. Source: assumption; more is a mistake or a no.
pub const LONGEST_ASKED_MILLIS: i64 = 24 * 3_600_000;
/// The first back-off; doubles. Source: assumption; a greylist lets mails in after 1 to 5 minutes (RFC 6647, 2.3).
const BACK_OFF_MILLIS: i64 = 30_000;
/// The longest back-off: 1 h.
const LONGEST_BACK_OFF_MILLIS: i64 = 3_600_000;
/// What is put off for so long is given up: 24 h. Source: assumption; RFC 5321 (4.5.4.1) says four to five days, but
/// nobody wants a behavioural mail so late.
pub const GIVEN_UP_MILLIS: i64 = 24 * 3_600_000;
/// Where nobody knows when the first try was, so many are made: about four days of back-off. Source: RFC 5321, section
/// 4.5.4.1; what came back for want of a place counts, too.
pub const GIVEN_UP_TRIES: u32 = 100;
/// So often something is tried before it is given up, however old it is.
const LEAST_TRIES: u32 = 8;

/// How long to wait after a try that was put off (from 1), in milliseconds: 30 s, doubling up to 1 h, less a quarter at
/// most, by a hash of the key, so that what was put off together does not come back together (SEMANTICS R3).
pub fn back_off_millis(key: &SendKey, attempt: u32) -> i64 {
    let doubled = BACK_OFF_MILLIS << attempt.saturating_sub(1).min(16);
    let longest = doubled.min(LONGEST_BACK_OFF_MILLIS);
    let quarter = u64::try_from(longest / 4).unwrap_or(1).max(1);
    longest - (hash::chance("back-off", &format!("{key}#{attempt}")) % quarter) as i64
}

/// Whether something is given up after this try (from 1); `age_millis` since it was wanted, where that is known.
pub fn is_given_up(attempt: u32, age_millis: Option<i64>) -> bool {
    match age_millis {
        Some(age) => attempt >= LEAST_TRIES && age >= GIVEN_UP_MILLIS,
        None => attempt >= GIVEN_UP_TRIES,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(domain: &str) -> Lane {
        Lane::of_address(&format!("ada@{domain}"))
    }

    /// How many of each domain leave until a minute is over, where all have more than enough.
    #[track_caller]
    fn check(rates: Rates, domains: &[&str], expected: &[usize]) {
        let mut state = State::new(rates);
        let counts: Vec<usize> = domains.iter().map(|_| 0).collect();
        let mut counts = counts;
        for now in (0..60_000).step_by(10) {
            for (n, domain) in domains.iter().enumerate() {
                counts[n] += usize::from(state.take(&lane(domain), now).is_ok());
            }
        }
        assert_eq!(counts, expected, "{rates:?}");
    }

    #[test]
    fn rates_hold() {
        let rates = |mails, mails_per_domain| Rates { mails, mails_per_domain, ..Rates::default() };
        // A sixth of a minute's worth may come at once, out of that minute.
        check(rates(0, 60), &["a.example"], &[60]);
        check(rates(0, 60), &["a.example", "b.example"], &[60, 60]);
        check(rates(60, 0), &["a.example"], &[60]);
        check(rates(0, 7), &["a.example"], &[7]);
        check(rates(0, u32::MAX), &["a.example"], &[6_000]);
        check(rates(0, 3), &["a.example"], &[3]);
        check(Rates::NONE, &["a.example"], &[6_000]);
    }

    /// Whatever came before, no minute has more than its rate.
    #[test]
    fn every_minute_holds_its_rate() {
        for rate in [1, 5, 6, 7, 60, 600, 1_000, 7_000, 50_000, 90_000] {
            let mut state = State::new(Rates { mails: 0, mails_per_domain: rate, ..Rates::default() });
            let lane = lane("a.example");
            let mut sent = Vec::new();
            // Busy, at rest for half a minute, and busy again.
            for now in (0..70_000).chain(100_000..200_000_i64) {
                while sent.len() < 400_000 && state.take(&lane, now).is_ok() {
                    sent.push(now);
                }
            }
            let most =
                sent.iter().enumerate().map(|(n, from)| sent.partition_point(|at| *at < from + 60_000) - n).max();
            assert!(most <= Some(rate as usize), "{rate}: {most:?}");
        }
    }

    /// Also where the engine is stopped and started in it, however often, right after a burst or later.
    #[test]
    fn a_minute_with_a_start_in_it_holds_its_rate() {
        for rate in [1, 5, 7, 60, 600] {
            for stopped in [1, 500, 30_000, 59_000] {
                let rates = [(0, rate), (rate, 0)].map(|(mails, mails_per_domain)| Rates {
                    mails,
                    mails_per_domain,
                    ..Rates::default()
                });
                for rates in rates {
                    let mut sent = Vec::new();
                    for (start, mut state) in [(0, State::new(rates)), (stopped, State::after_a_burst(rates))] {
                        let until = if start == 0 { stopped } else { 150_000 };
                        for now in start..until {
                            while state.take(&lane("a.example"), now - start).is_ok() {
                                sent.push(now);
                            }
                        }
                    }
                    let most = sent
                        .iter()
                        .enumerate()
                        .map(|(n, from)| sent.partition_point(|at| *at < from + 60_000) - n)
                        .max();
                    assert!(most <= Some(rate as usize), "{rate} {stopped}: {most:?}");
                }
            }
        }
    }

    #[test]
    fn a_domain_that_defers_slows_down_alone_and_recovers() {
        let mut state = State::new(Rates { mails: 0, mails_per_domain: 600, ..Rates::default() });
        let (slow, other) = (lane("slow.example"), lane("other.example"));
        assert_eq!(state.take(&slow, 0), Ok(()));
        for _ in 0..4 {
            state.slow_down(&slow, None, 10);
        }
        assert_eq!(state.take(&slow, 10), Err(15_000), "told four times at once counts once");
        assert_eq!(state.take(&other, 10), Ok(()));
        assert_eq!(state.rate(Sort::Mail, state.lanes[&slow].slowness), 300);
        state.slow_down(&slow, Some(120_000), 20_000);
        assert_eq!(state.take(&slow, 20_000), Err(120_000));
        assert_eq!(state.lanes[&slow].slowness, 2);
        for _ in 0..2 * GOOD_TO_RECOVER {
            state.went_well(&slow);
        }
        assert_eq!(state.lanes[&slow].slowness, 0);
        assert_eq!(state.take(&slow, 140_000), Ok(()));
    }

    #[test]
    fn a_way_that_is_gone_pauses_its_sort() {
        let mut state = State::new(Rates::default());
        let (ada, call) = (lane("a.example"), Lane::of_url("https://Hooks.example:8443/x"));
        assert_eq!(call.to, "hooks.example:8443");
        state.no_way(Sort::Mail, 0);
        state.no_way(Sort::Mail, 5);
        assert_eq!((state.take(&ada, 0), state.take(&call, 0)), (Err(2_000), Ok(())));
        state.no_way(Sort::Mail, 2_000);
        assert_eq!(state.take(&ada, 2_000), Err(4_000));
        for now in 0..40 {
            state.no_way(Sort::Mail, 1_000_000 * now);
        }
        assert_eq!(state.take(&ada, 39_000_000), Err(300_000));
        state.went_well(&ada);
        assert_eq!(state.take(&ada, 39_000_000), Ok(()));
    }

    #[test]
    fn places_beyond_the_longest_stay_are_promised_one_by_one() {
        let mut state = State::new(Rates { mails_per_domain: 60, ..Rates::default() });
        let lane = lane("big.example");
        assert_eq!([0, 10, 11, 71].map(|ahead| state.stay(&lane, ahead, 0)), [0, 0, 1_200, 73_200]);
        assert_eq!(
            [state.promise(&lane, 0), state.promise(&lane, 0), state.promise(&lane, 500)],
            [61_200, 62_400, 63_100]
        );
        state.slow_down(&lane, Some(600_000), 0);
        assert_eq!(state.stay(&lane, 0, 0), 600_000);
        assert_eq!(state.promise(&lane, 0), 602_400, "at half the rate, after the pause");
        let mut free = State::new(Rates::NONE);
        assert_eq!((free.stay(&lane, 10_000, 0), free.promise(&lane, 0)), (0, 60_020));
    }

    #[test]
    fn lanes_are_bounded() {
        let mut state = State::new(Rates::default());
        for n in 0..MOST_LANES + 50 {
            state.slow_down(&lane(&format!("{n}.example")), None, 0);
        }
        assert!(state.lanes.len() <= MOST_LANES + 1);
    }

    #[test]
    fn back_off_doubles_up_to_an_hour() {
        let key = SendKey { journey: "f/ada/1".into(), node: "mail-1".into(), pass: 1 };
        for (attempt, longest) in [(1, 30_000), (2, 60_000), (7, 1_920_000), (8, 3_600_000), (u32::MAX, 3_600_000)] {
            let wait = back_off_millis(&key, attempt);
            assert!(wait > longest * 3 / 4 - 1 && wait <= longest, "{attempt}: {wait}");
            assert_eq!(wait, back_off_millis(&key, attempt));
        }
        let all: i64 = (1..GIVEN_UP_TRIES).map(|attempt| back_off_millis(&key, attempt)).sum();
        assert!((72 * 3_600_000..96 * 3_600_000).contains(&all), "{all}");
        assert!(!is_given_up(1, Some(GIVEN_UP_MILLIS)) && is_given_up(30, Some(GIVEN_UP_MILLIS)));
        assert!(!is_given_up(99, None) && is_given_up(100, None));
    }
}
