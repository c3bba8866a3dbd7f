//! Content-addressed bundles: a store in a directory, manifests over it, and any Remote Execution API server behind it.
//! Reads and writes the store and the trees it is told to; the only room that talks to a network.

pub mod digest;
pub mod materialize;
pub mod pack;
pub mod remote;
pub mod store;
pub mod tree;

#[cfg(test)]
pub(crate) mod testing;
