//! Whole pictures: the traps of the reference, limits, links, images.
