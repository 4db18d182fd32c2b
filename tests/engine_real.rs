//! The real program, killed with -9 while it takes events and sends mails by a real mail server: `engine_real/kill9.py`
//! says what must hold.
//!
//! Runs where Python has aiosmtpd (`FLOWLOOM_PYTHON`, as for the fidelity proofs); with `FLOWLOOM_PROOFS` set it fails
//! rather than pass without having run. `FLOWLOOM_KILLS` says how often, `FLOWLOOM_SEED` how.

use std::{env, path::Path, process::Command};

/// Kills where nobody says how many: enough to find what is broken outright.
const KILLS: &str = "5";

#[test]
fn killed_at_random_nothing_is_lost_and_nothing_doubled() {
    let python = env::var("FLOWLOOM_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let ready = Command::new(&python).args(["-c", "import aiosmtpd"]).output();
    if !ready.is_ok_and(|output| output.status.success()) {
        assert!(env::var_os("FLOWLOOM_PROOFS").is_none(), "FLOWLOOM_PROOFS is set, but {python} has no aiosmtpd");
        println!("skipped: {python} has no aiosmtpd, so the engine was not killed");
        return;
    }
    let said = |name: &str, usual: &str| env::var(name).unwrap_or_else(|_| usual.to_owned());
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new(&python)
        .env("PYTHONUTF8", "1")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engine_real/kill9.py"))
        .args(["--program", env!("CARGO_BIN_EXE_flowloom"), "--kills", &said("FLOWLOOM_KILLS", KILLS)])
        .args(["--seed", &said("FLOWLOOM_SEED", "1")])
        .arg("--work")
        .arg(folder.path().join("work"))
        .output()
        .expect("it runs");
    let told = String::from_utf8_lossy(&output.stdout);
    println!("{}", told.trim());
    let log = std::fs::read_to_string(folder.path().join("work/engine.log")).unwrap_or_default();
    assert!(!log.contains("panicked"), "{log}");
    let end: Vec<&str> = log.lines().rev().take(20).collect();
    assert!(output.status.success(), "{told}\n{}\nthe log ends: {end:#?}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("kill9: nothing lost, nothing doubled"), "{told}");
}
