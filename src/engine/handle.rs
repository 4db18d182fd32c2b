//! The engine as others hold it: asks go into the writer's queue, answers come after the commit.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use tokio::sync::oneshot;

use super::work::{Answer, Begin, Busy, Done, Handed, History, NewContact, NewEvent, Order, Way};
use crate::{
    audience::{Properties, Value},
    base::SendKey,
    kinds::runtime::Change,
};

/// So many items may wait for the writer before callers are told to come back; bounds the memory of a flood.
/// Source: assumption, about two seconds of work of a slow disk.
pub const MOST_WAITING: usize = 20_000;

/// How often a sender that waits for its result to be stored looks whether the engine stops, and how often it looks
/// then.
const GLANCE: Duration = Duration::from_millis(200);
const LAST_GLANCES: u32 = 25;

/// What lies in the writer's queue.
#[derive(Debug)]
pub enum Ask {
    /// Events, and the way by which they came.
    Events(Vec<NewEvent>, Way, oneshot::Sender<Result<Vec<Answer>, Busy>>),
    /// Contacts.
    Contacts(Vec<NewContact>, oneshot::Sender<Result<Vec<Answer>, Busy>>),
    /// Contacts with a past.
    Histories(Vec<History>, oneshot::Sender<Result<Vec<Answer>, Busy>>),
    /// An order, and who gave it.
    Order(String, Box<Order>, oneshot::Sender<Result<Done, Busy>>),
    /// May this claim go to its transport? With the mail as it would leave, to be kept.
    Begin(SendKey, u32, Option<Vec<u8>>, oneshot::Sender<Begin>),
    /// What became of a claim: of one that never began (it could not be rendered) or of a hand-over.
    Settle(SendKey, u32, Handed, mpsc::SyncSender<()>),
    /// Look at the clock: something may be due.
    Look,
    /// Finish what is there and stop.
    Stop,
}

impl Ask {
    /// How many items it counts for in the queue; large ones count as several, so that memory is bounded, too.
    fn len(&self) -> usize {
        match self {
            Self::Events(items, ..) => items.iter().map(weight_of_event).sum(),
            Self::Contacts(items, _) => items.iter().map(|item| 1 + bytes_of_change(&item.change) / ITEM_BYTES).sum(),
            Self::Histories(items, _) => items.iter().map(weight_of_history).sum(),
            Self::Order(..) => 1,
            // The engine's own work never waits for room: it makes room.
            Self::Begin(..) | Self::Settle(..) | Self::Look | Self::Stop => 0,
        }
    }
}

/// An item of so many bytes counts as two, of twice as many as three. Source: assumption; events have some hundred.
const ITEM_BYTES: usize = 4_096;

fn bytes_of(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::List(items) => items.iter().map(|item| size_of::<Value>() + bytes_of(item)).sum(),
        Value::Object(map) => bytes_of_all(map),
        // They hold no memory of their own, or a few bytes.
        _ => 0,
    }
}

fn bytes_of_all(map: &Properties) -> usize {
    map.iter().map(|(name, value)| name.len() + size_of::<Value>() + bytes_of(value)).sum()
}

fn bytes_of_change(change: &Change) -> usize {
    let set = change.set.iter().map(|(name, value)| name.len() + value.as_ref().map_or(0, bytes_of));
    let lists = change.lists_add.iter().chain(&change.lists_remove).map(|name| size_of_val(name) + name.len());
    set.chain(lists).sum()
}

fn weight_of_event(event: &NewEvent) -> usize {
    1 + (bytes_of_all(&event.properties) + event.change.as_ref().map_or(0, bytes_of_change)) / ITEM_BYTES
}

fn weight_of_history(history: &History) -> usize {
    let contact = 1 + bytes_of_all(&history.contact.properties) / ITEM_BYTES;
    let events = history.events.iter().map(|event| 1 + bytes_of_all(&event.properties) / ITEM_BYTES);
    contact + events.sum::<usize>()
}

/// A mail as it is kept: gzip.
fn packed(mail: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut writer, mail)?;
    writer.finish()
}

/// A handle; cheap to clone.
#[derive(Clone, Debug)]
pub struct Handle {
    queue: mpsc::Sender<(Ask, usize)>,
    waiting: Arc<AtomicUsize>,
    closing: Arc<AtomicBool>,
}

impl Handle {
    /// A handle, and the queue that the writer empties. The number beside each ask is given back with `taken`.
    pub fn new() -> (Self, mpsc::Receiver<(Ask, usize)>) {
        let (queue, asks) = mpsc::channel();
        let (waiting, closing) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        (Self { queue, waiting, closing }, asks)
    }

    /// Items that wait for the writer.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// The writer is done with so many items.
    pub(super) fn taken(&self, items: usize) {
        self.waiting.fetch_sub(items, Ordering::Relaxed);
    }

