//! Images of a workspace: the files in its `images/`, read with a limit, and nothing outside.

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

#[cfg(feature = "picture")]
use std::path::PathBuf;

#[cfg(feature = "picture")]
use crate::content::picture::{ImageFault, ImageSource, MAX_IMAGE_BYTES};

/// The folder of a workspace that has its images.
pub const IMAGES_FOLDER: &str = "images";

/// Why there is no image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NoImage {
    /// There is no file of that name.
    Missing,
    /// It has more bytes than asked for.
    TooLarge,
    /// What the operating system says, or that it lies outside.
    Unreadable(String),
}

impl NoImage {
    /// Why, as the end of a sentence; `most_bytes` were asked for at most.
    pub fn said(&self, most_bytes: usize) -> String {
        match self {
            Self::Missing => "there is no such file in the workspace".to_owned(),
            Self::TooLarge => format!("it is larger than {} MB", most_bytes / 1_000_000),
            Self::Unreadable(why) => why.clone(),
        }
    }
}

/// What a push reads pictures with: those of a workspace's `folder`, or of the folder of a lone `flow`.
pub fn pictures(folder: Option<&Path>, flow: &Path) -> impl Fn(&str, usize) -> Result<Vec<u8>, String> + use<> {
    let folder = folder.or_else(|| flow.parent()).map(Path::to_owned).unwrap_or_default();
    move |path, most_bytes| image(&folder, path, most_bytes).map_err(|why| why.said(most_bytes))
}

/// The images of the workspace in a folder, for pictures of its mails.
#[cfg(feature = "picture")]
#[derive(Clone, Debug)]
pub struct ImageFolder(pub PathBuf);

#[cfg(feature = "picture")]
impl ImageSource for ImageFolder {
    fn image(&self, path: &str) -> Result<Vec<u8>, ImageFault> {
        image(&self.0, path, MAX_IMAGE_BYTES).map_err(|fault| match fault {
            NoImage::Missing => ImageFault::Missing,
            NoImage::TooLarge => ImageFault::TooLarge,
            NoImage::Unreadable(why) => ImageFault::Unreadable(why),
        })
    }
}

/// Reads an image of the workspace in `folder`, of at most `most_bytes`. `path` is relative to its `images/`.
///
/// Errors: there is none; it is too large, and then hardly any of it was read; a link or `..` leads out of the folder.
pub fn image(folder: &Path, path: &str, most_bytes: usize) -> Result<Vec<u8>, NoImage> {
    let said = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => NoImage::Missing,
        _ => NoImage::Unreadable(format!("it cannot be read: {error}")),
    };
    let images = fs::canonicalize(folder.join(IMAGES_FOLDER)).map_err(said)?;
    let file = fs::canonicalize(images.join(path)).map_err(said)?;
    if !file.starts_with(&images) {
        return Err(NoImage::Unreadable("it lies outside images/".to_owned()));
    }
    if !file.is_file() {
        return Err(NoImage::Unreadable("it is no file".to_owned()));
    }
    let mut bytes = Vec::new();
    let most = most_bytes as u64;
    fs::File::open(file).and_then(|file| file.take(most + 1).read_to_end(&mut bytes)).map_err(said)?;
    if bytes.len() as u64 > most { Err(NoImage::TooLarge) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_in_the_folder_is_read() {
        let home = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
        let put = |path: &str, bytes: &[u8]| {
            let path = home.path().join(path);
            let folder = path.parent().unwrap_or(home.path());
            fs::create_dir_all(folder).and_then(|()| fs::write(path, bytes)).unwrap_or_else(|e| panic!("{e}"));
        };
        let image = |path: &str| image(home.path(), path, 10);
        assert_eq!(image("a.png"), Err(NoImage::Missing), "there is no folder yet");
        put("images/sub/a.png", b"0123456789");
        put("images/big.png", b"0123456789+");
        put("secret.png", b"s");
        assert_eq!(image("sub/a.png").as_deref(), Ok(&b"0123456789"[..]));
        assert_eq!(image("b.png"), Err(NoImage::Missing));
        assert_eq!(image("big.png"), Err(NoImage::TooLarge));
        // 100 MB, of which hardly any is read: the file has a hole for all of it.
        let file = fs::File::create(home.path().join("images/huge.png")).unwrap_or_else(|e| panic!("{e}"));
        file.set_len(100 << 20).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(image("huge.png"), Err(NoImage::TooLarge));
        assert!(matches!(image("../secret.png"), Err(NoImage::Unreadable(_))));
        assert!(matches!(image("sub"), Err(NoImage::Unreadable(_))));
        #[cfg(unix)]
        {
            let link = home.path().join("images/link.png");
            std::os::unix::fs::symlink(home.path().join("secret.png"), link).unwrap_or_else(|e| panic!("{e}"));
            assert!(matches!(image("link.png"), Err(NoImage::Unreadable(_))), "a link does not lead out either");
        }
    }
}
