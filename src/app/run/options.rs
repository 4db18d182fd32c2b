//! What an engine is started with besides its folder and its mails, as `flowloom run` takes it: how events come in,
//! text messages, calls, tracking.
//!
//! The one idea: the form keeps what is typed, and here it becomes arguments or a word about the field that is wrong.
//! Whether a file is there, the engine says itself when it starts. Secrets are never typed, only the names of files
//! that hold them: what a process is started with, others can read.

use serde::{Deserialize, Serialize};

use super::{Form, LISTEN};

/// The options, as typed; paths as the engine reads them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// A file with the secret that events must be sent with.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub secret_file: String,
    /// A file that says how webhooks of other systems are read.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mapping: String,
    /// A folder whose event files are taken in and moved away.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub watch: String,
    /// Where text messages are posted to.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sms: String,
    /// Headers for that address, one per line: `Authorization: Bearer ${TOKEN}`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sms_headers: String,
    /// A file of `NAME=value` lines for what flows and headers call `${NAME}`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub flow_secrets: String,
    /// Webhooks are called for real although mails go into a folder.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub calls: bool,
    /// A picture in mails says that they were opened.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub track_opens: bool,
    /// Links of mails lead by way of the engine.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub track_clicks: bool,
}

impl Options {
    /// Headers for text messages, one each.
    fn headers(&self) -> impl Iterator<Item = &str> {
        self.sms_headers.lines().map(str::trim).filter(|line| !line.is_empty())
    }

    /// On the command line of `flowloom run`.
    pub fn arguments(&self) -> Vec<String> {
        let paths = [
            ("--secret-file", &self.secret_file),
            ("--mapping", &self.mapping),
            ("--watch", &self.watch),
            ("--flow-secrets", &self.flow_secrets),
            ("--sms", &self.sms),
        ];
        let paths = paths.into_iter().map(|(name, value)| (name, value.trim())).filter(|(_, value)| !value.is_empty());
        let headers = self.headers().map(|header| ("--sms-header", header));
        // With the value behind an equals sign, one that begins with a dash is no option.
        let valued = paths.chain(headers).map(|(name, value)| format!("{name}={value}"));
        let flags =
            [("--calls", self.calls), ("--track-opens", self.track_opens), ("--track-clicks", self.track_clicks)];
        valued.chain(flags.into_iter().filter(|(_, is_on)| *is_on).map(|(name, _)| name.to_owned())).collect()
    }
}

/// Whether the options of a form can be used.
///
/// Errors: which field is wrong, and how it is written.
pub fn checked(form: &Form) -> Result<(), String> {
    let options = &form.options;
    if !is_near(host_of(form.listen.trim())) && options.secret_file.trim().is_empty() {
        return Err(
            "Other machines can reach that address: name a file with the secret that they send events with, or \
                    listen at 127.0.0.1"
                .to_owned(),
        );
    }
    let sms = options.sms.trim();
    let is_safe = match sms.split_once("://") {
        None => sms.is_empty(),
        Some((scheme, rest)) => {
            let host = host_of(rest.split(['/', '?', '#']).next().unwrap_or_default());
            !host.is_empty() && (scheme == "https" || scheme == "http" && is_near(host))
        }
    };
    if !is_safe {
        return Err("Write where text messages are posted to as https://sms.example/send".to_owned());
    }
    if sms.is_empty() && options.headers().next().is_some() {
        return Err("Headers for text messages need the address that they are posted to".to_owned());
    }
    let is_header = |line: &str| {
        let name = line.split_once(':').map_or("", |(name, _)| name.trim());
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    match options.headers().find(|line| !is_header(line)) {
        Some(_) => Err("Write a header for text messages as Authorization: Bearer ${TOKEN}, one per line".to_owned()),
        None => Ok(()),
    }
}

/// What is set of all that lies folded away, in one line; empty where all is as usual.
pub fn summary(form: &Form) -> String {
    let options = &form.options;
    let mut parts = Vec::new();
    let listen = form.listen.trim();
    if listen != LISTEN {
        parts.push(format!("listens at {listen}"));
    }
    let tracks = match (options.track_opens, options.track_clicks) {
        (true, true) => "sees opens and clicks",
        (true, false) => "sees opens",
        (false, true) => "sees clicks",
        (false, false) => "",
    };
    let is_set = |text: &str| !text.trim().is_empty();
    let words = [
        (is_set(&options.secret_file), "events need a secret"),
        (is_set(&options.mapping), "own webhooks"),
        (is_set(&options.watch), "watches a folder"),
        (is_set(&options.sms), "text messages"),
        (options.calls, "calls webhooks"),
        (!tracks.is_empty(), tracks),
    ];
    parts.extend(words.into_iter().filter(|(is_on, _)| *is_on).map(|(_, words)| words.to_owned()));
    let scale = form.time_scale.trim();
    if scale != "1" {
        parts.push(format!("time passes {scale} times as fast"));
    }
    parts.join(" \u{b7} ")
}

/// The host of an address with or without a user and a port.
fn host_of(address: &str) -> &str {
    let address = address.rsplit_once('@').map_or(address, |(_, host)| host);
    match address.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, _)) => host,
        None => address.rsplit_once(':').map_or(address, |(host, _)| host),
    }
}

