//! A drawn mail as a value: what the renderer gives and the window shows, also where the program is built without one.

/// A link in the picture.
#[derive(Clone, PartialEq, Debug)]
pub struct Link {
    /// Left, top, width and height in pixels of the picture.
    pub rect: [f32; 4],
    /// The address as the mail has it.
    pub href: String,
}

/// A drawn mail.
#[derive(Clone, PartialEq, Debug)]
pub struct Picture {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Rows from the top, four bytes a pixel: red, green, blue, alpha, premultiplied.
    pub rgba: Vec<u8>,
    /// Where the links are; a link over two lines is there twice.
    pub links: Vec<Link>,
    /// How many addresses elsewhere the mail wanted pictures or styles from. None was asked.
    pub remote_blocked: usize,
    /// Images that could not be shown, each with the reason.
    pub missing_images: Vec<String>,
    /// Visible words that have no place in the picture, in reading order; at most 50.
    pub lost_words: Vec<String>,
    /// What else a reader of the picture should know.
    pub notes: Vec<String>,
}
