//! Batches, faults, one meaning.