/// Whether a host is this machine.
fn is_near(host: &str) -> bool {
    host == "localhost" || host == "::1" || host.starts_with("127.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(listen: &str, options: Options) -> Form {
        Form { listen: listen.into(), options, ..Form::default() }
    }

    /// `expected` is a part of what is said, or nothing where all is well.
    #[track_caller]
    fn check(listen: &str, options: Options, expected: &str) {
        match checked(&form(listen, options.clone())) {
            Ok(()) => assert_eq!(expected, "", "{listen} {options:?}"),
            Err(said) => assert!(!expected.is_empty() && said.contains(expected), "{listen} {options:?}: {said}"),
        }
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        let none = Options::default;
        for listen in [LISTEN, "localhost:1", "[::1]:7171", "127.1.2.3:80"] {
            check(listen, none(), "");
        }
        let secret = Options { secret_file: "/s".into(), ..none() };
        for listen in ["0.0.0.0:7171", "[::]:7171", "192.168.1.2:80"] {
            check(listen, none(), "a file with the secret");
            check(listen, Options { secret_file: " ".into(), ..none() }, "a file with the secret");
            check(listen, secret.clone(), "");
        }
        let sms = |sms: &str, headers: &str| Options { sms: sms.into(), sms_headers: headers.into(), ..none() };
        for good in [
            "https://sms.example/send",
            " https://sms.example ",
            "http://127.0.0.1:99/x",
            "http://[::1]:9",
            "http://localhost/",
        ] {
            check(LISTEN, sms(good, ""), "");
        }
        for bad in
            ["sms.example", "http://sms.example", "http://127.evil.example@sms.example", "https://", "ftp://localhost"]
        {
            check(LISTEN, sms(bad, ""), "https://sms.example/send");
        }
        check(LISTEN, sms("", "A: b"), "need the address");
        check(LISTEN, sms("https://x.example", "Authorization: Bearer ${TOKEN}\n\n X-Own : y "), "");
        check(LISTEN, sms("https://x.example", "Authorization: x\nBearer"), "one per line");
        check(LISTEN, sms("https://x.example", "A b: x"), "one per line");
    }

    #[test]
    fn they_are_given_as_a_terminal_would() {
        assert_eq!(Options::default().arguments(), Vec::<String>::new());
        let all = Options {
            secret_file: " /etc/secret ".into(),
            mapping: "own.ron".into(),
            watch: "-in".into(),
            sms: "https://sms.example".into(),
            sms_headers: "A: 1\n\nB: 2".into(),
            flow_secrets: "f".into(),
            calls: true,
            track_opens: true,
            track_clicks: true,
        };
        let expected = [
            "--secret-file=/etc/secret",
            "--mapping=own.ron",
            "--watch=-in",
            "--flow-secrets=f",
            "--sms=https://sms.example",
            "--sms-header=A: 1",
            "--sms-header=B: 2",
            "--calls",
            "--track-opens",
            "--track-clicks",
        ];
        assert_eq!(all.arguments(), expected);
    }

    #[test]
    fn what_is_folded_away_is_named() {
        assert_eq!(summary(&form(LISTEN, Options::default())), "");
        let options = Options { watch: "in".into(), track_clicks: true, ..Options::default() };
        assert_eq!(
            summary(&Form { time_scale: "60".into(), ..form("127.0.0.1:1", options) }),
            "listens at 127.0.0.1:1 \u{b7} watches a folder \u{b7} sees clicks \u{b7} time passes 60 times as fast"
        );
    }
}
