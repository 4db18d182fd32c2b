//! The writer's thread: floods, faults and endings, as its callers meet them.

use std::{
    sync::{Arc, Barrier, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};

use flowloom::{
    base::SendKey,
    engine::{
        clock::Clock,
        driver::Driver,
        handle::{Ask, Handle, MOST_WAITING},
        store::{Kind, Store},
        work::{Answer, Begin, Busy, Handed, Job, Standing},
        writer::{self, Writer},
    },
    kinds::runtime::Outcome,
};
use tokio::{
    runtime::Runtime,
    task::{LocalSet, spawn_local, yield_now},
};

use super::{
    broken::{at, begin_with, event},
    disk::{Disk, Fault, VFS},
};

/// Nothing that is waited for takes so long.
const LONG: Duration = Duration::from_secs(60);

struct Running {
    handle: Handle,
    clock: Clock,
    jobs: mpsc::Receiver<Job>,
    thread: JoinHandle<Driver>,
}

fn run(driver: Driver, queue: (Handle, mpsc::Receiver<(Ask, usize)>)) -> Running {
    let (handle, asks) = queue;
    let clock = Clock::fake(at(10));
    let (send, jobs) = mpsc::channel();
    let writer = Writer {
        driver,
        clock: clock.clone(),
        jobs: send,
        most_claimed: 8,
        keep_days: None,
        hear: Box::new(|_, _| {}),
    };
    let own = handle.clone();
    let thread = thread::Builder::new().name("writer".to_owned()).spawn(move || writer::run(writer, own, &asks));
    Running { handle, clock, jobs, thread: thread.expect("starts") }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("starts")
}

fn on(disk: &Disk) -> Driver {
    let mut driver = Driver::on(Store::open_on(&disk.path(), VFS).expect("opens")).expect("reads");
    begin_with(&mut driver, &["ada", "ben"]);
    driver
}

fn events_of(driver: &Driver, id: &str) -> usize {
    driver.store().inputs(id).expect("reads").iter().filter(|(_, kind, _)| *kind == 0).count()
}

#[test]
fn a_flood_is_told_to_come_back_and_what_was_taken_is_answered() {
    let disk = Disk::new(1);
    let driver = on(&disk);
    let queue = Handle::new();
    let handle = queue.0.clone();
    let each = MOST_WAITING / 10;
    // One is new in each request, and comes again and again: what is known costs little.
    let batch = move |n: usize, each: usize| vec![event(&format!("e{n}"), "ada", "View"); each];
    runtime().block_on(LocalSet::new().run_until(async {
        // Nobody writes yet: the queue fills.
        let mut taken = Vec::new();
        for n in 0..10 {
            let handle = handle.clone();
            taken.push(spawn_local(async move { handle.events(batch(n, each)).await }));
            yield_now().await;
        }
        assert_eq!(handle.waiting(), MOST_WAITING);
        let refused = handle.events(vec![event("too-much", "ada", "View")]).await;
        assert!(matches!(refused, Err(Busy::Full { retry_after: 1.. })), "{refused:?}");
        // What the engine needs itself finds room all the same.
        handle.look();
        let running = run(driver, queue);
        for task in taken {
            let answers = task.await.expect("ends").expect("is taken");
            assert!(answers.len() == each && answers[0] == Answer::Accepted && answers[1] == Answer::Duplicate);
        }
        assert_eq!(handle.waiting(), 0);
        let again = handle.events(vec![event("too-much", "ada", "View")]).await;
        assert_eq!(again, Ok(vec![Answer::Accepted]));
        // One that is larger than the queue is taken where nothing waits.
        let much = batch(10, MOST_WAITING + 1);
        assert_eq!(handle.events(much).await.map(|answers| answers.len()), Ok(MOST_WAITING + 1));
        handle.stop();
        let driver = running.thread.join().expect("ends");
        assert_eq!(events_of(&driver, "ada"), 12);
    }));
}

#[test]
fn who_asks_while_it_stops_knows_what_became_of_it() {
    let disk = Disk::new(2);
    let running = run(on(&disk), Handle::new());
    let begin = Arc::new(Barrier::new(5));
    let askers: Vec<JoinHandle<usize>> = (0..4)
        .map(|asker| {
            let (handle, begin) = (running.handle.clone(), begin.clone());
            let ask = move || {
                begin.wait();
                let runtime = runtime();
                for n in 0.. {
                    let item = event(&format!("a{asker}-{n}"), "ada", "View");
                    match runtime.block_on(handle.events(vec![item])) {
                        Ok(answers) => assert_eq!(answers, [Answer::Accepted]),
                        Err(busy) => {
                            assert_eq!(busy, Busy::Stopping);
                            return n;
                        }
                    }
                }
                0
            };
            thread::Builder::new().name(format!("asker {asker}")).spawn(ask).expect("starts")
        })
        .collect();
    begin.wait();
    thread::sleep(Duration::from_millis(50));
    running.handle.stop();
    let driver = running.thread.join().expect("ends");
    let told: usize = askers.into_iter().map(|asker| asker.join().expect("ends")).sum();
    assert_eq!(events_of(&driver, "ada"), told, "as many are in the file as were said to be safe");
    let late = runtime().block_on(running.handle.events(vec![event("late", "ada", "View")]));
    assert_eq!(late, Err(Busy::Stopping));
    let key = SendKey::parse("ada/demo/1/first/1").expect("a send key");
    assert_eq!(running.handle.begin(&key, 1, None), Begin::No);
}

/// The store fails for a while: callers are told, results of hand-overs are kept, what could not begin comes again.
#[test]
fn a_store_that_fails_for_a_while() {
    let disk = Disk::new(3);
    let running = run(on(&disk), Handle::new());
    let runtime = runtime();
    let items = vec![event("e1", "ada", "Started Checkout"), event("e1", "ben", "Started Checkout")];
    assert_eq!(runtime.block_on(running.handle.events(items)), Ok(vec![Answer::Accepted, Answer::Accepted]));
    let first = running.jobs.recv_timeout(LONG).expect("a job");
    let second = running.jobs.recv_timeout(LONG).expect("a job");
    assert_eq!(running.handle.begin(&first.key, first.attempt, Some(b"mail".to_vec())), Begin::Go);

    disk.plan(&[Fault::Fails(1, u64::MAX)]);
    let told = runtime.block_on(running.handle.events(vec![event("e2", "ada", "View")]));
    assert!(matches!(&told, Err(Busy::Store(why)) if why.contains("disk I/O error")), "{told:?}");
    // The mail has left, and its result waits for the disk.
    let settles = {
        let (handle, key, attempt) = (running.handle.clone(), first.key.clone(), first.attempt);
        thread::Builder::new().name("sender".to_owned()).spawn(move || handle.settle(&key, attempt, Handed::Done))
    };
    let settles = settles.expect("starts");
    assert_eq!(running.handle.begin(&second.key, second.attempt, None), Begin::No, "nothing is handed over meanwhile");
    thread::sleep(Duration::from_millis(200));
    assert!(!settles.is_finished(), "it is not safe yet");

    disk.plan(&[]);
    settles.join().expect("is safe");
    assert_eq!(runtime.block_on(running.handle.events(vec![event("e2", "ada", "View")])), Ok(vec![Answer::Accepted]));
    running.clock.set(at(60_000));
    running.handle.look();
    let again = running.jobs.recv_timeout(LONG).expect("comes again");
    assert_eq!((&again.key, again.attempt), (&second.key, second.attempt + 1));
    running.handle.stop();
    let driver = running.thread.join().expect("ends");
    let standing = |key| driver.store().send(key).expect("reads").expect("is there").standing;
    assert_eq!(standing(&first.key), Standing::Settled(Outcome::Sent));
    assert_eq!((events_of(&driver, "ada"), events_of(&driver, "ben")), (2, 1));
}

/// Two engines on one folder: the second one is told which folder it is, and nothing happens to the first.
#[test]
fn a_folder_belongs_to_one_engine() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut driver = Driver::open(dir.path()).expect("opens");
    begin_with(&mut driver, &["ada"]);
    let running = run(driver, Handle::new());
    let error = Driver::open(dir.path()).expect_err("is taken");
    assert_eq!(error.kind, Kind::Locked);
    assert!(error.message.contains(&dir.path().display().to_string()) && !error.hint.is_empty(), "{error}");
    let answers = runtime().block_on(running.handle.events(vec![event("e1", "ada", "Started Checkout")]));
    assert_eq!(answers, Ok(vec![Answer::Accepted]));
    running.handle.stop();
    drop(running.thread.join().expect("ends"));
    let driver = Driver::open(dir.path()).expect("is free");
    assert_eq!(events_of(&driver, "ada"), 1);
}
