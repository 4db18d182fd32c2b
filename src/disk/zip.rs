//! Files as one ZIP: for handing an export over.
//!
//! The one idea: the same files give the same bytes, so nothing of the machine or the day is in it: names in their
//! order, one instant for all, stored as they are (an export is small, and a compressor's next version would change
//! it).

use std::io::{Cursor, Write as _};

use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

use super::{Error, Files};

/// The files as one ZIP; all lie in a folder of that name, so that unpacking litters nothing.
///
/// Errors: what the format cannot hold, such as a name of more than 64 KiB.
pub fn zipped(name: &str, files: &Files) -> Result<Vec<u8>, Error> {
    let refused = |error: &dyn std::fmt::Display| {
        Error::refused(format!("The ZIP cannot be made: {error}"), "Export to a folder instead")
    };
    // 1980-01-01 00:00:00, the first instant of the format. 0o644: readable for everybody.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in &files.0 {
        writer.start_file(format!("{name}/{path}"), options).map_err(|error| refused(&error))?;
        writer.write_all(bytes).map_err(|error| refused(&error))?;
    }
    Ok(writer.finish().map_err(|error| refused(&error))?.into_inner())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn the_same_files_give_the_same_bytes_and_come_out_again() {
        let mut files = Files::default();
        files.add("flow.json", "{}");
        files.add("sample/mail-1/Zoë.txt", vec![7; 70_000]);
        let one = zipped("watch-klaviyo", &files).expect("a ZIP");
        assert_eq!(one, zipped("watch-klaviyo", &files).expect("a ZIP"));
        let mut archive = zip::ZipArchive::new(Cursor::new(one)).expect("readable");
        assert_eq!(archive.len(), files.0.len());
        for (path, bytes) in &files.0 {
            let mut entry = archive.by_name(&format!("watch-klaviyo/{path}")).expect("there");
            assert_eq!(entry.last_modified().map(|at| (at.year(), at.month(), at.day())), Some((1980, 1, 1)));
            let mut got = Vec::new();
            entry.read_to_end(&mut got).expect("whole");
            assert_eq!(&got, bytes, "{path}");
        }
    }
}
