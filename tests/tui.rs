//! The terminal UI: random use, what it looks like, how fast it draws, its picture, and whole sessions in a terminal.

mod journeys;
mod looks;
mod picture;
mod random;
mod samples;
mod speed;
mod terminal;
mod tree;
