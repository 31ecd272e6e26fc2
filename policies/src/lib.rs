//! What a build may touch: policies as data with a reason for each grant, and their compilation.
