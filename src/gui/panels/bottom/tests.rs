//! The panels below the canvas, driven by names.
