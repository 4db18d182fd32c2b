//! The one thread that writes: takes what has come, runs it as one batch, answers after the commit.
//!
//! The one idea: while a commit waits for the disk, what comes meanwhile gathers in the queue and becomes the next
//! batch. A lone event waits for its own commit only; a flood shares one. Due wakes and sends run in the same batches.
//! A batch that fails is answered with what went wrong and leaves nothing behind; what the engine itself must not lose
//! (results of hand-overs) is tried again until it is durable.

use std::{
    collections::VecDeque,
    sync::mpsc::{self, RecvTimeoutError},
    time::{Duration, Instant as Monotonic},
};

use super::{
    clock::Clock,
    driver::{Driver, Told},
    handle::{Ask, Handle},
    redact,
    store::{Error, Kind, Result},
    work::{Answer, Begin, Busy, Done, Handed, Job},
};
use crate::base::Instant;

/// Items in one batch at most. Source: references, engine 2 (100 to 1,000).
const MOST_ITEMS: usize = 1_000;
/// Asks in one batch at most, those without items included. Source: assumption.
const MOST_ASKS: usize = 1_000;
/// Contacts woken in one batch at most: what has come is not to wait long for what is due. Source: assumption.
const MOST_WAKES: usize = 500;
/// Contacts told a word to everybody in one batch. Source: assumption.
const MOST_TOLD: usize = 500;
/// Sends claimed in one batch at most, for the same reason. Source: assumption.
const MOST_CLAIMS: usize = 200;
/// How often the clock is looked at, whatever is due: it may have jumped. Source: assumption, SEMANTICS R26.
const GLANCE: Duration = Duration::from_secs(1);
/// A clock that differs so much from what the machine's steady clock says has jumped. Source: assumption.
const JUMP_MILLIS: i64 = 10_000;
/// The pause after a batch that failed; it doubles. Source: assumption.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// The log goes into the file when nothing was asked for so long. Source: references, engine 2 ("while idle helps").
const IDLE: Duration = Duration::from_millis(500);

/// Hears what a batch did.
pub type Hear = Box<dyn Fn(&Told, usize) + Send>;

/// What the writer works with.
pub struct Writer {
    /// The store and the flows.
    pub driver: Driver,
    /// What time it is.
    pub clock: Clock,
    /// Where claimed sends go.
    pub jobs: mpsc::Sender<Job>,
    /// Sends under way at most: what is claimed holds its contact in memory.
    pub most_claimed: usize,
    /// Old rows are dropped after so many days; never where `None`.
    pub keep_days: Option<u32>,
    /// Hears what each batch did: with how many items it had.
    pub hear: Hear,
}

/// What an ask came to, answered after the commit.
enum Out {
    Answers(Vec<Answer>),
    Done(Done),
    Begin(Begin),
    Settled,
    Nothing,
}

/// The machine's steady clock: for idle moments, and to find out that the other one has jumped.
#[expect(clippy::disallowed_methods, reason = "no decision about a flow is taken by it")]
fn steady() -> Monotonic {
    Monotonic::now()
}

/// The thread's own memory.
struct Desk {
    writer: Writer,
    handle: Handle,
    /// Sends that are claimed and not settled.
    claimed: usize,
    pause: Duration,
    is_failing: bool,
    prune_at: Option<Instant>,
    /// Asks that must not be lost, for the next batch.
    kept: VecDeque<(Ask, usize)>,
}

/// So often a stopping writer tries to write what it kept; then the next start finds out. Source: assumption.
const LAST_TRIES: usize = 5;

/// Runs until it is told to stop, or every handle is gone.
pub fn run(writer: Writer, handle: Handle, asks: &mpsc::Receiver<(Ask, usize)>) -> Driver {
    let mut desk = Desk {
        writer,
        handle,
        claimed: 0,
        pause: FIRST_PAUSE,
        is_failing: false,
        prune_at: None,
        kept: VecDeque::new(),
    };
    let mut glanced = (desk.writer.clock.now(), steady());
    let mut wait = Duration::ZERO;
    let (mut idle_since, mut is_checkpointed) = (steady(), true);
    let mut last_tries = None;
    loop {
        let mut batch: Vec<(Ask, usize)> = desk.kept.drain(..).collect();
        if batch.is_empty() || desk.is_failing {
            match asks.recv_timeout(wait) {
                Ok(ask) => batch.push(ask),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => last_tries = last_tries.or(Some(LAST_TRIES)),
            }
        }
        let mut items: usize = batch.iter().map(|(_, items)| items).sum();
        while items < MOST_ITEMS && batch.len() < MOST_ASKS {
            let Ok((ask, count)) = asks.try_recv() else { break };
            items += count;
            batch.push((ask, count));
        }
        if batch.iter().any(|(ask, _)| matches!(ask, Ask::Stop)) {
            last_tries = last_tries.or(Some(LAST_TRIES));
        }
        batch.retain(|(ask, _)| !matches!(ask, Ask::Look | Ask::Stop));
        let now = desk.writer.clock.now();
        desk.look_for_jumps(&mut glanced, now);
        let is_busy = !batch.is_empty();
        wait = desk.batch(now, batch, last_tries.is_some());
        if let Some(tries) = &mut last_tries {
            if desk.kept.is_empty() || *tries == 0 {
                break;
            }
            *tries -= 1;
        }
        if is_busy {
            (idle_since, is_checkpointed) = (steady(), false);
        } else if !is_checkpointed && idle_since.elapsed() > IDLE {
            is_checkpointed = true;
            // A reader that is at it makes it do less; the next idle moment does the rest.
            let _ = desk.writer.driver.store().checkpoint();
        }
        if !is_checkpointed {
            wait = wait.min(IDLE);
        }
    }
    // Nobody is to wait for an answer that never comes: what is still in the queue is dropped with its senders.
    desk.writer.driver
}

