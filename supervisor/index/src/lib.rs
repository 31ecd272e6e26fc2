//! Ask: the client of package indexes.
