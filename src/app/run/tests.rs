//! What the studio decides about engines.