impl Desk {
    /// One batch of asks and of what is due; how long nothing needs to be done after it.
    fn batch(&mut self, now: Instant, batch: Vec<(Ask, usize)>, is_stopping: bool) -> Duration {
        let items: usize = batch.iter().map(|(_, items)| items).sum();
        let room = self.writer.most_claimed.saturating_sub(self.claimed).min(MOST_CLAIMS);
        let room = if is_stopping { 0 } else { room };
        let done = self.writer.driver.batch(now, |driver| {
            let outs = batch.iter().map(|(ask, _)| perform(driver, now, ask)).collect::<Result<Vec<Out>>>()?;
            if is_stopping {
                return Ok((outs, Vec::new(), false));
            }
            let woken = driver.wake_due(now, MOST_WAKES)?;
            let jobs = if room > 0 { driver.claim_due(now, room)? } else { Vec::new() };
            let walked = driver.walk(MOST_TOLD)?;
            if woken == 0 {
                driver.end_restore()?;
            }
            let more = woken == MOST_WAKES || jobs.len() == MOST_CLAIMS || walked;
            Ok((outs, jobs, more))
        });
        match done {
            Ok(((outs, jobs, has_more), told)) => {
                (self.pause, self.is_failing) = (FIRST_PAUSE, false);
                for ((ask, items), out) in batch.into_iter().zip(outs) {
                    self.handle.taken(items);
                    self.answer(ask, out);
                }
                self.claimed += jobs.len();
                for job in jobs {
                    // Where nobody sends any more, the next start takes the claims over.
                    let _ = self.writer.jobs.send(job);
                }
                (self.writer.hear)(&told, items);
                self.prune(now);
                if has_more || !self.kept.is_empty() { Duration::ZERO } else { self.until_next(now) }
            }
            // One ask that cannot be carried out is not to take the others with it, nor is what was merely due beside a
            // single one: its result of a hand-over would be lost.
            Err(error) if error.kind == Kind::Corrupt && (batch.len() > 1 || batch.len() == 1 && !is_stopping) => {
                tracing::error!(error = redact::text(&error.message), "a batch is taken apart");
                for one in batch {
                    self.batch(now, vec![one], true);
                }
                Duration::ZERO
            }
            Err(error) => {
                if !self.is_failing {
                    let message = redact::text(&error.message);
                    tracing::error!(error = message, hint = %error.hint, "the store cannot be written");
                }
                for (ask, items) in batch {
                    self.handle.taken(items);
                    self.put_off(ask, &error);
                }
                self.is_failing = true;
                let pause = self.pause;
                self.pause = (pause * 2).min(LONGEST_PAUSE);
                pause
            }
        }
    }

    /// How long nothing is due. Where no sender is free, sends that are due wait for one.
    fn until_next(&self, now: Instant) -> Duration {
        let driver = &self.writer.driver;
        let next = if self.claimed < self.writer.most_claimed { driver.next_due() } else { driver.next_wake() };
        match next {
            Ok(Some(at)) if at <= now => Duration::ZERO,
            Ok(Some(at)) => self.writer.clock.until(at, GLANCE),
            Ok(None) => GLANCE,
            Err(_) => LONGEST_PAUSE,
        }
    }

    fn answer(&mut self, ask: Ask, out: Out) {
        // Whoever does not wait any more needs no answer.
        match (ask, out) {
            (Ask::Events(_, _, reply) | Ask::Contacts(_, reply) | Ask::Histories(_, reply), Out::Answers(answers)) => {
                drop(reply.send(Ok(answers)))
            }
            (Ask::Order(_, _, reply), Out::Done(done)) => drop(reply.send(Ok(done))),
            (Ask::Begin(_, _, _, reply), Out::Begin(begin)) => {
                if begin == Begin::No {
                    self.claimed = self.claimed.saturating_sub(1);
                }
                drop(reply.send(begin));
            }
            (Ask::Settle(_, _, _, reply), Out::Settled) => {
                self.claimed = self.claimed.saturating_sub(1);
                let _ = reply.send(());
            }
            _ => {}
        }
    }

