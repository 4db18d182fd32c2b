//! The engine: one meaning with the simulator, faults in a seeded world, and what callers meet.

mod meaning;
mod play;
