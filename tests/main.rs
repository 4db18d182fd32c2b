//! The one integration binary: whole-program tests, one module each.

mod oracle;
mod rules;
mod world;
