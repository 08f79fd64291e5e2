//! Muster (平急应急指挥): emergency command and alerting for a city.
//!
//! The house in layer order; imports go down only. `ARCHITECTURE.md` walks one alert, one duty switch and one check-in through it.

pub mod city;
#[cfg(feature = "server")]
pub mod cli;
#[cfg(feature = "server")]
pub mod config;
#[cfg(feature = "server")]
pub mod demo;
#[cfg(feature = "server")]
pub mod directory;
pub mod domain;
pub mod engine;
#[cfg(feature = "server")]
pub mod import;
#[cfg(feature = "server")]
pub mod journal;
#[cfg(feature = "server")]
pub mod live;
#[cfg(feature = "server")]
pub mod redis_link;
#[cfg(feature = "server")]
pub mod runtime;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "testing")]
pub mod testing;
