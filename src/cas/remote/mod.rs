//! Contents over the network, by the Remote Execution API. The only room that talks to others.

pub mod names;
pub mod server;
