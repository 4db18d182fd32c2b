//! The one integration binary (it links once); each module is one concern.

mod cli;
mod compare;
mod drive;
mod fuzz;
mod oracle;
mod readme;
mod rules;
mod samples;
mod schema_proofs;
mod tidy;
mod wall;
mod world;
