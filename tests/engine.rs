//! The engine: one meaning with the simulator, faults in a seeded world, and what callers meet.

mod broken;
mod copies;
mod disk;
mod faults;
mod ledger;
mod look;
mod meaning;
mod outside;
mod play;
mod rules;
mod scenes;
mod schema;
mod threads;
mod together;
