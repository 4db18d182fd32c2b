//! The window: canvas, panels, widgets, theme. Draws and asks, decides nothing.
