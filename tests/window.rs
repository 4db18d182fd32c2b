//! Pictures of the studio's window, kept: light, dark, at two pixels per point, and small.
//!
//! A picture that moves on by intent is drawn anew with `FLOWLOOM_KEEP_PICTURES=1 cargo test --test main window` and
//! looked at before it is committed.

use std::{fs, path::Path, process::Command};

/// Share of pixels that may differ, in per cent: letters are smoothed by arithmetic that processors round their own
/// way. Source: assumption; a control that moves by a few points is more.
const MOST_DIFFERENT_PERCENT: f64 = 1.5;
/// Steps of a channel that count as different.
const TOLERANCE: u8 = 24;

fn pixels(path: &Path) -> ((u32, u32), Vec<u8>) {
    let file = std::io::BufReader::new(fs::File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display())));
    let mut reader = png::Decoder::new(file).read_info().expect("a picture");
    let mut bytes = vec![0; reader.output_buffer_size().expect("of a size")];
    let info = reader.next_frame(&mut bytes).expect("a picture");
    bytes.truncate(info.buffer_size());
    ((info.width, info.height), bytes)
}

fn check(name: &str, arguments: &[&str]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().expect("a folder");
    let (drawn, kept) = (folder.path().join("window.png"), root.join(format!("tests/fixtures/window/{name}.png")));
    let mut program = Command::new(env!("CARGO_BIN_EXE_flowloom"));
    program.current_dir(root).arg("snapshot").arg("sample_flows/watch-shop/watch-shop.flow.ron");
    let output = program.arg("--out").arg(&drawn).args(arguments).output().expect("runs");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    if std::env::var_os("FLOWLOOM_KEEP_PICTURES").is_some() {
        fs::copy(&drawn, &kept).expect("kept");
    }
    let ((size, new), (old_size, old)) = (pixels(&drawn), pixels(&kept));
    assert_eq!(size, old_size, "{name}");
    assert_eq!(new.len(), old.len(), "{name}");
    let channels = new.len() / (size.0 as usize * size.1 as usize);
    let pairs = new.chunks_exact(channels).zip(old.chunks_exact(channels));
    let differs = |(a, b): &(&[u8], &[u8])| a.iter().zip(b.iter()).any(|(a, b)| a.abs_diff(*b) > TOLERANCE);
    let percent = 100.0 * pairs.filter(differs).count() as f64 / f64::from(size.0 * size.1);
    assert!(
        percent <= MOST_DIFFERENT_PERCENT,
        "{name}: {percent:.2} % of the window look different; if they should, keep the new picture (see the head of this file)"
    );
}

#[test]
fn the_window_looks_as_kept() {
    check("light", &["--size", "1440x900", "--theme", "light"]);
    check("dark", &["--size", "1440x900", "--theme", "dark"]);
    check("twice", &["--size", "720x450", "--scale", "2", "--theme", "light"]);
    check("small", &["--size", "800x600", "--theme", "dark"]);
    check("timeline", &["--size", "1440x900", "--panel", "timeline"]);
    check("matrix", &["--size", "1440x900", "--page", "matrix"]);
}