    fn put(&self, ask: Ask) -> Result<(), Busy> {
        let items = ask.len();
        let before = self.waiting.fetch_add(items, Ordering::Relaxed);
        if items > 0 && before > 0 && before + items > MOST_WAITING {
            self.waiting.fetch_sub(items, Ordering::Relaxed);
            return Err(Busy::Full { retry_after: 1 });
        }
        self.queue.send((ask, items)).map_err(|_| {
            self.waiting.fetch_sub(items, Ordering::Relaxed);
            Busy::Stopping
        })
    }

    async fn ask<T>(&self, ask: impl FnOnce(oneshot::Sender<Result<T, Busy>>) -> Ask) -> Result<T, Busy> {
        let (reply, answer) = oneshot::channel();
        self.put(ask(reply))?;
        answer.await.unwrap_or(Err(Busy::Stopping))
    }

    /// Takes events of the API; one answer each, after the commit that holds them.
    ///
    /// Errors: nothing was taken, and why.
    pub async fn events(&self, items: Vec<NewEvent>) -> Result<Vec<Answer>, Busy> {
        self.events_by(Way::Events, items).await
    }

    /// As [`Self::events`], by any way.
    ///
    /// Errors: as there.
    pub async fn events_by(&self, way: Way, items: Vec<NewEvent>) -> Result<Vec<Answer>, Busy> {
        self.ask(|reply| Ask::Events(items, way, reply)).await
    }

    /// Takes contacts; one answer each, after the commit that holds them.
    ///
    /// Errors: nothing was taken, and why.
    pub async fn contacts(&self, items: Vec<NewContact>) -> Result<Vec<Answer>, Busy> {
        self.ask(|reply| Ask::Contacts(items, reply)).await
    }

    /// Takes contacts with a past that lets nobody in.
    ///
    /// Errors: nothing was taken, and why.
    pub async fn histories(&self, items: Vec<History>) -> Result<Vec<Answer>, Busy> {
        self.ask(|reply| Ask::Histories(items, reply)).await
    }

    /// Gives an order; `by` stands in the audit line.
    ///
    /// Errors: it was not looked at, and why.
    pub async fn order(&self, by: &str, order: Order) -> Result<Done, Busy> {
        let by = by.to_owned();
        self.ask(|reply| Ask::Order(by, Box::new(order), reply)).await
    }

    /// As [`Self::order`], for threads that may wait. Not to be called from async code.
    ///
    /// Errors: as there.
    pub fn order_and_wait(&self, by: &str, order: Order) -> Result<Done, Busy> {
        let (reply, answer) = oneshot::channel();
        self.put(Ask::Order(by.to_owned(), Box::new(order), reply))?;
        answer.blocking_recv().unwrap_or(Err(Busy::Stopping))
    }

    /// May this claim go to its transport now? Blocks until the commit that says *handing over*; `mail` is kept as what
    /// was sent. Not to be called from async code.
    pub fn begin(&self, key: &SendKey, attempt: u32, mail: Option<Vec<u8>>) -> Begin {
        let (reply, answer) = oneshot::channel();
        // Packed here, in the sender's thread; a mail that cannot be packed is sent and not kept.
        let mail = mail.and_then(|mail| packed(&mail).ok());
        if self.put(Ask::Begin(key.clone(), attempt, mail, reply)).is_err() {
            return Begin::No;
        }
        answer.blocking_recv().unwrap_or(Begin::No)
    }

    /// Says what became of a claim, and waits until that is durable. Not to be called from async code.
    pub fn settle(&self, key: &SendKey, attempt: u32, handed: Handed) {
        let (reply, answer) = mpsc::sync_channel(1);
        if self.put(Ask::Settle(key.clone(), attempt, handed, reply)).is_err() {
            return;
        }
        // Where the writer is gone, or cannot write while the engine stops, the row stays *handing over*, and the next
        // start makes it unknown.
        let mut left = LAST_GLANCES;
        while let Err(mpsc::RecvTimeoutError::Timeout) = answer.recv_timeout(GLANCE) {
            if self.closing.load(Ordering::Relaxed) {
                left -= 1;
                if left == 0 {
                    return;
                }
            }
        }
    }

    /// The engine stops: who waits for a result to be stored waits some seconds and no longer.
    pub(super) fn closing(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    /// Tells the writer to look at the clock.
    pub fn look(&self) {
        let _ = self.put(Ask::Look);
    }

    /// Tells the writer to finish what is there and to stop; who asks after that is told so.
    pub fn stop(&self) {
        let _ = self.put(Ask::Stop);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: usize) {
        let properties = [("list".into(), Value::List(vec![Value::text(text), Value::Bool(true)]))].into();
        let event = NewEvent {
            id: "e".into(),
            contact: "ada".into(),
            name: "Viewed".into(),
            happened: None,
            properties,
            change: Some(Change { lists_add: vec![text.into()], ..Change::default() }),
        };
        assert_eq!(
            Ask::Events(vec![event.clone(), event], Way::Events, oneshot::channel().0).len(),
            2 * expected,
            "{}",
            text.len()
        );
    }

    #[test]
    fn large_items_count_as_several() {
        check("", 1);
        check("a usual text", 1);
        check(&"x".repeat(2_048), 2);
        check(&"x".repeat(128 * 1_024), 65);
    }
}
