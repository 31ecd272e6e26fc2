//! Keep: buckets, scratch, locks, publishing.
