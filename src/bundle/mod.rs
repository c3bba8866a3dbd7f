//! Executables as bundles.

pub mod pyc;
pub mod sign;
