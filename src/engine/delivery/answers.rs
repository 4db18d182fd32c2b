//! What the answers of mail servers mean: one table of enhanced status codes, and rules for answers without one.
//!
//! The one idea: only an answer that says so of the mailbox itself makes an address bad, since a bad address gets no
//! mail ever again. A relay that refuses us, a full mailbox, a word about spam: none of these is the address's fault.

/// How far a hand-over had come when the answer was given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Sender named (MAIL).
    Mail,
    /// Recipient named (RCPT).
    Rcpt,
    /// Before the content (DATA).
    Data,
    /// After the content: the answer to the whole mail.
    End,
}

/// What a refusal means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meaning {
    /// Try again.
    Later,
    /// Try again, and send to this domain more slowly.
    Slower,
    /// Never.
    No,
    /// Never, and nothing else to this address.
    BadAddress,
    /// The fault is on this side (the relay, the sender): try again, once somebody has mended it. Others may pass.
    Ours,
    /// The same of the login or the line: nobody passes.
    Login,
}

/// Enhanced codes with a meaning of their own; a row that ends in `.` stands for all below it. The first row counts.
/// Source: RFC 3463, sections 3.2 to 3.8; RFC 7505, section 4.2 (5.1.10); RFC 4954, section 6 (login); RFC 6647,
/// section 2 (4.7.1: not from everybody, or not yet). That 4.2.1 is said for "too fast" is the habit of large providers
/// (Google: "SMTP errors and codes", 4.2.1). 5.7.60 is Exchange's: after the content, of a sender that the login may
/// not write as (Microsoft: "Fix issues with printers, scanners, and LOB applications that send email"). So is 5.2.252,
/// as its answers (`SendAsDenied`) are reported; no page of the vendor's was found for it.
const CODES: &[(&str, Meaning)] = &[
    ("4.2.2", Meaning::Later),       // mailbox full
    ("4.2.", Meaning::Slower),       // mailbox busy or disabled for now; "receiving mail too quickly"
    ("4.3.2", Meaning::Slower),      // system not accepting messages
    ("4.4.5", Meaning::Slower),      // system congestion
    ("4.5.3", Meaning::Slower),      // too many recipients
    ("4.7.", Meaning::Slower),       // policy for now: rate limits, greylisting
    ("5.1.1", Meaning::BadAddress),  // no such mailbox
    ("5.1.2", Meaning::BadAddress),  // no such domain
    ("5.1.3", Meaning::BadAddress),  // no address
    ("5.1.6", Meaning::BadAddress),  // has moved
    ("5.1.10", Meaning::BadAddress), // takes no mail (null MX)
    ("5.1.7", Meaning::Ours),        // sender is no address
    ("5.1.8", Meaning::Ours),        // sender's domain is none
    ("5.2.1", Meaning::BadAddress),  // mailbox disabled
    ("5.2.252", Meaning::Ours),      // SendAsDenied
    ("5.7.60", Meaning::Ours),       // no permissions to send as this sender
    ("5.7.8", Meaning::Login),       // login not taken
    ("5.7.9", Meaning::Login),       // login too weak
    ("5.7.11", Meaning::Login),      // line must be encrypted
];

/// Words at a recipient that speak of the relay or the sender: what is set here, nobody's mailbox. Source: Postfix
/// ("Relay access denied"; "Sender address rejected: not owned by user", which it says at the recipient by default),
/// Exim ("relay not permitted", "Sender verify failed"), Exchange ("Unable to relay").
const OURS: &[&str] = &["relay", "sender address rejected", "sender verify failed", "authentication required"];

/// Words after DATA that say the same: relays that look at the sender only once they have the mail. Their other
/// refusals are of this one mail or its reader, so nothing that is said of those, too, may stand here. Source: Amazon
/// SES ("Email address is not verified", docs.aws.amazon.com/ses/latest/dg/troubleshoot-error-messages.html; in its
/// sandbox of the recipient, which is as much for somebody to mend here), SendGrid ("does not match a verified Sender
/// Identity", twilio.com/docs/sendgrid/for-developers/sending-email/smtp-errors-and-troubleshooting), Exchange ("does
/// not have permissions to send as this sender", learn.microsoft.com, `SmtpResponse.SendAsDenied`), Postmark ("Sender
/// Signature", postmarkapp.com/developer/user-guide/managing-your-account/managing-sender-signatures).
const OURS_AFTER_DATA: &[&str] = &[
    "address is not verified",
    "verified sender",
    "permission to send as",
    "permissions to send as",
    "sender signature",
];

