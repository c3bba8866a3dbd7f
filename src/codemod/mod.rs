//! Fixes in batches: whose they are, what a patch and a script of them look like, which of them break a build. Pure;
//! touches nothing but what a [`Bench`] touches for it.

mod affected;
pub mod bisect;
pub mod buildozer;
mod mail;
mod message;
mod offer;
mod owned;
pub mod owners;
pub mod patch;
mod plan;
mod quarantine;
mod round;
mod script;
mod state;
mod verify;

pub use affected::Affected;
pub use message::message;
pub use offer::{Offered, OfferedBatch, offered};
pub use owned::Owned;
pub use plan::{Batch, By, Filter, Plan, PlannedFix, Request, plan};
pub use quarantine::{FailingSet, QUARANTINE, Quarantine, Suspect};
pub use round::owner_of;
pub use script::script;
pub use state::{BatchOutcome, Current, STATE, Setup, State, Trial};
pub use verify::{Bench, Built, End, News, Verification};
