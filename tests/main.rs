//! The one integration binary: whole-program tests, one module each.

mod samples;