/// Words in an answer without an enhanced code that say of the mailbox itself that there is none. Source: RFC 5321,
/// sections 4.2.3 and 3.4; answers of Postfix ("User unknown"), Exim ("Unrouteable address", "Unknown user"), qmail
/// ("no mailbox here by that name"), Exchange ("Recipient not found").
const NO_MAILBOX: &[&str] = &[
    "no such",
    "user unknown",
    "unknown user",
    "recipient unknown",
    "unknown recipient",
    "mailbox unknown",
    "unknown mailbox",
    "unknown address",
    "address unknown",
    "unknown local part",
    "unrouteable",
    "unroutable",
    "undeliverable address",
    "mailbox unavailable",
    "mailbox name not allowed",
    "no mailbox",
    "user not found",
    "recipient not found",
    "mailbox not found",
    "address not found",
    "account not found",
    "not local",
    "invalid mailbox",
    "invalid recipient",
    "does not exist",
    "doesn't exist",
];

/// Words in such an answer that speak against its being about the mailbox, whatever else it says. Source: assumption,
/// from answers of common servers ("550 blocked by policy", "550 spam", "domain of sender address does not exist").
const NOT_THE_MAILBOX: &[&str] = &[
    "sender",
    "spam",
    "block",
    "polic",
    "denied",
    "authent",
    "reputation",
    "blacklist",
    "listed",
    "spf",
    "dkim",
    "dmarc",
];

/// What a refusal (`code` 4xx or 5xx) means at a stage; `text` is what followed the code.
pub fn meaning(stage: Stage, code: u16, text: &str) -> Meaning {
    // Source: RFC 4954, section 6: login required, not taken, too weak, line not encrypted.
    if matches!(code, 530 | 534 | 535 | 538) {
        return Meaning::Login;
    }
    let enhanced = enhanced(code, text);
    if let Some(found) = enhanced.and_then(|own| CODES.iter().find(|(row, _)| is_of(own, row))) {
        // Of the sender it says nothing about the recipient.
        return if found.1 == Meaning::BadAddress && stage == Stage::Mail { Meaning::Ours } else { found.1 };
    }
    match code {
        // No recipient is named yet: it is the sender that it does not want.
        500..=599 if stage == Stage::Mail => Meaning::Ours,
        500..=599 if stage == Stage::Rcpt && says(text, OURS) => Meaning::Ours,
        500..=599 if matches!(stage, Stage::Data | Stage::End) && is_ours_after_data(text) => Meaning::Ours,
        // The server is closing the connection, mostly since there are too many.
        421 => Meaning::Slower,
        400..=499 => Meaning::Later,
        // Source: RFC 5321, section 4.2.3: mailbox unavailable, not local, name not allowed.
        550 | 551 | 553 if stage == Stage::Rcpt && enhanced.is_none() => {
            let is_bad = says(text, NO_MAILBOX) && !says(text, NOT_THE_MAILBOX);
            if is_bad { Meaning::BadAddress } else { Meaning::No }
        }
        _ => Meaning::No,
    }
}

fn is_ours_after_data(text: &str) -> bool {
    // Exchange says it in one word with its dots, also behind codes of other meaning, such as 5.2.0:
    // `STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied`.
    says(text, OURS_AFTER_DATA) || text.to_lowercase().contains("sendasdenied")
}

/// Whether an answer has one of these words; addresses and hosts in it say nothing.
fn says(text: &str, words: &[&str]) -> bool {
    let is_name = |word: &&str| word.contains('@') || word.trim_end_matches('.').contains('.');
    let said: Vec<&str> = text.split_whitespace().filter(|word| !is_name(word)).collect();
    let said = said.join(" ").to_lowercase();
    words.iter().any(|word| said.contains(word))
}

fn is_of(own: &str, row: &str) -> bool {
    own == row || (row.ends_with('.') && own.starts_with(row))
}

