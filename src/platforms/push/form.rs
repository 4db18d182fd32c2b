//! A file with fields beside it, as browsers send forms (RFC 7578, `multipart/form-data`).
//!
//! The one idea: the few lines that two endpoints need, rather than a feature of the HTTP library that brings its own
//! guesses about file types. Names come from us and are plain, so nothing in a header needs to be escaped.

use crate::base::hash::version_hash;

/// A form with one file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::platforms) struct Form<'a> {
    /// Plain fields, by name.
    pub fields: Vec<(&'static str, String)>,
    /// Name of the file: letters, digits, `-`, `.` and `_`.
    pub file_name: &'a str,
    /// What it is: `image/png`.
    pub media: &'static str,
    /// What is in it.
    pub bytes: &'a [u8],
}

impl Form<'_> {
    /// The line between the parts: it depends on the file, so that the file does not hold it.
    fn boundary(&self) -> String {
        format!("flowloom-{}", version_hash(self.bytes))
    }

    /// The header that says where parts end.
    pub fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary())
    }

    /// The whole body; the file is the part `file`.
    pub fn body(&self) -> Vec<u8> {
        let boundary = self.boundary();
        let mut out = Vec::with_capacity(self.bytes.len() + 1_024);
        for (name, value) in &self.fields {
            let head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            out.extend_from_slice(head.as_bytes());
        }
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{}\"\r\nContent-Type: {}\r\n\r\n",
            self.file_name, self.media
        );
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(self.bytes);
        out.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_written_as_the_standard_says() {
        let form = Form {
            fields: vec![("name", "a.png".into())],
            file_name: "a.png",
            media: "image/png",
            bytes: b"\x89PNG\r\n--",
        };
        let boundary = form.boundary();
        let mut expected = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\na.png\r\n\
             --{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n"
        )
        .into_bytes();
        expected.extend_from_slice(b"\x89PNG\r\n--");
        expected.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        assert_eq!(form.body(), expected);
        assert!(form.content_type().ends_with(&boundary) && boundary.len() <= 70, "{boundary}");
    }
}
