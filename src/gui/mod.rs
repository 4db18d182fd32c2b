//! The window: canvas, panels, widgets, theme. Draws and asks, decides nothing.

pub mod probe;
pub mod raster;
pub mod snapshot;
