//! The flow as a picture for paper: laid out as on the canvas, with room for words, in vectors.
//!
//! The one idea: a [`Diagram`] is the canvas' own arrangement, stretched downwards where cards have more to say, so
//! that a client recognises what the agency showed on the screen. From it follow one large
//! [`Scene`](super::scene::Scene) (SVG, PNG), pages (PDF) and Mermaid text.
//!
//! | module | what it does |
//! | --- | --- |
//! | `layout` | cards, notes, frames and ways, in canvas units |
//! | `route` | the way of one edge; shared with the canvas |
//! | `draw` | the layout as a scene, with title and legend |
//! | `pages` | the scene on sheets of paper, in points |
//! | `svg`, `pdf`, `png` (feature `picture`), `mermaid` | formats |

mod draw;
mod layout;
mod mermaid;
mod pages;
mod pdf;
#[cfg(feature = "picture")]
mod png;
pub mod route;
mod svg;
#[cfg(test)]
mod tests;

pub use draw::{Marking, bare, inner, whole};
pub use layout::{Card, Diagram, Frame, NoteCard, Way};
pub use mermaid::mermaid;
pub use pages::{Paper, pages};
pub use pdf::pdf;
#[cfg(feature = "picture")]
pub use png::{MAX_PIXELS, png};
pub use svg::{FONTS, svg, svg_within};
