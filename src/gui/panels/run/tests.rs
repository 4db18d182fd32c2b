//! The page by its accessible names.
