//! Promises: one suite that runs the shipped program against real kernels, Pythons and indexes.
