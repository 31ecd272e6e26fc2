//! The guarded reader and unpacker of source archives, used by both halves.
