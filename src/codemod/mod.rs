//! Fixes in batches: whose they are, what a patch and a script of them look like, which of them break a build. Pure;
//! touches nothing.

pub mod bisect;
pub mod buildozer;
mod mail;
mod message;
pub mod owners;
pub mod patch;
mod plan;
mod script;

pub use message::message;
pub use plan::{Batch, By, Plan, Request, plan};
pub use script::script;
