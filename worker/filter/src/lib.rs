//! The system-call filter: rules as data, an emitter of BPF as a binary tree, its installation and notifications.
