//! Tests of the compiled programs without the kernel: every number and every interesting argument
//! goes through an interpreter. Not here: what the kernel makes of a program (`tests/kernel`).

mod exhaustive;
mod golden;
mod interpreter;
mod promises;
mod requests;
mod tables;

use crate::spec::{Spec, Stage};

/// Every filter there can be, with the name of its golden file.
const SPECS: [(&str, Spec); 9] = [
    (
        "unpack",
        Spec {
            stage: Stage::Unpack,
            listener: false,
            local_sockets: false,
            broker_metadata: false,
            trace: false,
        },
    ),
    (
        "program",
        Spec {
            stage: Stage::Program,
            listener: false,
            local_sockets: true,
            broker_metadata: false,
            trace: false,
        },
    ),
    (
        "program-listener",
        Spec {
            stage: Stage::Program,
            listener: true,
            local_sockets: true,
            broker_metadata: false,
            trace: false,
        },
    ),
    (
        "program-broker",
        Spec {
            stage: Stage::Program,
            listener: true,
            local_sockets: true,
            broker_metadata: true,
            trace: false,
        },
    ),
    (
        "fetch",
        Spec {
            stage: Stage::Fetch,
            listener: false,
            local_sockets: false,
            broker_metadata: false,
            trace: false,
        },
    ),
    (
        "fetch-broker",
        Spec {
            stage: Stage::Fetch,
            listener: true,
            local_sockets: false,
            broker_metadata: true,
            trace: false,
        },
    ),
    (
        "program-pairs",
        Spec {
            stage: Stage::Program,
            listener: false,
            local_sockets: false,
            broker_metadata: false,
            trace: false,
        },
    ),
    (
        "program-pairs-broker",
        Spec {
            stage: Stage::Program,
            listener: true,
            local_sockets: false,
            broker_metadata: true,
            trace: false,
        },
    ),
    (
        "program-trace",
        Spec {
            stage: Stage::Program,
            listener: true,
            local_sockets: true,
            broker_metadata: true,
            trace: true,
        },
    ),
];
