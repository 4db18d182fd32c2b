//! Exports at run time: small interpreters of what each platform does with the JSON, beside the product's own replay.
//!
//! The one idea: who gets which mail when. Where an export reported no loss that could matter for a mail, the two
//! accounts must be equal; each way in which they may differ belongs to the code of a loss that the export really
//! reported, at a step from which the mail can be reached. How much agrees for each sample is frozen in
//! `fixtures/platforms/agreement.txt`, so that nothing drifts behind an allowance.

mod again;
mod agree;
mod allow;
mod hubspot;
mod klaviyo;
mod large;
mod made_up;
mod person;
