//! The one integration binary (it links once); each module is one concern.

mod oracle;
mod rules;
mod samples;
mod world;
