//! Trigger: what only the platform it came from can start a flow by. Never fires here.

use serde::{Deserialize, Serialize};

use crate::content::Origin;

/// Kept for its platform, which gets it back unchanged.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ForeignTrigger {
    /// Whose trigger it is.
    pub origin: Origin,
    /// What the platform calls it: `price-drop`, `DATASET`.
    pub trigger: String,
    /// The platform's own JSON of it.
    pub json: String,
}

/// Its name in files. Not in the catalogue, since nobody draws one: imports make it.
pub const NAME: &str = "foreign";
