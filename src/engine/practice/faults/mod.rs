//! The rows, a file per family, in the order of the catalogue.

mod close;
mod compression;
mod console;
mod frames;
mod network;
mod open;
mod refused;
mod token;
mod transport;
mod unproducible;
mod upgrade;
mod url;

pub(super) use unproducible::UNPRODUCIBLE;

use super::fault::Fault;

const TABLES: [&[Fault]; 12] = [
    url::FAULTS,
    token::FAULTS,
    transport::FAULTS,
    network::FAULTS,
    refused::FAULTS,
    upgrade::FAULTS,
    open::FAULTS,
    open::TIMED,
    frames::FAULTS,
    compression::FAULTS,
    close::FAULTS,
    console::FAULTS,
];

/// All rows in one array.
pub(super) static ALL: [Fault; count()] = joined();

const fn count() -> usize {
    let mut sum = 0;
    let mut table = 0;
    while table < TABLES.len() {
        sum += TABLES[table].len();
        table += 1;
    }
    sum
}

#[expect(clippy::large_stack_arrays, reason = "only the compiler runs it")]
const fn joined() -> [Fault; count()] {
    let mut all = [TABLES[0][0]; count()];
    let (mut table, mut row, mut next) = (0, 0, 0);
    while table < TABLES.len() {
        while row < TABLES[table].len() {
            all[next] = TABLES[table][row];
            next += 1;
            row += 1;
        }
        row = 0;
        table += 1;
    }
    all
}
