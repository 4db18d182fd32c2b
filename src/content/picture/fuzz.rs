//! Damaged mails: no panic, bounded time.