/// The enhanced code at the start of a text, where it fits the code before it.
fn enhanced(code: u16, text: &str) -> Option<&str> {
    let first = text.split_whitespace().next()?;
    let parts: Vec<&str> = first.split('.').collect();
    let is_number = |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let fits = parts.len() == 3 && parts.iter().all(is_number) && parts[0] == (code / 100).to_string();
    fits.then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(stage: Stage, answer: &str, expected: Meaning) {
        let (code, text) = answer.split_at(3);
        assert_eq!(meaning(stage, code.parse().expect("a code"), text.trim()), expected, "{answer}");
    }

    #[test]
    fn refusals() {
        use Meaning::{BadAddress, Later, Login, No, Ours, Slower};
        check(Stage::Rcpt, "550 5.1.1 no such user", BadAddress);
        check(Stage::End, "550 5.1.1 no such user", BadAddress);
        check(Stage::Rcpt, "550 5.1.10 null MX", BadAddress);
        check(Stage::Mail, "550 5.1.1 who are you", Ours);
        check(Stage::Mail, "553 5.7.1 sender not owned", Ours);
        check(Stage::Mail, "550 no", Ours);
        check(Stage::Rcpt, "550 no such user here", BadAddress);
        check(Stage::Rcpt, "553 mailbox name not allowed", BadAddress);
        check(Stage::Rcpt, "550 Relaying denied", Ours);
        check(Stage::Rcpt, "550 5.7.1 relaying denied", Ours);
        check(Stage::Rcpt, "554 5.7.1 <ada@example.com>: Relay access denied", Ours);
        check(Stage::Rcpt, "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", Ours);
        check(Stage::Rcpt, "553 5.7.1 <shop@shop.example>: Sender address rejected: not owned by user ada", Ours);
        check(Stage::Rcpt, "550 Sender verify failed", Ours);
        check(Stage::Rcpt, "550 5.1.8 sender's domain does not exist", Ours);
        check(Stage::Rcpt, "554 5.7.1 <ada@relay.example>: blocked by [relay.example]", No);
        check(Stage::End, "554 5.7.1 we relay no spam", No);
        check(Stage::Rcpt, "550 5.2.2 mailbox full", No);
        check(Stage::Rcpt, "554 blocked", No);
        check(Stage::End, "550 looks like spam", No);
        check(Stage::End, "552 5.3.4 too large", No);
        // Relays that look at the sender after the content.
        let ses = "554 Message rejected: Email address is not verified. The following identities failed the check in \
                   region EU-WEST-1: shop@shop.example";
        check(Stage::End, ses, Ours);
        check(Stage::End, "550 The from address does not match a verified Sender Identity. Mail cannot be sent", Ours);
        check(Stage::End, "550 5.7.60 SMTP; Client does not have permissions to send as this sender", Ours);
        check(Stage::End, "550 5.7.1 Client does not have permissions to send as this sender", Ours);
        check(Stage::End, "554 5.2.252 SendAsDenied; ada@shop.example not allowed to send as shop@shop.example", Ours);
        check(
            Stage::End,
            "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied;",
            Ours,
        );
        check(Stage::Data, "550 Sender signature not found", Ours);
        check(Stage::End, "550 5.7.1 the signature of your domain is not verified", No);
        check(Stage::Rcpt, "450 try again", Later);
        check(Stage::Rcpt, "450 4.2.1 too quickly", Slower);
        check(Stage::Rcpt, "452 4.2.2 mailbox full", Later);
        check(Stage::Rcpt, "451 4.7.1 greylisted", Slower);
        check(Stage::Mail, "421 too many connections", Slower);
        check(Stage::End, "451 local error", Later);
        check(Stage::Mail, "530 5.7.0 authentication required", Login);
        check(Stage::Mail, "550 5.7.11 encryption needed", Login);
        // A code that does not fit the one before it, and ones that are none.
        check(Stage::Rcpt, "450 5.1.1 undecided", Later);
        check(Stage::Rcpt, "550 5.1.1.1 no such user", BadAddress);
        check(Stage::Data, "554 no valid recipients", No);
        // Without a code only words about the mailbox make it a bad address.
        check(Stage::Rcpt, "550", No);
        check(Stage::Rcpt, "550 Administrative prohibition", No);
        check(Stage::Rcpt, "550 Requested action not taken", No);
        check(Stage::Rcpt, "550 domain of sender address shop@shop.example does not exist", No);
        check(Stage::Rcpt, "550 Access denied: no such user for you", No);
        check(Stage::Rcpt, "550 Unrouteable address", BadAddress);
        check(Stage::Rcpt, "550 Requested action not taken: mailbox unavailable", BadAddress);
        check(Stage::Rcpt, "550 <spam.block@a.example>: Recipient address rejected: User unknown", BadAddress);
        check(Stage::Rcpt, "551 User not local; please try <ada@b.example>", BadAddress);
    }
}