    /// Nothing of an ask was stored: callers are told, results of hand-overs are kept for the next batch.
    fn put_off(&mut self, ask: Ask, error: &Error) {
        let busy = || Busy::Store(format!("{error}. {}", error.hint));
        match ask {
            Ask::Events(_, _, reply) | Ask::Contacts(_, reply) | Ask::Histories(_, reply) => {
                drop(reply.send(Err(busy())))
            }
            Ask::Order(_, _, reply) => drop(reply.send(Err(busy()))),
            Ask::Begin(key, attempt, _, reply) => {
                drop(reply.send(Begin::No));
                let handed =
                    Handed::Later { detail: "the store could not be written".to_owned(), after_millis: Some(1_000) };
                self.kept.push_back((Ask::Settle(key, attempt, handed, mpsc::sync_channel(1).0), 0));
            }
            // What cannot be stored for what is in the store already will not be stored later either: the row stays as
            // it is, and the next start makes it unknown.
            Ask::Settle(key, ..) if error.kind == Kind::Corrupt => {
                tracing::error!(send = redact::key(&key.to_string()), "a result cannot be kept");
                self.claimed = self.claimed.saturating_sub(1);
            }
            Ask::Settle(..) => self.kept.push_back((ask, 0)),
            Ask::Look | Ask::Stop => {}
        }
    }

    /// Tells of a clock that has jumped: what is due by the wall is due (SEMANTICS R26).
    fn look_for_jumps(&mut self, glanced: &mut (Instant, Monotonic), now: Instant) {
        if matches!(self.writer.clock, Clock::Real) {
            let steady = i64::try_from(glanced.1.elapsed().as_millis()).unwrap_or(i64::MAX);
            let jumped = now.since(glanced.0) - steady;
            if jumped.abs() > JUMP_MILLIS {
                tracing::warn!(seconds = jumped / 1_000, "the clock has jumped, or the machine was asleep");
                // A clock that is wrong for a while must not make everything old.
                self.prune_at = Some(now.plus_millis(CARE_MILLIS));
            }
        }
        *glanced = (now, steady());
    }

    /// Drops old rows every ten minutes, a page at a time.
    fn prune(&mut self, now: Instant) {
        let Some(days) = self.writer.keep_days else { return };
        // Not at once: whoever starts has more to do; and not while the clock is looked at with care.
        let at = *self.prune_at.get_or_insert(now.plus_millis(PRUNE_EVERY_MILLIS));
        if now < at && at.since(now) <= CARE_MILLIS {
            return;
        }
        let pruned = self.writer.driver.batch(now, |driver| driver.prune_page(now, days));
        let pause = match pruned {
            // There may be more: soon again, between other batches.
            Ok(((rows, sends), _)) if rows + sends > 0 => PRUNE_AGAIN_MILLIS,
            Ok(_) => PRUNE_EVERY_MILLIS,
            Err(error) => {
                tracing::warn!(error = redact::text(&error.message), "old rows could not be dropped");
                PRUNE_EVERY_MILLIS
            }
        };
        self.prune_at = Some(now.plus_millis(pause));
    }
}

/// How often old rows are looked for, in milliseconds. Source: assumption.
const PRUNE_EVERY_MILLIS: i64 = 600_000;
/// After a jump of the clock nothing is dropped for so long, in milliseconds: a day. Source: assumption.
const CARE_MILLIS: i64 = 86_400_000;
/// The pause before the next page where there was something to drop, in milliseconds. Source: assumption.
const PRUNE_AGAIN_MILLIS: i64 = 1_000;

fn perform(driver: &mut Driver, now: Instant, ask: &Ask) -> Result<Out> {
    Ok(match ask {
        Ask::Events(items, way, _) => {
            Out::Answers(items.iter().map(|item| driver.event_by(*way, now, item)).collect::<Result<_>>()?)
        }
        Ask::Contacts(items, _) => {
            Out::Answers(items.iter().map(|item| driver.change(now, item)).collect::<Result<_>>()?)
        }
        Ask::Histories(items, _) => {
            Out::Answers(items.iter().map(|item| driver.history(now, item)).collect::<Result<_>>()?)
        }
        Ask::Order(who, order, _) => Out::Done(driver.order(now, who, order)?),
        Ask::Begin(key, attempt, mail, _) => Out::Begin(driver.begin(now, key, *attempt, mail.as_deref())?),
        Ask::Settle(key, attempt, handed, _) => {
            driver.settle(now, key, *attempt, handed)?;
            Out::Settled
        }
        Ask::Look | Ask::Stop => Out::Nothing,
    })
}
