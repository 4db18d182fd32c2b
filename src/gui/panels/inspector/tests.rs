//! The inspector in a window, found by accessible names.
