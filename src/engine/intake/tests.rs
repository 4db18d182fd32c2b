//! Real HTTP over loopback, with a made-up writer and store: every answer, every limit.

mod http;
mod limits;
mod people;
mod stage;
mod taking;
